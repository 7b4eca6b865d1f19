"""What is wrong with a configuration: found all at once and before any work, each in a line that quotes the flag."""

from recycle.config import MethodConfig, NetworkConfig, PresetName, TrainingConfig, residual_blocks
from recycle.methods import METHODS
from recycle.methods.row import MethodRow


def problems(method: str, config: MethodConfig, training: TrainingConfig, preset: PresetName = "paper") -> list[str]:
    """Everything wrong with a configuration, each as a line that quotes the flag; empty when all is well.

    method: a name in METHODS. preset: what the configuration started from, so that options the user changed are known.
    """
    row = METHODS[method]
    changed = _changed(config, row.defaults(preset)[0])
    return [
        *_network_problems(config.networks, changed),
        *_option_problems(row, config, changed),
        *_term_problems(row, config),
        *_method_problems(row, config, changed),
        *_training_problems(training),
        *_recompute_problems(config.networks, training),
    ]


def _changed(config: MethodConfig, before: MethodConfig) -> set[str]:
    """Names of the fields of a configuration that are not as they were."""
    pairs = [(config, before), (config.networks, before.networks), (config.weights, before.weights)]
    return {name for now, then in pairs for name, value in vars(now).items() if value != getattr(then, name)}


def _network_problems(networks: NetworkConfig, changed: set[str]) -> list[str]:
    found = []
    if networks.size < 32 or networks.size % 4:
        found.append(f"--size {networks.size}: has to be a multiple of 4 from 32 up")
    elif networks.grow is not None and networks.grow not in _smaller(networks.size):
        fit = " or ".join(str(side) for side in _smaller(networks.size)) or "nothing"
        found.append(
            f"--grow {networks.grow}: has to be --size {networks.size} halved, once or more, to a multiple of 4 from "
            f"32 up, which is {fit}; --grow None keeps the full size throughout"
        )
    for name in ("generator_filters", "predictor_filters", "discriminator_filters", "discriminator_layers"):
        if getattr(networks, name) < 1:
            found.append(f"--{name.replace('_', '-')} {getattr(networks, name)}: has to be at least 1")
    if not 0 < networks.init_gain < float("inf"):
        found.append(f"--init-gain {networks.init_gain:g}: has to be more than 0")
    if networks.init == "kaiming" and "init_gain" in changed:
        found.append(f"--init-gain {networks.init_gain:g}: kaiming weights have none")
    if networks.discriminator == "pixel":
        if "discriminator_layers" in changed:
            found.append(f"--discriminator-layers {networks.discriminator_layers}: a pixel discriminator has none")
        if networks.attention:
            found.append("--attention: a pixel discriminator judges every pixel alone and has none")
    elif networks.discriminator_layers > 0 and networks.size >> networks.discriminator_layers < 3:
        found.append(f"--discriminator-layers {networks.discriminator_layers}: too many for --size {networks.size}")
    elif networks.grow in _smaller(networks.size) and networks.first_size >> networks.discriminator_layers < 3:
        found.append(f"--discriminator-layers {networks.discriminator_layers}: too many for --grow {networks.grow}")
    if networks.predictor == "two_view" and networks.predictor_filters > 16 and "predictor_filters" not in changed:
        found.append(
            f"--predictor two_view: with {networks.predictor_filters} filters it has billions of weights; "
            "give --predictor-filters, for one 8, which makes 117 million"
        )
    try:
        blocks = residual_blocks(networks.generator)
    except ValueError as error:
        return [*found, f"--{error}"]
    if blocks is None and networks.skips:
        found.append("--skips: a U-Net has its own")
    if blocks is None and networks.upsampling != "transposed":
        found.append(f"--upsampling {networks.upsampling}: a U-Net grows by transposed convolutions")
    return found


def _smaller(size: int) -> list[int]:
    """Sides in pixels, the largest first, that training may begin at to grow to `size` by doubling."""
    halved = [size >> times for times in range(1, size.bit_length()) if size % (1 << times) == 0]
    return [side for side in halved if side >= 32 and side % 4 == 0]


