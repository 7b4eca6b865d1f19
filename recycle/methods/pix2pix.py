"""pix2pix: Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017.

A picture x of A and its pair y of B: G translates x, D judges pairs. Equation and section numbers are the paper's. Two
things are done as everywhere here instead: the generator's half of a step comes first, and rendering leaves dropout out
and normalises by running statistics (section 3.3 keeps both as in training), so that a frame always becomes the same
picture.
"""

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Method, frozen, inference
from recycle.methods.history import HistoryPool
from recycle.networks.networks import PICTURE_CHANNELS, build_discriminator, build_generator


class Pix2Pix(Method):
    """Single frames of windows that belong together, A to B: of longer windows the first frame is used."""

    paired = True

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.generator_ab = build_generator(config.networks)
        self.discriminator_b = build_discriminator(config.networks, channels=2 * PICTURE_CHANNELS)
        self.pools = {"b": HistoryPool(config.pool_size)}
        self.seed_pools(0)

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {"generator_ab": self.generator_ab}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {"discriminator_b": self.discriminator_b}

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_ab, l1_b; none for a weight of 0."""
        x, y = a[:, 0], b[:, 0]
        weights, D = self.weights, self.discriminator_b
        terms: dict[str, Tensor] = {}
        (fake,) = self.through(self.generator_ab, x)
        if weights.adversarial:
            with frozen(D):
                (scores,) = self.through(D, torch.cat([x, fake], 1))
            # eq. 1, maximised as in section 3.3: -log D(x, G(x))
            terms["adversarial_ab"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.l1:
            # eq. 3: ‖y - G(x)‖₁
            terms["l1_b"] = weights.l1 * losses.l1(fake, y)
        return {"b": fake.detach()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss discriminator_b; none without an adversarial term."""
        if not self.weights.adversarial:
            return {}
        x, y = a[:, 0], b[:, 0]
        # A pool that kept fakes without their sources would show pairs that never were.
        real, fake = self.through(
            self.discriminator_b, torch.cat([x, y], 1), self.pools["b"].query(torch.cat([x, fakes["b"]], 1))
        )
        # eq. 1, halved as in section 3.3: -1/2 [log D(x, y) + log(1 - D(x, G(x)))]
        return {"discriminator_b": self.adversarial.real(real) + self.adversarial.fake(fake)}

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Source, translated, and the pair that it should look like."""
        with inference(self):
            return {"a_source": a[:, 0], "a_translated": self.generator_ab(a[:, 0]), "a_pair": b[:, 0]}
