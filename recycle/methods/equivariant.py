"""Equivariant CycleGAN: translations that turn and bend with their source, so that everything stays where it belongs.

Ours: both equivariance terms together, growing in (recycle.methods.equivariance says which fault each mends); a second
judge of each domain that sees only what is fine, in patches of 16 px, which wins back the sharpness that the flow term
costs and, because grain is not equivariant, wins it where edges are; an adversarial weight that falls, so that what the
picture is made of is found first and put in its place then; and generators with skip connections, which keep
edges where a map of a quarter of the size cannot. Theirs: the cycle and adversarial terms (Zhu et al., ICCV 2017), the
drawn flow (Wang et al., AAAI 2022), the history pool (Shrivastava et al., CVPR 2017), skip connections (Ronneberger et
al., MICCAI 2015), judges of several scales (Wang et al., CVPR 2018). Equivariance under a geometric transform as a term
of unpaired translation is GcGAN's (Fu et al., CVPR 2019), one-sided and without cycle or flow.

docs/results.md holds it against the published methods; docs/measured.md says what else was tried.
"""

from dataclasses import replace

from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods.base import Moment
from recycle.methods.cyclegan import CycleGAN
from recycle.methods.ways import Way
from recycle.networks.networks import build_discriminator

FINE_PX = 5
"""What is fine: a picture less its means over squares of this side."""


class Equivariant(CycleGAN):
    """CycleGAN's terms beside `mirror` and `flow`, and `detail`."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.details: dict[str, nn.Module] = {}
        if config.weights.detail:
            small = replace(config.networks, discriminator="patch", discriminator_layers=1)
            self.detail_discriminator_a = build_discriminator(small)
            self.detail_discriminator_b = build_discriminator(small)
            self.details = {"a": self.detail_discriminator_a, "b": self.detail_discriminator_b}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return super().discriminators | {f"detail_discriminator_{domain}": D for domain, D in self.details.items()}

    def adversarial_losses(self, way: Way, fake_y: Tensor, moment: Moment) -> dict[str, Tensor]:
        """Losses adversarial_<way> and detail_<way>; none for a weight of 0."""
        terms = super().adversarial_losses(way, fake_y, moment)
        if self.weights.detail:
            # detail: (D'_Y(H G_Y(x)) - 1)², H the picture less its local means
            scores = self.details[way.Y](fine(fake_y))
            terms[f"detail_{way.name}"] = self.weights.detail * self.adversarial.generator(scores)
        return terms

    def judge_losses(self, domain: str, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Losses discriminator_<domain> and detail_discriminator_<domain>."""
        terms = super().judge_losses(domain, real, fake) if self.weights.adversarial else {}
        if self.weights.detail:
            terms[f"detail_discriminator_{domain}"] = self.judged(self.details[domain], fine(real), fine(fake))
        return terms


def fine(pictures: Tensor) -> Tensor:
    """Pictures (N, C, H, W) less their means over FINE_PX x FINE_PX, mirrored at the borders: (N, C, H, W).

    >>> import torch
    >>> edge = torch.tensor([0.0, 0, 0, 0, 0, 1, 1, 1, 1, 1]).expand(1, 1, 10, 10)
    >>> [round(value, 1) for value in fine(edge)[0, 0, 5].tolist()]  # what is even has nothing fine
    [0.0, 0.0, 0.0, -0.2, -0.4, 0.4, 0.2, 0.0, 0.0, 0.0]
    """
    around = nn.functional.pad(pictures, (FINE_PX // 2,) * 4, mode="reflect")
    return pictures - nn.functional.avg_pool2d(around, FINE_PX, stride=1)
