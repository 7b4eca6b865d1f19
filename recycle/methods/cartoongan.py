"""CartoonGAN: Chen, Lai, Liu, CartoonGAN: Generative Adversarial Networks for Photo Cartoonization, CVPR 2018.

A photo x of A, a cartoon y of B, and e, the cartoon with its edges smoothed: G turns photos into cartoons, D judges
cartoons, VGG is VGG-19 up to conv4_4. Equation and section numbers are the paper's.

What differs. The networks are those of the other methods; the paper's generator has one more convolution at each change
of size, its discriminator 3x3 convolutions from 32 filters up. Here e is made from the step's own y, not drawn apart,
and one rate holds in both phases. The paper writes the cross entropy, kept as the default; the code its authors put out
later has least squares, a pool of 50, 16 residual blocks, an initial phase of 20 epochs before 200, and pictures scaled
to 224 px for VGG.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Moment
from recycle.methods.edges import smooth_edges
from recycle.methods.ways import OneWayMethod
from recycle.networks.features import ContentLayer, compared


class CartoonGAN(OneWayMethod):
    """Single frames, A to B: of longer windows the first frame is used.

    The first `initial_steps` steps train the content term alone: the paper's initialization phase. Without a content
    term there is none.
    """

    content_layer: ClassVar[ContentLayer] = "conv4_4"
    """What `content` is to be."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self._initial_steps = config.initial_steps if config.weights.content else 0
        self.register_load_state_dict_pre_hook(_without_counter)

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_ab, content_a; none for a weight of 0. In the initial phase the first is a 0 that asks for
        no gradient.

        Raises RuntimeError where `content` was not given and has a weight.
        """
        x, weights, D = a[:, 0], self.weights, self.discriminator_b
        terms: dict[str, Tensor] = {}
        fake = self.generator_ab(x)
        if weights.adversarial and self._in_initial_phase(moment):
            terms["adversarial_ab"] = torch.zeros((), device=x.device)
        elif weights.adversarial:
            # eq. 3, the share of G: log(1 - D(G(x))), as -log D(G(x)), which has the same optimum
            terms["adversarial_ab"] = weights.adversarial * self.adversarial.generator(D(fake))
        if weights.content:
            # eq. 4: ‖VGG(G(x)) - VGG(x)‖₁
            terms["content_a"] = weights.content * losses.l1(*compared(self.content, fake, x))
        return {"b": fake.detach()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Loss discriminator_b; none without an adversarial term. In the initial phase it is a 0 that asks for no
        gradient."""
        if not self.weights.adversarial:
            return {}
        y = b[:, 0]
        if self._in_initial_phase(moment):
            return {"discriminator_b": torch.zeros((), device=y.device)}
        shown = {"real": y, "fake": self.pools["b"].query(fakes["b"])}
        if self.weights.edge:
            shown["edge"] = smooth_edges(y)
        scores = self.through(self.discriminator_b, shown)
        # eq. 3, halved as everywhere here: -1/2 [log D(y) + log(1 - D(G(x))) + log(1 - D(e))]
        judged = self.adversarial.real(scores["real"]) + self.adversarial.fake(scores["fake"])
        if self.weights.edge:
            judged = judged + self.weights.edge * self.adversarial.fake(scores["edge"])
        return {"discriminator_b": judged}

    def _in_initial_phase(self, moment: Moment) -> bool:
        return moment.step <= self._initial_steps


def _without_counter(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Checkpoints once counted the steps among the weights; the loop knows them."""
    state.pop(f"{prefix}steps", None)
