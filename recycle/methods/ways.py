"""What methods that go one way have in common, and what those have that go both ways."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods.base import Method, Moment, inference
from recycle.methods.equivariance import Equivariance
from recycle.methods.history import HistoryPool
from recycle.networks.networks import PICTURE_CHANNELS, build_discriminator, build_generator


class OneWayMethod(Method):
    """A method with a generator from A to B and a discriminator of B."""

    def __init__(self, config: MethodConfig, judged_channels: int = PICTURE_CHANNELS) -> None:
        """judged_channels: of what the discriminator and the pool are shown."""
        super().__init__(config)
        self.generator_ab = build_generator(config.networks)
        self.discriminator_b = build_discriminator(config.networks, channels=judged_channels)
        self.pools = {"b": HistoryPool(config.pool_size)}
        self.seed_pools(0)

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {"generator_ab": self.generator_ab}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {"discriminator_b": self.discriminator_b}

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Source and translated."""
        with inference(self):
            return {"a_source": a[:, 0], "a_translated": self.generator_ab(a[:, 0])}


@dataclass(frozen=True)
class Way:
    """A two-way method seen from domain X to domain Y, under the names that the papers give the networks."""

    X: str
    Y: str
    """"a" and "b", or the other way round."""
    G_Y: nn.Module
    """Translates X to Y."""
    G_X: nn.Module
    """Translates Y to X."""
    D_Y: nn.Module
    """Judges Y."""

    @property
    def name(self) -> str:
        """ "ab" or "ba"."""
        return self.X + self.Y


class TwoWayMethod(Method):
    """A method with a generator each way and a discriminator for each domain.

    Its losses are those of `way_losses` with (X, Y) = (A, B) and then with (B, A).
    """

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.generator_ab = build_generator(config.networks)
        self.generator_ba = build_generator(config.networks)
        self.discriminator_a = build_discriminator(config.networks)
        self.discriminator_b = build_discriminator(config.networks)
        self.pools = {domain: HistoryPool(config.pool_size) for domain in "ab"}
        self.seed_pools(0)
        self._adversarial_end = config.adversarial_end
        self._instance_noise = config.instance_noise
        self._grow_in = config.grow_in

    @property
    def equivariance(self) -> Equivariance:
        """Terms mirror, flow and semantic, which every method of this kind has."""
        weights = self.weights
        return Equivariance(weights.mirror, weights.flow, self._grow_in, weights.semantic, self.guard)

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {"generator_ab": self.generator_ab, "generator_ba": self.generator_ba}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {"discriminator_a": self.discriminator_a, "discriminator_b": self.discriminator_b}

    @abstractmethod
    def way_losses(self, way: Way, x: Tensor, y: Tensor, moment: Moment) -> tuple[Tensor, dict[str, Tensor]]:
        """Fakes of Y, detached, and the losses of one direction, named <term>_<way> or <term>_<domain of the picture>.

        x, y: windows (B, T, 3, H, W) of X and of Y. Among the losses, of first frames, mirror_<X>, flow_<X> and
        semantic_<X>: what `equivariance.move` makes of them goes through G_Y in the forward of the other pictures.
        """

    def adversarial_losses(self, way: Way, fake_y: Tensor, moment: Moment) -> dict[str, Tensor]:
        """Loss adversarial_<way> of translated pictures (B, 3, H, W); none for a weight of 0."""
        if not self.weights.adversarial:
            return {}
        weight = self.weights.adversarial * (1 - (1 - self._adversarial_end) * moment.progress)
        # Zhu et al. 2017, eq. 1, by default with least squares as in section 4: (D_Y(G_Y(x)) - 1)²
        return {f"adversarial_{way.name}": weight * self.adversarial.generator(way.D_Y(self.noised(fake_y)))}

    def noised(self, pictures: Tensor) -> Tensor:
        """Pictures as the judges of whole ones see them: under fresh instance noise (Sønderby et al., ICLR 2017;
        Arjovsky and Bottou, ICLR 2017, section 3), drawn from the global generator of their device."""
        if not self._instance_noise:
            return pictures
        return pictures + self._instance_noise * torch.randn_like(pictures)

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses of both directions; none for a weight of 0."""
        there = Way("a", "b", self.generator_ab, self.generator_ba, self.discriminator_b)
        back = Way("b", "a", self.generator_ba, self.generator_ab, self.discriminator_a)
        fakes_b, losses_ab = self.way_losses(there, a, b, moment)
        fakes_a, losses_ba = self.way_losses(back, b, a, moment)
        return {"a": fakes_a, "b": fakes_b}, losses_ab | losses_ba

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Losses discriminator_b, discriminator_a on first frames; none without an adversarial term."""
        if not (self.weights.adversarial or self.weights.detail):
            return {}
        result: dict[str, Tensor] = {}
        for domain, windows in (("b", b), ("a", a)):
            result |= self.judge_losses(domain, windows[:, 0], self.pools[domain].query(fakes[domain]))
        return result

    def judge_losses(self, domain: str, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """What the judges of a domain learn from pictures (B, 3, H, W) of it and fakes of it."""
        judge = self.discriminators[f"discriminator_{domain}"]
        return {f"discriminator_{domain}": self.judged(judge, self.noised(real), self.noised(fake))}

    def judged(self, D_Y: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """The loss of one judge: Zhu et al. 2017, eq. 1, by default least squares, halved as in section 7.1."""
        scores = self.through(D_Y, {"real": real, "fake": fake})
        # 1/2 [(D_Y(y) - 1)² + D_Y(G_Y(x))²]
        return self.adversarial.real(scores["real"]) + self.adversarial.fake(scores["fake"])

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Source, translated and reconstructed, of A and then of B."""
        result = {}
        with inference(self):
            for domain, windows, there, back in (
                ("a", a, self.generator_ab, self.generator_ba),
                ("b", b, self.generator_ba, self.generator_ab),
            ):
                source = windows[:, 0]
                translated = there(source)
                result[f"{domain}_source"] = source
                result[f"{domain}_translated"] = translated
                result[f"{domain}_reconstructed"] = back(translated)
        return result
