"""CartoonGAN: Chen, Lai, Liu, CartoonGAN: Generative Adversarial Networks for Photo Cartoonization, CVPR 2018.

A photo x of A, a cartoon y of B, and e, the cartoon with its edges smoothed: G turns photos into cartoons, D judges
cartoons, VGG is VGG-19 up to conv4_4. Equation and section numbers are the paper's.

What differs. The networks are those of the other methods; the paper's generator has one more convolution at each change
of size, its discriminator 3x3 convolutions from 32 filters up. Here e is made from the step's own y, not drawn apart,
and one rate holds in both phases. The paper writes the cross entropy, kept as the default; the code its authors put out
later has least squares, a pool of 50, 16 residual blocks, an initial phase of 20 epochs before 200, and pictures scaled
to 224 px for VGG.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Method, frozen, inference
from recycle.methods.edges import smooth_edges
from recycle.methods.history import HistoryPool
from recycle.networks.features import ContentLayer, compared
from recycle.networks.networks import build_discriminator, build_generator


class CartoonGAN(Method):
    """Single frames, A to B: of longer windows the first frame is used.

    The first `initial_steps` steps train the content term alone: the paper's initialization phase. Without a content
    term there is none.
    """

    content_layer: ClassVar[ContentLayer] = "conv4_4"
    """What `content` is to be."""

    steps: Tensor
    """Steps made, int64: saved with the weights, so that a run that goes on knows its phase."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.generator_ab = build_generator(config.networks)
        self.discriminator_b = build_discriminator(config.networks)
        self.pools = {"b": HistoryPool(config.pool_size)}
        self.seed_pools(0)
        self._initial_steps = config.initial_steps if config.weights.content else 0
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {"generator_ab": self.generator_ab}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {"discriminator_b": self.discriminator_b}

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_ab, content_a; none for a weight of 0. In the initial phase the first is a 0 that asks for
        no gradient.

        Raises RuntimeError where `content` was not given and has a weight.
        """
        x, weights, D = a[:, 0], self.weights, self.discriminator_b
        terms: dict[str, Tensor] = {}
        (fake,) = self.through(self.generator_ab, x)
        if weights.adversarial and self._in_initial_phase():
            terms["adversarial_ab"] = torch.zeros((), device=x.device)
        elif weights.adversarial:
            with frozen(D):
                (scores,) = self.through(D, fake)
            # eq. 3, the share of G: log(1 - D(G(x))), as -log D(G(x)), which has the same optimum
            terms["adversarial_ab"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.content:
            # eq. 4: ‖VGG(G(x)) - VGG(x)‖₁
            terms["content_a"] = weights.content * losses.l1(*compared(self.content, fake, x))
        return {"b": fake.detach()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss discriminator_b; none without an adversarial term. In the initial phase it is a 0 that asks for no
        gradient. Counts the step."""
        initial = self._in_initial_phase()
        self.steps += 1
        if not self.weights.adversarial:
            return {}
        y = b[:, 0]
        if initial:
            return {"discriminator_b": torch.zeros((), device=y.device)}
        smoothed = [smooth_edges(y)] if self.weights.edge else []
        real, fake, *edge = self.through(self.discriminator_b, y, self.pools["b"].query(fakes["b"]), *smoothed)
        # eq. 3, halved as everywhere here: -1/2 [log D(y) + log(1 - D(G(x))) + log(1 - D(e))]
        judged = self.adversarial.real(real) + self.adversarial.fake(fake)
        if edge:
            judged = judged + self.weights.edge * self.adversarial.fake(edge[0])
        return {"discriminator_b": judged}

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Source and translated."""
        with inference(self):
            return {"a_source": a[:, 0], "a_translated": self.generator_ab(a[:, 0])}

    def _in_initial_phase(self) -> bool:
        # Without such a phase the counter is not read, which would make a GPU wait.
        return self._initial_steps > 0 and int(self.steps) < self._initial_steps
