"""Settings of networks, losses and training as frozen dataclasses.

Imports nothing heavy, so that a command line built from these answers `--help` at once. A field's docstring is its
help.
"""

from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any, Literal, TypeVar, get_type_hints

_Config = TypeVar("_Config")


MethodName = Literal["recyclegan", "cyclegan"]
PresetName = Literal["paper", "small", "tiny"]


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the networks. The defaults are those of the Recycle-GAN authors' scripts."""

    size: int = 256
    """Side of the square training pictures in pixels: a multiple of 4 from 32 up."""
    generator_blocks: int = 6
    """Residual blocks in each generator."""
    generator_filters: int = 64
    """Filters of the generators' first convolution."""
    upsampling: Literal["transposed", "nearest"] = "transposed"
    """How generators grow: transposed convolution, as published, or nearest and a convolution (no checkerboard)."""
    predictor_filters: int = 64
    """Filters of the predictors' first convolution. Their depth follows the size."""
    discriminator_filters: int = 64
    """Filters of the discriminators' first convolution."""
    discriminator_layers: int = 3
    """Strided convolutions in each PatchGAN discriminator: 3 judge 70x70 patches."""


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term. A term a method does not have cannot be set for it; 0 switches a term off."""

    adversarial: float = 1.0
    """Least-squares adversarial loss of each translated and each predicted-then-translated frame."""
    recurrent: float = 0.0
    """L1 between the predicted third frame and the real one."""
    recycle: float = 0.0
    """L1 between the third frame and its way through the other domain's predictor and back."""
    predictor_adversarial: float = 0.0
    """Least-squares adversarial loss of each predictor's own output."""
    cycle: float = 0.0
    """L1 between a frame and its translation there and back."""
    identity: float = 0.0
    """L1 between a frame and its translation by the generator that should leave it alone."""


@dataclass(frozen=True)
class MethodConfig:
    """All that a method needs to be built."""

    networks: NetworkConfig = NetworkConfig()
    weights: LossWeights = LossWeights()
    pool_size: int = 0
    """Past fakes kept a domain for the discriminators (Shrivastava et al. 2017); 0 shows only fresh ones."""


@dataclass(frozen=True)
class TrainingConfig:
    """The loop. Rates, betas and batch are the authors'."""

    steps: int | None = None
    """Length in optimisation steps."""
    minutes: float | None = None
    """Length in minutes of training instead of steps. Time before an interruption counts."""
    batch_size: int = 1
    """Windows of each domain in a step, on each process."""
    learning_rate: float = 2e-4
    """Adam's rate in the first part of the schedule."""
    beta1: float = 0.5
    """Adam's first beta."""
    beta2: float = 0.999
    """Adam's second beta."""
    constant_part: float = 0.5
    """Part of the length trained at the full rate; then the rate falls linearly and never reaches 0."""
    ema_decay: float = 0.999
    """Decay of the running mean of the generators' weights, which rendering uses; 0 keeps no mean."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic: auto is bfloat16 autocast where the hardware computes in it, else float32."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Hardware to train on."""
    devices: int | None = None
    """Processes on this machine, one a device; by default all GPUs, or one process on a CPU."""
    nodes: int = 1
    """Machines, when started by torchrun or SLURM."""
    seed: int = 0
    """Seed of weights, order of windows, crops and pool."""
    save_every: int = 500
    """Steps between checkpoints."""
    sample_every: int = 500
    """Steps between sample sheets."""
    log_every: int = 20
    """Steps between rows of metrics.csv."""
    keep: int = 3
    """Newest checkpoints kept."""


@dataclass(frozen=True)
class Published:
    """What a method's authors trained with, where methods differ."""

    weights: LossWeights
    pool_size: int
    generator_blocks: int


PUBLISHED: dict[MethodName, Published] = {
    # the scripts of Bansal et al. 2018: no cycle, no identity, no pool, 6 blocks
    "recyclegan": Published(LossWeights(recurrent=10.0, recycle=10.0), pool_size=0, generator_blocks=6),
    # the defaults of Zhu et al. 2017: identity 0.5 of the cycle weight, pool 50, 9 blocks at 256 px
    "cyclegan": Published(LossWeights(cycle=10.0, identity=5.0), pool_size=50, generator_blocks=9),
}

