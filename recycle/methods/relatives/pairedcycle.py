"""PairedCycleGAN: Chang, Lu, Yu, Finkelstein, PairedCycleGAN: Asymmetric Style Transfer for Applying and Removing
Makeup, CVPR 2018.

x of A is bare, y of B wears one of many styles: G(x, y) puts the style of y on x, F(y) takes it off. D_A and D_B judge
the domains, D_S pairs: whether two pictures wear the same style. Section numbers are the paper's.

What differs. A real pair of D_S is y and another moment of its clip, for a clip has one style; the paper has y and y
warped to the landmarks of x, which only faces have. G knows its reference by a code of its style, which a network
without norms reads off it, not by a second picture beside the first. The weights are ours.
"""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Direction, Method, Moment, inference
from recycle.methods.history import HistoryPool
from recycle.networks.coded import CodedGenerator, CodeReader, Fixed
from recycle.networks.networks import PICTURE_CHANNELS, build_discriminator, build_generator


class PairedCycle(Method):
    """Single frames: of longer windows of A the first frame is used, of those of B also the last, as the other moment;
    of a single one its mirror."""

    companions = True
    asks: ClassVar[frozenset[str]] = frozenset({"reference"})
    usual: Tensor

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        networks, length = config.networks, int(config.own["codes"])
        self.generator_ab = CodedGenerator(networks, length)
        self.generator_ba = build_generator(networks)
        self.style_reader = CodeReader(networks, length)
        self.discriminator_a, self.discriminator_b = build_discriminator(networks), build_discriminator(networks)
        self.discriminator_style = build_discriminator(networks, channels=2 * PICTURE_CHANNELS)
        self.register_buffer("usual", torch.zeros(PICTURE_CHANNELS, networks.size, networks.size))
        self.pools = {name: HistoryPool(config.pool_size) for name in ("a", "b", "style")}
        self.seed_pools(0)
        self._reference: Tensor | None = None

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {name: getattr(self, name) for name in ("generator_ab", "generator_ba", "style_reader")}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {f"discriminator_{name}": getattr(self, f"discriminator_{name}") for name in ("a", "b", "style")}

    @property
    def ways(self) -> list[Direction]:
        return ["a_to_b", "b_to_a"]

    def hold(self, *, sample: int | None = None, reference: Tensor | None = None) -> None:
        """reference: whose style; None for the first picture of B that training saw."""
        self._reference = reference

    def translator(self, direction: Direction) -> nn.Module:
        if direction != "a_to_b":
            return super().translator(direction)
        reference = self.usual if self._reference is None else self._reference
        return Fixed(self.generator_ab, self.style_reader(reference.to(self.usual)[None])[0])

    def back(self, translated: Tensor, source: Tensor, direction: Direction) -> Tensor:
        """What was put on is taken off; what was taken off is put on again, as the source wore it."""
        with inference(self):
            if direction == "a_to_b":
                return self.generator_ba(translated)
            return self.generator_ab(translated, self.style_reader(source))

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_ab, adversarial_ba, style_b, cycle_a, cycle_b; none for a weight of 0."""
        x, y, weights, terms = a[:, 0], b[:, 0], self.weights, {}
        G, F, E = self.generator_ab, self.generator_ba, self.style_reader
        if moment.step == 1:
            self._remember(y[0])
        style = E(y)
        worn, bare = G(x, style), F(y)
        if weights.adversarial:
            # section 3.1: (D_B(G(x, y)) - 1)² and (D_A(F(y)) - 1)², by default
            on, off = self.discriminator_b(worn), self.discriminator_a(bare)
            terms["adversarial_ab"] = weights.adversarial * self.adversarial.generator(on)
            terms["adversarial_ba"] = weights.adversarial * self.adversarial.generator(off)
        if weights.style:
            # section 3.1, style: y and G(x, y) are taken for two moments of one clip
            scores = self.discriminator_style(torch.cat([y, worn], 1))
            terms["style_b"] = weights.style * self.adversarial.generator(scores)
        if weights.cycle:
            # section 3.1, identity: ‖F(G(x, y)) - x‖₁; style: ‖G(F(y), G(x, y)) - y‖₁
            terms["cycle_a"] = weights.cycle * losses.l1(F(worn), x)
            terms["cycle_b"] = weights.cycle * losses.l1(G(bare, E(worn)), y)
        fakes = {"a": bare, "b": worn, "style": torch.cat([y, worn], 1)}
        return {name: fake.detach() for name, fake in fakes.items()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Losses discriminator_a, discriminator_b, discriminator_style; none without its term."""
        y, other = b[:, 0], b[:, -1] if b.shape[1] > 1 else b[:, 0].flip(-1)
        real = {"a": a[:, 0], "b": y, "style": torch.cat([y, other], 1)}
        result = {}
        for name, weight in (
            ("a", self.weights.adversarial),
            ("b", self.weights.adversarial),
            ("style", self.weights.style),
        ):
            if weight:
                shown = {"real": real[name], "fake": self.pools[name].query(fakes[name])}
                scores = self.through(self.discriminators[f"discriminator_{name}"], shown)
                result[f"discriminator_{name}"] = self.adversarial.real(scores["real"]) + self.adversarial.fake(
                    scores["fake"]
                )
        return result

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Of A: source, reference, translated by it, and reconstructed; of B: source, bare, and put on again."""
        x, y = a[:, 0], b[: len(a), 0]
        y = y if len(y) == len(x) else y[torch.arange(len(x)) % len(y)]
        with inference(self):
            worn = self.generator_ab(x, self.style_reader(y))
            result = {"a_source": x, "a_translated": self.translate(x, "a_to_b")}
            result |= {"a_reconstructed": self.back(result["a_translated"], x, "a_to_b")}
            result |= {"a_reference": y, "a_as reference": worn}
            bare = self.generator_ba(b[:, 0])
            return result | {
                "b_source": b[:, 0],
                "b_translated": bare,
                "b_reconstructed": self.back(bare, b[:, 0], "b_to_a"),
            }

    def _remember(self, picture: Tensor) -> None:
        """The reference of whoever gives none, at the full size."""
        with torch.no_grad():
            full = nn.functional.interpolate(picture[None].to(self.usual), self.usual.shape[1:], mode="bilinear")
            self.usual.copy_(cast(Tensor, full)[0])
