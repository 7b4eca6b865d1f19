"""ComboGAN: Anoosheh, Agustsson, Timofte, Van Gool, ComboGAN: Unrestrained Scalability for Image Domain Translation,
CVPR Workshops 2018.

A domain has an encoder E, a decoder R and a discriminator D; X to Y is R_Y(E_X(x)). A step takes two domains and does
with them what CycleGAN does (Zhu et al., ICCV 2017): weights grow with the number of domains, not with that of pairs.
A domain that is added to a trained run translates to and from domains whose networks stay as they are.

What differs: which two domains a step takes follows from its number, alike on all processes; of those that are kept the
discriminators, too, stay as they are.
"""

from typing import Any

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Direction
from recycle.methods.history import HistoryPool
from recycle.methods.relatives.manyway import ManyWayMethod, firsts
from recycle.networks.networks import ResidualBlock, build_discriminator, build_generator


class ComboGAN(ManyWayMethod):
    """Single frames: of longer windows the first frame is used."""

    def __init__(self, config: MethodConfig, domains: int = 2, kept: int = 0) -> None:
        super().__init__(config, domains, kept)
        for domain in self.domains:
            encoder, decoder = _halves(build_generator(config.networks))
            setattr(self, f"encoder_{domain}", encoder)
            setattr(self, f"decoder_{domain}", decoder)
            setattr(self, f"discriminator_{domain}", build_discriminator(config.networks))
        for name, network in self.named_children():
            network.requires_grad_(name[-1] not in self.kept)
        self.pools = {domain: HistoryPool(config.pool_size) for domain in self.domains}
        self.seed_pools(0)

    @property
    def generators(self) -> dict[str, nn.Module]:
        names = [f"{half}_{domain}" for domain in self.domains for half in ("encoder", "decoder")]
        return {name: getattr(self, name) for name in names}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {f"discriminator_{domain}": getattr(self, f"discriminator_{domain}") for domain in self.domains}

    def generator_parameters(self) -> list[nn.Parameter]:
        return self._trained(self.generators)

    def discriminator_parameters(self) -> list[nn.Parameter]:
        return self._trained(self.discriminators)

    def _trained(self, networks: dict[str, nn.Module]) -> list[nn.Parameter]:
        return [p for name, network in networks.items() if name[-1] not in self.kept for p in network.parameters()]

    def translator(self, direction: Direction) -> nn.Module:
        if direction not in self.ways:
            raise ValueError(f"direction {direction}: of {len(self.domains)} domains there are {', '.join(self.ways)}")
        return nn.Sequential(getattr(self, f"encoder_{direction[0]}"), getattr(self, f"decoder_{direction[-1]}"))

    def generator_losses(self, *given: Any, **_: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial, cycle and identity, _there (of the first of the step's domains) and _back; none for a
        weight of 0. Fakes of the step's two domains."""
        *windows, moment = given
        pictures = firsts(windows)
        fakes, terms = dict[str, Tensor](), dict[str, Tensor]()
        X, Y = self.pair(moment.step)
        for name, here, there in (("there", X, Y), ("back", Y, X)):
            x, y = (pictures[self.domains.index(domain)] for domain in (here, there))
            fakes[there], of_way = self._way_losses(name, here, there, x, y)
            terms |= of_way
        return fakes, terms

    def _way_losses(self, name: str, X: str, Y: str, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        weights, terms = self.weights, dict[str, Tensor]()
        G_Y, G_X = self.translator(f"{X}_to_{Y}"), self.translator(f"{Y}_to_{X}")
        fake = G_Y(x)
        if weights.adversarial:
            # (D_Y(R_Y(E_X(x))) - 1)², by default
            scores = self.discriminators[f"discriminator_{Y}"](fake)
            terms[f"adversarial_{name}"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.cycle:
            # ‖R_X(E_Y(R_Y(E_X(x)))) - x‖₁
            terms[f"cycle_{name}"] = weights.cycle * losses.l1(G_X(fake), x)
        if weights.identity:
            # ‖R_Y(E_Y(y)) - y‖₁
            same = getattr(self, f"decoder_{Y}")(getattr(self, f"encoder_{Y}")(y))
            terms[f"identity_{name}"] = weights.identity * losses.l1(same, y)
        return fake.detach(), terms

    def discriminator_losses(self, *given: Any, **_: Any) -> dict[str, Tensor]:
        """Losses discriminator_there, discriminator_back; a 0 that asks for no gradient of a domain that is kept."""
        *windows, fakes, moment = given
        pictures = firsts(windows)
        result: dict[str, Tensor] = {}
        if not self.weights.adversarial:
            return result
        X, Y = self.pair(moment.step)
        for name, domain in (("there", Y), ("back", X)):
            if domain in self.kept:
                result[f"discriminator_{name}"] = torch.zeros((), device=pictures[0].device)
                continue
            shown = {"real": pictures[self.domains.index(domain)], "fake": self.pools[domain].query(fakes[domain])}
            scores = self.through(self.discriminators[f"discriminator_{domain}"], shown)
            real, fake = self.adversarial.real(scores["real"]), self.adversarial.fake(scores["fake"])
            result[f"discriminator_{name}"] = real + fake
        return result

    def pair(self, step: int) -> tuple[str, str]:
        """The domains of a step: two drawn by its number, of which one at least is trained."""
        draws = torch.Generator().manual_seed(step)
        order = [self.domains[place] for place in torch.randperm(len(self.domains), generator=draws)]
        new = [domain for domain in order if domain not in self.kept]
        return new[0], next(domain for domain in order if domain != new[0])


def _halves(generator: nn.Module) -> tuple[nn.Sequential, nn.Sequential]:
    """A ResNet generator cut in the middle of its residual blocks."""
    layers = list(generator.model.children())  # type: ignore[union-attr]
    blocks = [place for place, layer in enumerate(layers) if isinstance(layer, ResidualBlock)]
    middle = blocks[len(blocks) // 2] if blocks else len(layers) // 2
    return nn.Sequential(*layers[:middle]), nn.Sequential(*layers[middle:])
