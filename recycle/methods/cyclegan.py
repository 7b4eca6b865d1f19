"""CycleGAN: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, D_Y judges Y. Each term is computed once
with (X, Y) = (A, B) and once with (B, A). Equation and section numbers are the paper's.
"""

from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import TwoWayMethod, frozen

_CYCLED = {"both": "ab", "forward": "a", "backward": "b"}


class CycleGAN(TwoWayMethod):
    """Single frames: of longer windows the first frame is used."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self._cycled = _CYCLED[config.cycle_direction]

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_<way>, cycle_<domain>, identity_<domain of the picture>; none for a weight of 0."""
        a, b = a[:, 0], b[:, 0]
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
        fake_y, *same_y = self.through(G_Y, x, y) if weights.identity else self.through(G_Y, x)
        if weights.adversarial:
            with frozen(D_Y):
                (scores,) = self.through(D_Y, fake_y)
            # eq. 1, by default with least squares as in section 4: (D_Y(G_Y(x)) - 1)²
            terms[f"adversarial_{names}"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.cycle and X in self._cycled:
            # eq. 2: ‖G_X(G_Y(x)) - x‖₁; seen from A this is its forward half, seen from B its backward half
            (back,) = self.through(G_X, fake_y)
            terms[f"cycle_{X}"] = weights.cycle * losses.l1(back, x)
        if weights.identity:
            # section 5.2: ‖G_Y(y) - y‖₁
            terms[f"identity_{Y}"] = weights.identity * losses.l1(same_y[0], y)
        return fake_y.detach(), terms
