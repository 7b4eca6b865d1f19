"""CycleGAN: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, D_Y judges Y. Each term is computed once
with (X, Y) = (A, B) and once with (B, A). Equation and section numbers are the paper's.
"""

import torch
from torch import Tensor, nn

from recycle import losses
from recycle.methods.base import TwoWayMethod, frozen, inference, stacked


class CycleGAN(TwoWayMethod):
    """Single frames: of longer windows the first frame is used."""

    window = 1

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_<way>, cycle_<domain>, identity_<domain of the picture>; none for a weight of 0."""
        a, b = stacked(a, 0, 1), stacked(b, 0, 1)
        fake_b, terms_ab = self._way("ab", a, b, self.generator_ab, self.generator_ba, self.discriminator_b)
        fake_a, terms_ba = self._way("ba", b, a, self.generator_ba, self.generator_ab, self.discriminator_a)
        return {"a": fake_a, "b": fake_b}, terms_ab | terms_ba

    def _way(
        self, names: str, x: Tensor, y: Tensor, G_Y: nn.Module, G_X: nn.Module, D_Y: nn.Module
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One direction, `names` "ab" or "ba". x, y: pictures (B, 3, H, W). Gives G_Y(x), detached, and its terms."""
        X, Y = tuple(names)
        weights = self.weights
        terms: dict[str, Tensor] = {}
        translated = G_Y(torch.cat([x, y]) if weights.identity else x)
        fake_y = translated[: len(x)]
        if weights.adversarial:
            with frozen(D_Y):
                # eq. 1, least squares as in section 4: (D_Y(G_Y(x)) - 1)²
                terms[f"adversarial_{names}"] = weights.adversarial * losses.lsgan_generator(D_Y(fake_y))
        if weights.cycle:
            # eq. 2: ‖G_X(G_Y(x)) - x‖₁
            terms[f"cycle_{X}"] = weights.cycle * losses.l1(G_X(fake_y), x)
        if weights.identity:
            # section 5.2: ‖G_Y(y) - y‖₁
            terms[f"identity_{Y}"] = weights.identity * losses.l1(translated[len(x) :], y)
        return fake_y.detach(), terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses discriminator_b, discriminator_a."""
        result = {}
        for domain, windows, discriminator in (("b", b, self.discriminator_b), ("a", a, self.discriminator_a)):
            pictures = torch.cat([stacked(windows, 0, 1), self.pools[domain].query(fakes[domain])])
            real_scores, fake_scores = discriminator(pictures).chunk(2)
            # eq. 1, least squares, halved as in section 7.1: 1/2 [(D_Y(y) - 1)² + D_Y(G_Y(x))²]
            result[f"discriminator_{domain}"] = losses.lsgan_discriminator(real_scores, fake_scores)
        return result

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Source, translated and reconstructed, of A and then of B."""
        result = {}
        with inference(self):
            for domain, windows, there, back in (
                ("a", a, self.generator_ab, self.generator_ba),
                ("b", b, self.generator_ba, self.generator_ab),
            ):
                source = stacked(windows, 0, 1)
                translated = there(source)
                result[f"{domain}_source"] = source
                result[f"{domain}_translated"] = translated
                result[f"{domain}_reconstructed"] = back(translated)
        return result
