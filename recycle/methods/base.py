"""The one shape that every method has: all that the trainer and the renderer know of a method."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods.history import HistoryPool
from recycle.methods.losses import ADVERSARIAL
from recycle.networks.features import ContentLayer
from recycle.networks.layers import InstanceNorm
from recycle.networks.networks import ResidualBlock, smallest_side
from recycle.networks.tiling import SMALLEST_PX

LETTERS = ascii_lowercase
"""Of domains, in the order in which they are named."""
Direction = str
"""From one domain to another, by their letters: "a_to_b"."""


@dataclass(frozen=True)
class Moment:
    """When in training a step is made: what a term that begins late or grows in depends on."""

    step: int
    """The step's number, counted from 1; a run that goes on counts on."""
    progress: float
    """Part of the length, in steps or in minutes, that is done before the step: in [0, 1)."""


class Method(nn.Module, ABC):
    """Networks of one published method and the losses that train them.

    Windows `a` and `b` are float32 (B, T, 3, H, W) in [-1, 1] of domains A and B, T at least `window`; a method of more
    domains is given those of all of them in turn. Losses are
    dicts of scalar tensors, already weighted: their sum is what to minimise, their names are the same in every step.
    An optimisation step: generator_losses, backward, step of the generators' optimiser; then discriminator_losses
    with the fakes of the first call, backward, step of the discriminators' optimiser. The learner freezes the
    discriminators in the first half, so a method need not. A half whose losses ask for no gradient is left out of the
    step. The discriminators share no loss, so one Adam over all of them does what one Adam
    for each does.
    """

    content_layer: ClassVar[ContentLayer] = "conv4_4"
    """Layer whose features `content` is to give."""

    paired: ClassVar[bool] = False
    """Whether window number k of A has to show what window number k of B shows."""

    companions: ClassVar[bool] = False
    """Whether windows of B come with a second one behind them, of another moment of the same clip."""

    asks: ClassVar[frozenset[str]] = frozenset()
    """What translations can be told beside their frames: "sample", the number of a drawn code, "reference", a picture.
    """

    def __init__(self, config: MethodConfig) -> None:
        super().__init__()
        self.window = 1
        """Consecutive frames a training window needs."""
        self.smallest_px = max(SMALLEST_PX, smallest_side(config.networks))
        """Least side of a picture to translate: what the generators take, and no less than they are ever trained at."""
        self.grow = config.networks.grow
        """Side in pixels that training begins at; None for the full size throughout."""
        self.weights = config.weights
        self.adversarial = ADVERSARIAL[config.adversarial_loss]
        self.content: Callable[[Tensor], Tensor] | None = None
        """Features (N, C, h, w) of pictures for the content term; to be given before training where it has a weight.
        No part of the method's own weights."""
        self.guard: Callable[[Tensor], Tensor] | None = None
        """Logits (N, classes, H, W) of what each pixel of A shows, for the semantic term; to be given and kept like
        `content`."""
        self.pools: dict[str, HistoryPool] = {}
        self._apart = config.networks.norm == "batch"

    def through(self, network: nn.Module, pictures: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each kind of picture (B, C, H, W) through `network`, under its name.

        In one forward, which gives the same numbers as one for each in fewer kernels; but under BatchNorm the pictures
        of a forward share statistics, so there each kind has its own.
        """
        if self._apart:
            return {name: network(kind) for name, kind in pictures.items()}
        made = network(torch.cat(list(pictures.values()))).split([len(kind) for kind in pictures.values()])
        return dict(zip(pictures, made, strict=True))

    @property
    @abstractmethod
    def generators(self) -> dict[str, nn.Module]:
        """By attribute name: the networks that rendering needs and a running mean is kept of."""

    @property
    @abstractmethod
    def discriminators(self) -> dict[str, nn.Module]:
        """By attribute name: the networks of the second half of a step."""

    @abstractmethod
    def generator_losses(self, *windows: Any, **moment: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Of (a, b, moment): fakes, detached, for `discriminator_losses`, and losses; none for a weight of 0."""

    @abstractmethod
    def discriminator_losses(self, *windows: Any, **fakes: Any) -> dict[str, Tensor]:
        """Of (a, b, fakes, moment): losses of the discriminators; none where no generator is trained against them. Asks
        the history pools, so call it once a step."""

    @abstractmethod
    def samples(self, *windows: Any) -> dict[str, Tensor]:
        """Of (a, b): pictures (B, 3, H, W) to look at, by `<domain>_<what>`, in the order to show them. No gradient."""

    @property
    def ways(self) -> list[Direction]:
        """Directions that it translates in; of those out of one domain the first is the one that is judged."""
        return [f"{name[-2]}_to_{name[-1]}" for name in self.generators]

    def hold(self, *, sample: int | None = None, reference: Tensor | None = None) -> None:
        """What translations are told from here on, of what the method `asks` for; None for what it takes itself.

        sample: the number of a code. reference: a picture (3, H, W) in [-1, 1].
        """

    def translator(self, direction: Direction) -> nn.Module:
        """What translates in a direction, told what is held: (N, 3, H, W) to (N, 3, H, W), H and W multiples of 4 from
        `smallest_px` up.

        Raises ValueError for a direction that the method does not have.
        """
        if direction not in self.ways:
            raise ValueError(f"direction {direction}: {type(self).__name__} has {', '.join(self.ways)}")
        return self.generators[f"generator_{direction[0]}{direction[-1]}"]

    def translate(self, frames: Tensor, direction: Direction) -> Tensor:
        """(N, 3, H, W) to (N, 3, H, W) of the other domain, as `translator` says. No gradient. Raises ValueError."""
        with inference(self):
            return self.translator(direction)(frames)

    def back(self, translated: Tensor, source: Tensor, direction: Direction) -> Tensor:
        """Translations (N, 3, H, W) of `source` in a direction, translated back: what a cycle term compares with it."""
        return self.translate(translated, f"{direction[-1]}_to_{direction[0]}")

    def generator_parameters(self) -> list[nn.Parameter]:
        """All that the first half of a step trains: generators and predictors."""
        judges = {id(parameter) for parameter in self.discriminator_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in judges]

    def discriminator_parameters(self) -> list[nn.Parameter]:
        """All that the second half of a step trains."""
        return [parameter for network in self.discriminators.values() for parameter in network.parameters()]

    def lay_out_by_pixels(self) -> None:
        """Keeps weights, and so maps, with the channels of a pixel side by side: what oneDNN computes in, which else
        turns every map into that and back. The same numbers to rounding."""
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as documented
        for module in self.modules():
            if isinstance(module, InstanceNorm):
                module.channels_last = True

    def recompute_blocks(self, wanted: bool) -> None:
        """Whether residual blocks are computed anew in the backward pass instead of kept in memory for it."""
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                module.recompute = wanted

    def seed_pools(self, seed: int) -> None:
        """Gives each pool its own generator, drawn from `seed`. Processes that train together pass different ones."""
        for number, name in enumerate(sorted(self.pools)):
            self.pools[name].seed(seed * len(self.pools) + number)

    def pool_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Pictures in the pools by name (empty pools left out), and their random states, for JSON, by name."""
        states = {name: pool.state() for name, pool in self.pools.items()}
        tensors = {name: pictures for name, (pictures, _) in states.items() if pictures is not None}
        return tensors, {name: random_state for name, (_, random_state) in states.items()}

    def load_pool_state(self, pictures: dict[str, Tensor], random_states: dict[str, Any]) -> None:
        """Puts back what `pool_state` gave."""
        for name, pool in self.pools.items():
            pool.load_state(pictures.get(name), random_states[name])


@contextmanager
def inference(method: nn.Module) -> Iterator[None]:
    """No gradient and evaluation mode inside; the mode is put back."""
    training = method.training
    method.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        method.train(training)
