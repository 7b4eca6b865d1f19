"""A run's settings in words."""

from typing import Any

from recycle.config import LossWeights, MethodConfig, NetworkConfig, TrainingConfig, residual_blocks
from recycle.methods import METHODS
from recycle.runs.runfolder import IMPORTED

ADVERSARIAL = {"lsgan": "least squares", "vanilla": "cross entropy", "hinge": "hinge", "wasserstein": "Wasserstein"}


def title(method: str) -> str:
    """A method's name and paper; its bare name where the package that has it is not installed."""
    return METHODS[method].title if method in METHODS else method


def in_words(
    settings: dict[str, Any], config: MethodConfig, training: TrainingConfig, computes_in: str
) -> list[tuple[str, str]]:
    """(what, how) of all that a reader wants to know first, for the `settings` of a run's config.json."""
    method, networks = settings["method"], config.networks
    if IMPORTED in settings:
        came = ", ".join(f"sha256 {digest[:12]}…" for digest in settings[IMPORTED])
        return [("Weights", f"imported, not trained here: {came}"), ("Generators", _generators(networks))]
    rows = [
        ("Method", title(method)),
        ("Terms", _terms(config)),
        ("Pictures", _pictures(settings, networks)),
        ("Generators", _generators(networks)),
    ]
    if method in METHODS and "predictor" in METHODS[method].options:
        kind = "two-view U-Net" if networks.predictor == "two_view" else "U-Net"
        rows.append(("Predictors", f"{kind}, {networks.predictor_filters} filters, windows of {config.window} frames"))
    if settings.get("from"):
        rows.append(("Begun from", f"{settings['from']} ({settings.get('take', 'both')})"))
    return [
        *rows,
        ("Discriminators", _discriminators(config)),
        ("Length", _length(training)),
        ("Optimiser", _optimiser(training)),
        ("Running mean", f"decay {training.ema_decay:g}" if training.ema_decay else "none kept"),
        ("Computed", f"in {computes_in}, seed {training.seed}"),
    ]


def _terms(config: MethodConfig) -> str:
    weights = {name: getattr(config.weights, name) for name in LossWeights.__dataclass_fields__}
    named = [f"{name.replace('_', ' ')} {weight:g}" for name, weight in weights.items() if weight]
    adversarial = f" (adversarial: {ADVERSARIAL[config.adversarial_loss]})" if config.weights.adversarial else ""
    one_way = f"; cycle only {config.cycle_direction}" if config.cycle_direction != "both" else ""
    first = f"; the first {config.initial_steps:,} steps content alone" if config.initial_steps else ""
    own = "".join(f"; {name.replace('_', ' ')} {value:g}" for name, value in config.own.items())
    return (", ".join(named) or "none") + adversarial + one_way + first + own


def _pictures(settings: dict[str, Any], networks: NetworkConfig) -> str:
    cut = ", cropped at random from pictures 286/256 as large" if settings.get("crop_jitter") else ""
    flip = ", half of them flipped left to right" if settings.get("flip") else ""
    grown = f", begun at {networks.grow} x {networks.grow} and doubled in the first half" if networks.grow else ""
    return f"{networks.size} x {networks.size} px{grown}{cut}{flip}"


def _generators(networks: NetworkConfig) -> str:
    blocks = residual_blocks(networks.generator)
    kind = "U-Net" if blocks is None else f"ResNet with {blocks} block{'s' * (blocks != 1)}"
    extras = [
        ("dropout", networks.dropout),
        ("nearest upsampling", networks.upsampling == "nearest" and blocks is not None),
        ("skip connections", networks.skips),
        ("self-attention", networks.attention),
        ("spectral normalisation", networks.spectral_norm == "both"),
    ]
    named = "".join(f", {name}" for name, there in extras if there)
    return f"{kind}, {networks.generator_filters} filters, {networks.norm} normalisation{named}"


def _discriminators(config: MethodConfig) -> str:
    networks = config.networks
    layers = networks.discriminator_layers
    kind = "every pixel alone" if networks.discriminator == "pixel" else f"patches, {layers} strided convolutions"
    attention = ", self-attention" if networks.attention else ""
    spectral = ", spectral normalisation" if networks.spectral_norm != "none" else ""
    pool = f"; shown up to {config.pool_size} past fakes a domain" if config.pool_size else "; shown fresh fakes only"
    return f"{kind}, {networks.discriminator_filters} filters{attention}{spectral}{pool}"


def _length(training: TrainingConfig) -> str:
    length = f"{training.minutes:g} minutes" if training.steps is None else f"{training.steps:,} steps"
    windows = "one window" if training.batch_size == 1 else f"{training.batch_size} windows"
    return f"{length}, {windows} of each domain a step"


def _optimiser(training: TrainingConfig) -> str:
    constant = f"constant for {100 * training.constant_part:.0f} % of the length, then linearly towards 0"
    return f"Adam, rate {training.learning_rate:g}, betas {training.beta1:g} and {training.beta2:g}; {constant}"
