"""Augmented CycleGAN: Almahairi, Rajeswar, Sordoni, Bachman, Courville, Learning Many-to-Many Mappings from Unpaired
Data, ICML 2018.

Seen from domain X to domain Y: G_Y translates x by a code z of Y, which says what x leaves open; G_X translates back by
a code of X, which E_X reads from x and its translation, so that what the translation leaves out is not lost; E_Y reads
z again. D_Y judges Y, D_Z codes of X against drawn ones. Each term is computed once with (X, Y) = (A, B) and once with
(B, A). Section numbers are the paper's.

What differs: where a code enters a generator it scales and shifts after every norm; encoders and judges of codes are
smaller; the weights are ours, for the paper gives none.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Direction, Method, Moment, inference
from recycle.methods.history import HistoryPool
from recycle.networks.coded import CodedGenerator, CodeDiscriminator, CodeReader, Fixed
from recycle.networks.networks import PICTURE_CHANNELS, build_discriminator

SHOWN = 3
"""Answers to each picture in a sample sheet."""


@dataclass(frozen=True)
class _Way:
    """Networks seen from X to Y."""

    X: str
    Y: str
    G_Y: nn.Module
    G_X: nn.Module
    E_X: nn.Module
    E_Y: nn.Module
    D_Y: nn.Module
    D_Z: nn.Module


class Augmented(Method):
    """Single frames: of longer windows the first frame is used."""

    asks: ClassVar[frozenset[str]] = frozenset({"sample"})

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self._length = int(config.own["codes"])
        networks = config.networks
        for X, Y in ("ab", "ba"):
            setattr(self, f"generator_{X}{Y}", CodedGenerator(networks, self._length))
            setattr(self, f"encoder_{X}", CodeReader(networks, self._length, 2 * PICTURE_CHANNELS))
            setattr(self, f"discriminator_{X}", build_discriminator(networks))
            setattr(self, f"code_discriminator_{X}", CodeDiscriminator(self._length))
        self.pools = {domain: HistoryPool(config.pool_size) for domain in "ab"}
        self.seed_pools(0)
        self._sample: int | None = None

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {name: getattr(self, name) for name in ("generator_ab", "generator_ba", "encoder_a", "encoder_b")}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        names = [f"{kind}_{domain}" for kind in ("discriminator", "code_discriminator") for domain in "ab"]
        return {name: getattr(self, name) for name in names}

    @property
    def ways(self) -> list[Direction]:
        return ["a_to_b", "b_to_a"]

    def hold(self, *, sample: int | None = None, reference: Tensor | None = None) -> None:
        """sample: of the codes drawn from the prior, which; None for its mean."""
        self._sample = sample

    def translator(self, direction: Direction) -> nn.Module:
        if direction not in self.ways:
            raise ValueError(f"direction {direction}: {type(self).__name__} has {', '.join(self.ways)}")
        code = torch.zeros(self._length)
        if self._sample is not None:
            code = torch.randn(self._length, generator=torch.Generator().manual_seed(self._sample))
        return Fixed(getattr(self, f"generator_{direction[0]}{direction[-1]}"), code)

    def back(self, translated: Tensor, source: Tensor, direction: Direction) -> Tensor:
        """By the code that the encoder reads, as the cycle term goes."""
        way = self._way(direction[0], direction[-1])
        with inference(self):
            return way.G_X(translated, way.E_X(torch.cat([source, translated], 1)))

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_<way>, cycle_<X>, code_<Y>, prior_<X>; none for a weight of 0."""
        fakes, terms = dict[str, Tensor](), dict[str, Tensor]()
        for way, windows in ((self._way("a", "b"), a), (self._way("b", "a"), b)):
            made, of_way = self._way_losses(way, windows[:, 0])
            fakes |= made
            terms |= of_way
        return fakes, terms

    def _way_losses(self, way: _Way, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        weights, terms = self.weights, {}
        z = self._draw(x)
        fake = way.G_Y(x, z)
        both = torch.cat([x, fake], 1)
        read = way.E_X(both)
        if weights.adversarial:
            # section 3.1: (D_Y(G_Y(x, z)) - 1)², by default
            scores = way.D_Y(fake)
            terms[f"adversarial_{way.X}{way.Y}"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.prior:
            # section 3.1: E_X(x, G_Y(x, z)) is taken for a drawn code
            terms[f"prior_{way.X}"] = weights.prior * self.adversarial.generator(way.D_Z(read))
        if weights.cycle:
            # section 3.2: ‖G_X(G_Y(x, z), E_X(x, G_Y(x, z))) - x‖₁
            terms[f"cycle_{way.X}"] = weights.cycle * losses.l1(way.G_X(fake, read), x)
        if weights.code:
            # section 3.2: ‖E_Y(x, G_Y(x, z)) - z‖₁
            terms[f"code_{way.Y}"] = weights.code * losses.l1(way.E_Y(torch.cat([fake, x], 1)), z)
        return {way.Y: fake.detach(), f"code_{way.X}": read.detach()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Losses discriminator_<domain>, code_discriminator_<domain>."""
        judged, result = self.adversarial, {}
        for domain, windows in (("b", b), ("a", a)):
            if self.weights.adversarial:
                shown = {"real": windows[:, 0], "fake": self.pools[domain].query(fakes[domain])}
                scores = self.through(self.discriminators[f"discriminator_{domain}"], shown)
                result[f"discriminator_{domain}"] = judged.real(scores["real"]) + judged.fake(scores["fake"])
            if self.weights.prior:
                read = fakes[f"code_{domain}"]
                D_Z = self.discriminators[f"code_discriminator_{domain}"]
                drawn = D_Z(self._draw(read))
                result[f"code_discriminator_{domain}"] = judged.real(drawn) + judged.fake(D_Z(read))
        return result

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Of A and then of B: source, translated by the mean code, reconstructed, and by some drawn codes."""
        result, held = {}, self._sample
        for domain, other, windows in (("a", "b", a), ("b", "a", b)):
            source, direction = windows[:, 0], f"{domain}_to_{other}"
            self.hold(sample=None)
            translated = self.translate(source, direction)
            result[f"{domain}_source"], result[f"{domain}_translated"] = source, translated
            result[f"{domain}_reconstructed"] = self.back(translated, source, direction)
            for number in range(SHOWN):
                self.hold(sample=number)
                result[f"{domain}_sample {number}"] = self.translate(source, direction)
        self.hold(sample=held)
        return result

    def _draw(self, like: Tensor) -> Tensor:
        """Codes (B, length) of the prior for pictures or codes (B, ...), by the global generator of their device."""
        return torch.randn(len(like), self._length, device=like.device).to(like.dtype)

    def _way(self, X: str, Y: str) -> _Way:
        networks = (f"generator_{X}{Y}", f"generator_{Y}{X}", f"encoder_{X}", f"encoder_{Y}")
        judges = (f"discriminator_{Y}", f"code_discriminator_{X}")
        return _Way(X, Y, *(getattr(self, name) for name in (*networks, *judges)))
