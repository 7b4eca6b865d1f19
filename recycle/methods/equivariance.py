"""Equivariance: a translation turns and bends with its source, |G(T x) - T G(x)|, T drawn anew in every step.

Two kinds of T, each a term of its own, for they mend different faults:

- a mirror (left to right, up to down, or both). It pins the place: a translation that moves everything by (dx, dy),
  which no cycle and no discriminator sees, is off by twice that under a mirror. Moved by whole pixels, it is exact.
- a smooth drawn flow (recycle.methods.flow, after Wang et al., AAAI 2022, whose unsupervised spatial loss this is
  without its noise). It cleans grain, in which a cycle term hides the source (Casey Chu et al. 2017); a constant move
  goes through it unseen.

Both at full weight from the first step on can hold a translation in a still picture, which is equivariant too, before
the discriminators have taught it anything: so they grow in, in a straight line over the first part of training.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from recycle.methods import losses
from recycle.methods.base import Moment
from recycle.methods.flow import draw_flow, warp

MIRRORS = ((-1,), (-2,), (-2, -1))
"""Axes of pictures (N, C, H, W) that a mirror turns round."""


@dataclass(frozen=True)
class Moved:
    """Pictures as drawn transforms move them, to be translated beside the pictures themselves.

    pictures: by kind, "mirrored" and "bent", those (B, 3, H, W) whose term has a weight.
    """

    pictures: dict[str, Tensor] = field(default_factory=dict)
    axes: tuple[int, ...] = ()
    flow: Tensor | None = None
    weights: dict[str, float] = field(default_factory=dict)
    source: Tensor | None = None
    guard: Callable[[Tensor], Tensor] | None = None

    def losses(self, translated: dict[str, Tensor], fake: Tensor, domain: str) -> dict[str, Tensor]:
        """Terms mirror_<domain>, flow_<domain> and semantic_<domain>; none for a weight of 0.

        translated: G of `pictures`, under their names. fake: G of the pictures as they were.
        """
        terms = {}
        if "mirrored" in self.pictures:
            # mirror: ‖G_Y(M x) - M G_Y(x)‖₁
            terms[f"mirror_{domain}"] = self.weights["mirrored"] * losses.l1(
                translated["mirrored"], fake.flip(self.axes)
            )
        if self.flow is not None:
            # flow: ‖G_Y(W x) - W G_Y(x)‖₁
            terms[f"flow_{domain}"] = self.weights["bent"] * losses.l1(translated["bent"], warp(fake, self.flow))
        if "semantic" in self.weights:
            # semantic: -log S(S(x) | G_Y(x)), S the class that the guard takes each pixel of x for
            terms[f"semantic_{domain}"] = self.weights["semantic"] * self._disagreement(fake)
        return terms

    def _disagreement(self, fake: Tensor) -> Tensor:
        if self.guard is None or self.source is None:
            raise RuntimeError("the semantic term has a weight but no labeller: set `method.guard` before training")
        with torch.no_grad():
            wanted = self.guard(self.source).argmax(1)
        return nn.functional.cross_entropy(self.guard(fake), wanted)


@dataclass(frozen=True)
class Equivariance:
    """What every two-way method can be asked to keep.

    mirror, flow: weights of the two equivariance terms. grow_in: part of training over which they grow to those.
    semantic: weight of the labels' survival (CyCADA, Hoffman et al., ICML 2018, section 3), by what `guard` sees.
    """

    mirror: float
    flow: float
    grow_in: float
    semantic: float = 0.0
    guard: Callable[[Tensor], Tensor] | None = None

    def move(self, pictures: Tensor, moment: Moment) -> Moved:
        """Pictures (B, 3, H, W) under a mirror and a flow for each, as far as the terms have a weight.

        Draws the mirror from the CPU's global generator, for it chooses what is computed, and the flow on the pictures'
        device: nothing waits for a GPU.
        """
        grown = min(1.0, moment.progress / self.grow_in) if self.grow_in else 1.0
        moved: dict[str, Tensor] = {}
        weights = {"mirrored": grown * self.mirror, "bent": grown * self.flow}
        axes: tuple[int, ...] = ()
        flow = None
        if self.mirror:
            axes = MIRRORS[int(torch.randint(len(MIRRORS), ()))]
            moved["mirrored"] = pictures.flip(axes)
        if self.flow:
            batch, _, height, width = pictures.shape
            flow = draw_flow(batch, height, width, pictures.device)
            moved["bent"] = warp(pictures, flow)
        if self.semantic:
            weights["semantic"] = self.semantic
        return Moved(moved, axes, flow, weights, pictures, self.guard)