def _option_problems(row: MethodRow, config: MethodConfig, changed: set[str]) -> list[str]:
    """Options that some methods honour, and this one does not."""
    found = []
    honoured_by: dict[str, list[str]] = {}
    for other in METHODS.values():
        for option in sorted(other.options):
            honoured_by.setdefault(option, []).append(other.name)
    for name, methods in honoured_by.items():
        if name in changed and row.name not in methods:
            value = getattr(config, name, getattr(config.networks, name, None))
            have = " has it" if len(methods) == 1 else " have it"
            found.append(f"--{name.replace('_', '-')} {value}: only {' and '.join(methods)}{have}, not {row.name}")
    if config.own.keys() != row.own.keys():
        has = f"has {', '.join(row.own)}" if row.own else "has none"
        found.append(f"--own {' '.join(config.own)}: numbers of a method's own, of which {row.name} {has}")
    for name, (least, most) in row.limits.items():
        value = config.own.get(name, least)
        if not least <= value <= most:
            to = f" to {most:g}" if most < float("inf") else " up"
            found.append(f"--{name.replace('_', '-')} {value:g}: has to be from {least:g}{to}")
    for name in sorted(row.ignores & changed):
        value = getattr(config.networks, name)
        found.append(f"--{name.replace('_', '-')} {value}: the networks of {row.name} have no such choice")
    if not row.unets and config.networks.generator == "unet":
        found.append(f"--generator unet: {row.name} has none; give resnet_9blocks or another number")
    return found


def _term_problems(row: MethodRow, config: MethodConfig) -> list[str]:
    found = []
    for term, weight in vars(config.weights).items():
        flag = f"--{term.replace('_', '-')} {weight:g}"
        if not 0 <= weight < float("inf"):
            found.append(f"{flag}: has to be 0 or more")
        elif weight and term not in row.all_terms:
            found.append(f"{flag}: {row.name} has no such term")
    if config.adversarial_loss == "wasserstein" and config.weights.adversarial and not config.weights.gradient_penalty:
        found.append("--adversarial-loss wasserstein: has no end without --gradient-penalty, which only stargan has")
    if not any(vars(config.weights).values()):
        found.append("every loss weight is 0: nothing to train")
    return found


def _method_problems(row: MethodRow, config: MethodConfig, changed: set[str]) -> list[str]:
    found = []
    if config.window < 3:
        found.append(f"--window {config.window}: has to be at least 3, two to predict from and one to predict")
    if "cycle_direction" in row.options and config.cycle_direction != "both" and not config.weights.cycle:
        found.append(f"--cycle-direction {config.cycle_direction}: there is no cycle term under --cycle 0")
    if not 0 <= config.adversarial_end <= 1:
        found.append(f"--adversarial-end {config.adversarial_end:g}: has to be from 0 to 1")
    if not 0 <= config.instance_noise < float("inf"):
        found.append(f"--instance-noise {config.instance_noise:g}: has to be 0 or more")
    if not 0 <= config.grow_in <= 1:
        found.append(f"--grow-in {config.grow_in:g}: has to be from 0 to 1")
    elif "grow_in" in changed and not (config.weights.mirror or config.weights.flow):
        found.append(f"--grow-in {config.grow_in:g}: there is neither a mirror term nor a flow term")
    if config.initial_steps < 0:
        found.append(f"--initial-steps {config.initial_steps}: has to be 0 or more")
    elif "initial_steps" in row.options & changed and config.initial_steps and not config.weights.content:
        found.append(f"--initial-steps {config.initial_steps}: there is no content term under --content 0")
    if config.pool_size < 0:
        found.append(f"--pool-size {config.pool_size}: has to be 0 or more")
    return found


def _training_problems(training: TrainingConfig) -> list[str]:
    found = []
    if training.steps is not None and training.minutes is not None:
        found.append("--steps and --minutes: give one of them")
    every = ("save_every", "save_minutes", "sample_every", "log_every")
    for name in ("steps", "minutes", "learning_rate", *every, "batch_size", "keep"):
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


def _recompute_problems(networks: NetworkConfig, training: TrainingConfig) -> list[str]:
    """What cannot be computed twice, or is not there to be."""
    if not training.recompute:
        return []
    found = []
    if networks.generator == "unet":
        found.append("--recompute: a U-Net has no residual blocks")
    if networks.norm == "batch":
        found.append("--recompute: BatchNorm would take every picture into its statistics twice")
    if networks.spectral_norm == "both":
        found.append("--recompute: spectral norm of generators would go on in between")
    return found
