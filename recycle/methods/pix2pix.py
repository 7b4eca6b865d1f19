"""pix2pix: Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017.

A picture x of A and its pair y of B: G translates x, D judges pairs. Equation and section numbers are the paper's. Two
things are done as everywhere here instead: the generator's half of a step comes first, and rendering leaves dropout out
and normalises by running statistics (section 3.3 keeps both as in training), so that a frame always becomes the same
picture.
"""

import torch
from torch import Tensor

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Moment
from recycle.methods.ways import OneWayMethod
from recycle.networks.networks import PICTURE_CHANNELS


class Pix2Pix(OneWayMethod):
    """Single frames of windows that belong together, A to B: of longer windows the first frame is used."""

    paired = True

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config, judged_channels=2 * PICTURE_CHANNELS)

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_ab, l1_b; none for a weight of 0."""
        x, y = a[:, 0], b[:, 0]
        weights, D = self.weights, self.discriminator_b
        terms: dict[str, Tensor] = {}
        fake = self.generator_ab(x)
        if weights.adversarial:
            # eq. 1, maximised as in section 3.3: -log D(x, G(x))
            terms["adversarial_ab"] = weights.adversarial * self.adversarial.generator(D(torch.cat([x, fake], 1)))
        if weights.l1:
            # eq. 3: ‖y - G(x)‖₁
            terms["l1_b"] = weights.l1 * losses.l1(fake, y)
        return {"b": fake.detach()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Loss discriminator_b; none without an adversarial term."""
        if not self.weights.adversarial:
            return {}
        x, y = a[:, 0], b[:, 0]
        # A pool that kept fakes without their sources would show pairs that never were.
        shown = self.pools["b"].query(torch.cat([x, fakes["b"]], 1))
        scores = self.through(self.discriminator_b, {"real": torch.cat([x, y], 1), "fake": shown})
        # eq. 1, halved as in section 3.3: -1/2 [log D(x, y) + log(1 - D(x, G(x)))]
        return {"discriminator_b": self.adversarial.real(scores["real"]) + self.adversarial.fake(scores["fake"])}

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Source, translated, and the pair that it should look like."""
        return super().samples(a, b) | {"a_pair": b[:, 0]}
