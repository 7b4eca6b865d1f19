"""Settings of networks, losses and training as frozen dataclasses.

Imports nothing heavy, so that a command line built from these answers `--help` at once. A field's docstring is its
help.
"""

import re
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Literal, TypeVar, get_type_hints

_Config = TypeVar("_Config")


AdversarialLoss = Literal["lsgan", "vanilla", "hinge", "wasserstein"]
PresetName = Literal["paper", "small", "tiny"]


@dataclass(frozen=True)
class NetworkConfig:
    """Kinds and sizes of the networks. The defaults are those of the Recycle-GAN authors' scripts."""

    size: int = 256
    """Side of the square training pictures in pixels: a multiple of 4 from 32 up."""
    grow: int | None = None
    """Side that training begins at, on pictures made smaller: doubled over the first half of the length until it is the
    full size. U-Nets are as deep as it allows. None: the full size throughout."""
    generator: str = "resnet_6blocks"
    """resnet_6blocks, resnet_9blocks (or any other number), or unet, as deep as the size allows."""
    generator_filters: int = 64
    """Filters of the generators' first convolution."""
    upsampling: Literal["transposed", "nearest"] = "transposed"
    """How ResNet generators grow: transposed convolution, as published, or nearest and a convolution (no
    checkerboard)."""
    skips: bool = False
    """Connections in ResNet generators from the maps before each halving to those of the same size after it, so that
    edges stay where they are. Costs 1 % more weights; a U-Net has its own."""
    dropout: bool = False
    """Dropout of one half inside the generators: in every residual block, or in the deep levels of a U-Net."""
    predictor: Literal["unet", "two_view"] = "unet"
    """Predictors: a U-Net on two frames stacked, or one stem that sees each frame and a U-Net on what it made,
    16 times as wide: 8 filters make 117 million weights, 64 make 7.5 billion."""
    predictor_filters: int = 64
    """Filters of the predictors' first convolution. Their depth follows the size."""
    discriminator: Literal["patch", "pixel"] = "patch"
    """What discriminators judge: overlapping patches, or every pixel alone."""
    discriminator_filters: int = 64
    """Filters of the discriminators' first convolution."""
    discriminator_layers: int = 3
    """Strided convolutions in each patch discriminator: 3 judge 70x70 patches."""
    norm: Literal["instance", "batch"] = "instance"
    """Normalisation in all networks. batch: pictures share statistics, so every forward is made on its own."""
    attention: bool = False
    """Self-attention in generators and discriminators (Zhang et al. 2019)."""
    spectral_norm: Literal["none", "discriminator", "both"] = "none"
    """Spectral normalisation (Miyato et al. 2018) of the discriminators, or of generators too (Zhang et al. 2019)."""
    init: Literal["normal", "xavier", "kaiming", "orthogonal"] = "normal"
    """How convolution weights are drawn."""
    init_gain: float = 0.02
    """Standard deviation of normal weights, gain of xavier and orthogonal ones."""

    @property
    def first_size(self) -> int:
        """Side in pixels of the pictures that training begins on: the least that networks see."""
        return self.grow or self.size


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term. A term a method does not have cannot be set for it; 0 switches a term off."""

    adversarial: float = 1.0
    """Adversarial loss of each translated and each predicted-then-translated frame."""
    detail: float = 0.0
    """Adversarial loss of what is fine in each translated frame, by judges that see nothing else."""
    recurrent: float = 0.0
    """L1 between a predicted frame and the real one."""
    recycle: float = 0.0
    """L1 between a frame and its way through the other domain's predictor and back."""
    predictor_adversarial: float = 0.0
    """Adversarial loss of each predictor's own output."""
    cycle: float = 0.0
    """L1 between a frame and its translation there and back."""
    identity: float = 0.0
    """L1 between a frame and its translation by the generator that should leave it alone."""
    mirror: float = 0.0
    """L1 between the translation of a mirrored frame and the mirrored translation: keeps things in their place."""
    flow: float = 0.0
    """L1 between the translation of a frame bent by a drawn flow and the bent translation: keeps grain away."""
    semantic: float = 0.0
    """Cross entropy of what a labeller (--guard) sees in a translated frame and in its source: labels survive."""
    l1: float = 0.0
    """L1 between a translated frame and its pair."""
    content: float = 0.0
    """Distance between VGG features of a frame and of its translation: L1, in syntheticflow squared."""
    edge: float = 0.0
    """Edge-smoothed real frames of B, shown to the discriminator as fakes."""
    contrastive: float = 0.0
    """Cross entropy of telling a patch's own source from the other patches of its picture (cut)."""
    contrastive_identity: float = 0.0
    """The same of a frame of B and its translation, which is to leave it alone."""
    classification: float = 0.0
    """Cross entropy of naming the domain of a frame, real or translated (stargan)."""
    gradient_penalty: float = 0.0
    """How far the discriminator's slope between real and fake frames is from 1 (Gulrajani et al. 2017), squared."""
    code: float = 0.0
    """L1 between a drawn code and the code that is read from what was made by it (augmented)."""
    prior: float = 0.0
    """Adversarial loss of codes that are read from frames, against drawn ones."""
    style: float = 0.0
    """Adversarial loss of a reference and the frame that wears its style, as a pair (pairedcycle)."""
    unsupervised_spatial: float = 0.0
    """L1 between the translation of a warped frame and the warped translation."""
    unsupervised_recycle: float = 0.0
    """L1 between a warped frame and its way there, warped there, and back."""


