"""CycleGAN: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, D_Y judges Y. Each term is computed once
with (X, Y) = (A, B) and once with (B, A). Equation and section numbers are the paper's.
"""

from torch import Tensor

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Moment
from recycle.methods.ways import TwoWayMethod, Way

_CYCLED = {"both": "ab", "forward": "a", "backward": "b"}


class CycleGAN(TwoWayMethod):
    """Single frames: of longer windows the first frame is used."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self._cycled = _CYCLED[config.cycle_direction]

    def way_losses(self, way: Way, x: Tensor, y: Tensor, moment: Moment) -> tuple[Tensor, dict[str, Tensor]]:
        """G_Y(x), detached; losses adversarial_<way>, cycle_<X>, identity_<Y>, mirror_<X>, flow_<X>."""
        x, y, weights = x[:, 0], y[:, 0], self.weights
        moved = self.equivariance.move(x, moment)
        translated = self.through(way.G_Y, {"fake": x} | ({"same": y} if weights.identity else {}) | moved.pictures)
        fake_y = translated["fake"]
        terms = self.adversarial_losses(way, fake_y, moment)
        if weights.cycle and way.X in self._cycled:
            # eq. 2: ‖G_X(G_Y(x)) - x‖₁; seen from A this is its forward half, seen from B its backward half
            terms[f"cycle_{way.X}"] = weights.cycle * losses.l1(way.G_X(fake_y), x)
        if weights.identity:
            # section 5.2: ‖G_Y(y) - y‖₁
            terms[f"identity_{way.Y}"] = weights.identity * losses.l1(translated["same"], y)
        return fake_y.detach(), terms | moved.losses(translated, fake_y, way.X)