METHOD_TERMS: dict[MethodName, frozenset[str]] = {
    "recyclegan": frozenset({"adversarial", "recurrent", "recycle", "predictor_adversarial", "cycle", "identity"}),
    "cyclegan": frozenset({"adversarial", "cycle", "identity"}),
}
"""Terms that each method has."""


PRESETS: dict[PresetName, tuple[NetworkConfig, TrainingConfig]] = {
    "paper": (NetworkConfig(), TrainingConfig(steps=100_000)),
    "small": (
        NetworkConfig(size=128, generator_filters=32, predictor_filters=32, discriminator_filters=32),
        TrainingConfig(steps=50_000),
    ),
    "tiny": (
        NetworkConfig(
            size=64,
            generator_blocks=3,
            generator_filters=16,
            predictor_filters=8,
            discriminator_filters=32,
        ),
        TrainingConfig(steps=5_000, learning_rate=4e-4, ema_decay=0.998),
    ),
}
"""paper: 256 px as published. small: 128 px. tiny: 64 px, a CPU in minutes."""


def defaults(method: MethodName, preset: PresetName) -> tuple[MethodConfig, TrainingConfig]:
    """The settings that a method and a preset name stand for."""
    published = PUBLISHED[method]
    networks, training = PRESETS[preset]
    if preset == "paper":
        networks = replace(networks, generator_blocks=published.generator_blocks)
    return MethodConfig(networks, published.weights, published.pool_size), training


def problems(method: MethodName, config: MethodConfig, training: TrainingConfig) -> list[str]:
    """Everything wrong with a configuration, each as a line that quotes the flag; empty when all is well."""
    found = []
    networks, weights = config.networks, config.weights
    if networks.size < 32 or networks.size % 4:
        found.append(f"--size {networks.size}: has to be a multiple of 4 from 32 up")
    for name in ("generator_filters", "predictor_filters", "discriminator_filters", "discriminator_layers"):
        if getattr(networks, name) < 1:
            found.append(f"--{name.replace('_', '-')} {getattr(networks, name)}: has to be at least 1")
    if networks.discriminator_layers > 0 and networks.size >> networks.discriminator_layers < 3:
        found.append(f"--discriminator-layers {networks.discriminator_layers}: too many for --size {networks.size}")
    if networks.generator_blocks < 0:
        found.append(f"--generator-blocks {networks.generator_blocks}: has to be at least 0")
    for term, weight in vars(weights).items():
        flag = f"--{term.replace('_', '-')} {weight:g}"
        if not 0 <= weight < float("inf"):
            found.append(f"{flag}: has to be 0 or more")
        elif weight and term not in METHOD_TERMS[method]:
            found.append(f"{flag}: {method} has no such term")
    if not any(vars(weights).values()):
        found.append("every loss weight is 0: nothing to train")
    if config.pool_size < 0:
        found.append(f"--pool-size {config.pool_size}: has to be 0 or more")
    if training.steps is not None and training.minutes is not None:
        found.append("--steps and --minutes: give one of them")
    for name in ("steps", "minutes", "learning_rate", "save_every", "sample_every", "log_every", "batch_size", "keep"):
        value = getattr(training, name)
        if value is not None and not 0 < value < float("inf"):
            found.append(f"--{name.replace('_', '-')} {value}: has to be more than 0")
    for name in ("beta1", "beta2", "ema_decay"):
        if not 0 <= getattr(training, name) < 1:
            found.append(f"--{name.replace('_', '-')} {getattr(training, name):g}: has to be from 0 up to below 1")
    if not 0 <= training.constant_part <= 1:
        found.append(f"--constant-part {training.constant_part:g}: has to be from 0 to 1")
    if training.nodes < 1 or (training.devices is not None and training.devices < 1):
        found.append("--nodes and --devices: have to be at least 1")
    return found


def to_json(config: Any) -> dict[str, Any]:
    """One of the dataclasses of this file as JSON can hold it."""
    return asdict(config)


def from_json(kind: type[_Config], values: dict[str, Any]) -> _Config:
    """What `to_json` gave, as a `kind`; fields that are left out have their defaults.

    Raises ValueError for a field that `kind` does not have.
    """
    fields = get_type_hints(kind)
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {', '.join(unknown)}")
    return kind(
        **{
            name: from_json(fields[name], value) if is_dataclass(fields[name]) else value
            for name, value in values.items()
        }
    )
