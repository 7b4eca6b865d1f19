"""What the table says of a method: all that a command line needs to know before anything heavy is imported."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from recycle.config import PRESETS, AdversarialLoss, LossWeights, MethodConfig, PresetName, TrainingConfig

if TYPE_CHECKING:
    from recycle.methods.base import Method

Ways = Literal["one-way", "two-way", "told", "many"]

SHARED_TERMS: dict[Ways, frozenset[str]] = {
    "one-way": frozenset({"adversarial"}),
    "two-way": frozenset({"adversarial", "cycle", "identity", "mirror", "flow", "semantic"}),
    "told": frozenset({"adversarial", "cycle"}),
    "many": frozenset({"adversarial", "cycle"}),
}
"""Terms that every method of its kind has. A term that all of them learn is added here, once."""


@dataclass(frozen=True, kw_only=True)
class MethodRow:
    """A method: what it is called, where it is, and what its authors trained with. Calling it builds the method."""

    name: str
    """As `--method` takes it."""
    path: str
    """Where its class is, `module:Class`, a subclass of `Method`: imported only when the method is built."""
    title: str
    """Its name and its paper."""
    line: str
    """What it does, in one line."""
    ways: Ways = "two-way"
    """Whether it translates from A to B alone, both ways, both ways by what it is told beside its frames (a code, a
    reference), or among any number of domains."""
    terms: frozenset[str] = frozenset()
    """Fields of `LossWeights` that it has beside those of its kind (`SHARED_TERMS`)."""
    weights: LossWeights
    """Published weights of the terms."""
    options: frozenset[str] = frozenset()
    """Fields of `MethodConfig` and `NetworkConfig` that not every method honours, and this one does."""
    own: Mapping[str, float] = field(default_factory=dict)
    """Numbers of its own with their defaults, given to it as `config.own`; each has a flag of its name."""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Least and most of those numbers, where not every number will do."""
    adds: bool = False
    """Whether a domain can be added to a trained run without training the others again."""
    unets: bool = True
    """Whether its generators may be U-Nets."""
    ignores: frozenset[str] = frozenset()
    """Fields of `NetworkConfig` that its networks cannot honour."""
    init: Literal["normal", "xavier"] = "normal"
    generator: str = "resnet_9blocks"
    pool_size: int = 0
    adversarial_loss: AdversarialLoss = "lsgan"
    norm: Literal["instance", "batch"] = "instance"
    dropout: bool = False
    skips: bool = False
    tuned: Mapping[PresetName, Mapping[str, int | float]] = field(default_factory=dict)
    """Fields of `NetworkConfig` and `TrainingConfig` that were found to be better than a preset's own."""
    adversarial_end: float = 1.0
    instance_noise: float = 0.0
    initial_part: float = 0.0
    """Part of a preset's steps that `initial_steps` is."""

    @property
    def all_terms(self) -> frozenset[str]:
        """Every term that it has."""
        return SHARED_TERMS[self.ways] | self.terms

    def load(self) -> type["Method"]:
        """Its class. Raises ImportError, AttributeError."""
        module, _, name = self.path.partition(":")
        return getattr(importlib.import_module(module), name)

    def __call__(self, config: MethodConfig, domains: int = 2, kept: int = 0) -> "Method":
        """The method with fresh weights.

        domains: how many it translates among. kept: so many of them, the first, are never trained: one that is added to
        a run translates to and from those. Raises ValueError where the method has two domains, or adds none.
        """
        if self.ways == "many":
            return self.load()(config, domains, kept)  # type: ignore[call-arg]
        if domains != 2 or kept:
            raise ValueError(f"{self.name} translates between two domains, not {domains}")
        return self.load()(config)

    def defaults(self, preset: PresetName) -> tuple[MethodConfig, TrainingConfig]:
        """The settings that the method and a preset stand for."""
        networks, training = PRESETS[preset]
        networks = replace(networks, norm=self.norm, dropout=self.dropout, skips=self.skips, init=self.init)
        if preset == "paper" or self.generator == "unet":
            networks = replace(networks, generator=self.generator)
        tuned: Mapping[str, Any] = self.tuned.get(preset, {})
        networks = replace(networks, **{name: tuned[name] for name in tuned if hasattr(networks, name)})
        training = replace(training, **{name: tuned[name] for name in tuned if hasattr(training, name)})
        assert training.steps is not None
        config = MethodConfig(
            networks,
            self.weights,
            adversarial_loss=self.adversarial_loss,
            adversarial_end=self.adversarial_end,
            instance_noise=self.instance_noise,
            initial_steps=round(self.initial_part * training.steps),
            pool_size=self.pool_size,
            own=dict(self.own),
        )
        return config, training