@dataclass(frozen=True)
class MethodConfig:
    """All that a method needs to be built."""

    networks: NetworkConfig = NetworkConfig()
    weights: LossWeights = LossWeights()
    adversarial_loss: AdversarialLoss = "lsgan"
    """Least squares (Mao et al. 2017), cross entropy (Goodfellow et al. 2014), hinge (Zhang et al. 2019), or the scores
    as they are (Arjovsky et al. 2017), which want a gradient penalty."""
    adversarial_end: float = 1.0
    """Part of the adversarial weight that is left at the end of training, towards which it falls in a straight line."""
    instance_noise: float = 0.0
    """Noise over all that the judges of whole pictures are shown, as its standard deviation in parts of half the range
    from black to white: hides grain that a camera leaves and no translation can, so that they look at shapes."""
    window: int = 3
    """Consecutive frames in a training window of recyclegan: the predictor takes two, every later one is a target."""
    cycle_direction: Literal["both", "forward", "backward"] = "both"
    """Which half of cyclegan's cycle term is on: A to B to A (forward), B to A to B (backward), or both."""
    grow_in: float = 0.3
    """Part of training over which the weights of mirror and flow grow from 0; at once they can freeze the picture."""
    initial_steps: int = 0
    """Steps that cartoongan starts with in which the content term is trained alone."""
    pool_size: int = 0
    """Past fakes kept a domain for the discriminators (Shrivastava et al. 2017); 0 shows only fresh ones, and saves
    memory: each keeps a picture in float32, 0.8 MB at 256 px."""
    own: dict[str, float] = field(default_factory=dict)
    """Numbers that only this method has, by name; those that come with retarget have none."""


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
    precision: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    """Arithmetic: auto is bfloat16 autocast where the hardware computes in it, else float32. tf32: float32 whose
    products a GPU takes of 10 bits; float32 itself never does that."""
    recompute: bool = False
    """Compute residual blocks anew in the backward pass instead of keeping them: 40 to 60 % of what a step keeps
    (docs/performance.md), for a tenth more time at preset tiny on a CPU; the same numbers."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Hardware to train on."""
    devices: int | None = None
    """Processes on this machine, one a device; by default all GPUs, or one process on a CPU."""
    nodes: int = 1
    """Machines, when started by torchrun or SLURM."""
    seed: int = 0
    """Seed of weights, order of windows, crops and pool."""
    save_every: int = 500
    """Steps between checkpoints, each compared with the best so far on held-out windows."""
    save_minutes: float = 5.0
    """Minutes after which a checkpoint is saved, too, however slow the steps; it is not compared."""
    sample_every: int = 500
    """Steps between sample sheets."""
    log_every: int = 20
    """Steps between rows of metrics.csv."""
    keep: int = 3
    """Newest checkpoints kept; the best one stays beside them."""


PRESETS: dict[PresetName, tuple[NetworkConfig, TrainingConfig]] = {
    "paper": (NetworkConfig(), TrainingConfig(steps=100_000)),
    "small": (
        NetworkConfig(size=128, generator_filters=32, predictor_filters=32, discriminator_filters=32),
        TrainingConfig(steps=50_000),
    ),
    "tiny": (
        NetworkConfig(
            size=64,
            generator="resnet_3blocks",
            generator_filters=16,
            predictor_filters=8,
            discriminator_filters=32,
        ),
        TrainingConfig(steps=5_000, learning_rate=4e-4, ema_decay=0.998),
    ),
}
"""paper: 256 px as published. small: 128 px. tiny: 64 px, a CPU in minutes."""


def residual_blocks(generator: str) -> int | None:
    """Residual blocks of a generator by its name in the settings; None for a U-Net. Raises ValueError."""
    if generator == "unet":
        return None
    found = re.fullmatch(r"resnet_(\d+)blocks", generator)
    if not found:
        raise ValueError(f"generator {generator!r}: there are resnet_6blocks, resnet_9blocks (any number) and unet")
    return int(found[1])


def to_json(config: Any) -> dict[str, Any]:
    """One of the dataclasses of this file as JSON can hold it."""
    return asdict(config)


def from_json(kind: type[_Config], values: dict[str, Any]) -> _Config:
    """What `to_json` gave, as a `kind`; fields that are left out have their defaults.

    Raises ValueError for a field that `kind` does not have.
    """
    fields = get_type_hints(kind)
    if "generator_blocks" in values and "generator" in fields:  # as runs of before the U-Net generator have it
        values = dict(values)
        values["generator"] = f"resnet_{values.pop('generator_blocks')}blocks"
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {', '.join(unknown)}")
    return kind(
        **{
            name: from_json(fields[name], value) if is_dataclass(fields[name]) else value
            for name, value in values.items()
        }
    )
