"""StarGAN: Choi, Choi, Kim, Ha, Kim, Choo, StarGAN: Unified Generative Adversarial Networks for Multi-Domain
Image-to-Image Translation, CVPR 2018.

One generator G for all domains, told the target's label c; one discriminator, which scores (D) and names the domain
(C). A step takes as many pictures of every domain; their labels, shuffled, are the targets. Equation numbers are the
paper's.

What differs: the label scales and shifts after every norm of G, where the paper stacks it to the picture as even
channels; D names domains by the mean over places; G is the ResNet of the other methods.
"""

from typing import Any

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Direction
from recycle.methods.history import HistoryPool
from recycle.methods.relatives.manyway import ManyWayMethod, firsts
from recycle.networks.coded import CodedGenerator, Fixed, NamingDiscriminator


class StarGAN(ManyWayMethod):
    """Single frames: of longer windows the first frame is used.

    Generators are trained in every `critic_steps`th step, discriminators in each.
    """

    def __init__(self, config: MethodConfig, domains: int = 2, kept: int = 0) -> None:
        super().__init__(config, domains)
        if kept:
            raise ValueError("stargan has one generator for all domains: none can be added by itself")
        self.generator = CodedGenerator(config.networks, domains)
        self.discriminator = NamingDiscriminator(config.networks, domains)
        self._critic_steps = int(config.own["critic_steps"])
        self.pools = {"all": HistoryPool(config.pool_size)}
        self.seed_pools(0)

    @property
    def generators(self) -> dict[str, nn.Module]:
        return {"generator": self.generator}

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        return {"discriminator": self.discriminator}

    def translator(self, direction: Direction) -> nn.Module:
        if direction not in self.ways:
            raise ValueError(f"direction {direction}: of {len(self.domains)} domains there are {', '.join(self.ways)}")
        return Fixed(self.generator, self._labels(torch.tensor([self.domains.index(direction[-1])]))[0])

    def generator_losses(self, *given: Any, **_: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_all, classification_all, cycle_all; none for a weight of 0. In steps that train D alone
        each is a 0 that asks for no gradient."""
        *windows, moment = given
        pictures = firsts(windows)
        x, own = torch.cat(pictures), self._own(pictures)
        wanted = own[torch.randperm(len(own), device=own.device)]
        weights, names = self.weights, ("adversarial", "classification", "cycle")
        if moment.step % self._critic_steps:
            with torch.no_grad():
                fake = self.generator(x, self._labels(wanted).to(x))
            nothing = torch.zeros((), device=x.device)
            return {"all": fake}, {f"{name}_all": nothing for name in names if getattr(weights, name)}
        fake, terms = self.generator(x, self._labels(wanted).to(x)), {}
        scores, logits = self.discriminator(fake)
        if weights.adversarial:
            # eq. 8, the share of G: -D(G(x, c))
            terms["adversarial_all"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.classification:
            # eq. 3: -log C(c | G(x, c))
            terms["classification_all"] = weights.classification * _named(logits, wanted)
        if weights.cycle:
            # eq. 4: ‖G(G(x, c), c') - x‖₁, c' the domain that x is of
            back = self.generator(fake, self._labels(own).to(x))
            terms["cycle_all"] = weights.cycle * losses.l1(back, x)
        return {"all": fake.detach()}, terms

    def discriminator_losses(self, *given: Any, **_: Any) -> dict[str, Tensor]:
        """Losses discriminator_all, real_classification_all, gradient_penalty_all; none for a weight of 0."""
        *windows, fakes, _moment = given
        pictures = firsts(windows)
        x, own, weights, terms = torch.cat(pictures), self._own(pictures), self.weights, {}
        shown = self.pools["all"].query(fakes["all"])
        scores, logits = self.discriminator(torch.cat([x, shown]))
        if weights.adversarial:
            # eq. 8: -D(x) + D(G(x, c))
            real, fake = scores.split(len(x))
            terms["discriminator_all"] = self.adversarial.real(real) + self.adversarial.fake(fake)
        if weights.classification:
            # eq. 2: -log C(c' | x)
            terms["real_classification_all"] = weights.classification * _named(logits[: len(x)], own)
        if weights.gradient_penalty:
            # eq. 8: (‖∇ D(x̂)‖₂ - 1)², x̂ drawn evenly between a real picture and a fake
            terms["gradient_penalty_all"] = weights.gradient_penalty * self._penalty(x, shown)
        return terms

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        part = torch.rand(len(real), 1, 1, 1, device=real.device).to(real.dtype)
        # In float32: bfloat16 has too few digits for a slope of a slope.
        with torch.autocast(real.device.type, enabled=False):
            between = (part * real + (1 - part) * fake.to(real)).requires_grad_()
            scores, _ = self.discriminator(between)
            (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
            return (slope.flatten(1).norm(dim=1) - 1).square().mean()

    def _own(self, pictures: list[Tensor]) -> Tensor:
        """The number of each picture's domain."""
        device = pictures[0].device
        return torch.cat([torch.full((len(own),), number, device=device) for number, own in enumerate(pictures)])

    def _labels(self, numbers: Tensor) -> Tensor:
        return torch.eye(len(self.domains), device=numbers.device)[numbers]


def _named(logits: Tensor, wanted: Tensor) -> Tensor:
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return nn.functional.cross_entropy(precise, wanted)
