"""`retarget train A B`: two domains become a run, trained on whatever hardware is there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_fabric import Fabric
from torch import Tensor

from data.disk import make_folder
from data.domain.domain import Domain
from data.domain.paired import PairedWindows
from data.domain.windows import UnpairedWindows, batches
from data.errors import MissingModelError, SettingsError, TrainingError
from pipelines.doctoring.alike import misfits
from pipelines.pages.samples import sample_writer
from pipelines.places import find_domain, say
from pipelines.provenance.consents import keep_in_run
from pipelines.room import require_room
from pipelines.training.adding import grown_from, inherit, settings_of
from pipelines.training.forecast import room_for
from pipelines.training.material import Material
from pipelines.training.measuring import tell_pace
from pipelines.training.shortage import shortages_told
from recycle.config import PRESETS
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.networks.features import ContentFeatures, ContentLayer, FeaturesError, load_vgg
from recycle.networks.pretrained import WeightsError
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.labellers import load_guard
from recycle.runs.runfolder import RunInUse, SettingsMismatch
from recycle.runs.starting import begin_from
from recycle.training.health import TrainingDiverged
from recycle.training.parallel import DeviceError, ProcessLost, first_of_machine, leave_group, make_fabric
from recycle.training.trainer import Batches
from recycle.training.trainer import train as run_training
from recycle.validation import problems

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions

INTERRUPTED = 130
GPU_WORKERS = 4
CPU_SIZE = PRESETS["tiny"][0].size
"""Side in pixels up to which a CPU gets somewhere."""


OnSamples = Callable[[int, dict[str, Tensor]], None]


def train(options: "TrainOptions", on_samples: OnSamples | None = None) -> int:
    """Trains, or goes on where the run stopped. Gives the exit code: 0, or 130 where it was interrupted and saved.

    on_samples: called with the step and pictures (B, 3, H, W) in [-1, 1] beside the sample sheets being written.
    Raises RetargetError.
    """
    if options.measure:
        return _measured(options)
    added: dict = {}
    if options.add is not None:
        options, domains, added = grown_from(options)
    _check(options)
    if options.add is None:
        domains = _domains(options)
    run = options.run or Path("runs") / "-".join(domain.name for domain in domains)
    fabric = _fabric(options)
    method = _method(options, fabric, len(domains), added.get("kept", 0))
    if added:
        inherit(method, Path(added["added_to"]), run)
    if fabric.global_rank == 0:
        require_room(room_for(options, domains, method, run), force=options.force)
    shortages = partial(shortages_told, options, fabric, len(domains))
    with _refusals(), shortages(), first_of_machine(fabric):  # one decodes the pictures for all
        material = Material(domains, method, options)
    make_folder(run / "samples")
    if fabric.global_rank == 0:
        _tell(options, fabric, domains, material)
        keep_in_run(run, domains, Path(added["added_to"]) if added else options.source)
    with _refusals(), shortages():
        if options.source is not None and not any((run / "checkpoints").glob("step-*")):  # else it has gone beyond
            begin_from(method, options.source, options.take, say if fabric.global_rank == 0 else _nothing)
        result = run_training(
            method,
            _batches(material.dataset, options, fabric),
            options.training,
            run,
            fabric=fabric,
            settings=settings_of(domains, options, added),
            sample_windows=material.fixed(),
            held_out=material.held_out() if fabric.global_rank == 0 else {},
            on_samples=_each(sample_writer(run / "samples"), on_samples),
            on_note=say,
        )
    leave_group()
    if result.interrupted:
        return INTERRUPTED
    if fabric.global_rank == 0:
        say(f"{run}: trained to step {result.step} in {result.seconds / 60:.1f} minutes. Next: retarget render")
    return 0


def _measured(options: "TrainOptions") -> int:
    """Says what training would take, and trains nothing. Raises RetargetError."""
    if options.add is not None or options.source is not None:
        raise SettingsError("--measure: needs no run; leave --add and --from away")
    _check(options)
    fabric, domains = _fabric(options), 2 + len(options.more)
    tell_pace(options, _method(options, fabric, domains, 0), fabric, domains)
    leave_group()
    return 0


def _fabric(options: "TrainOptions") -> Fabric:
    """Raises SettingsError."""
    try:
        return make_fabric(options.training)
    except DeviceError as error:
        raise SettingsError(str(error)) from error


def _domains(options: "TrainOptions") -> list[Domain]:
    """Those that are named. Raises RetargetError."""
    if options.a is None or options.b is None:
        raise SettingsError("train A B: name the domains to translate between, two at least")
    named = [options.a, options.b, *options.more]
    if len(named) > 2 and METHODS[options.method].ways != "many":
        able = " and ".join(name for name, row in METHODS.items() if row.ways == "many")
        raise SettingsError(f"{options.method} translates between two domains; {able} take {len(named)}")
    domains = [find_domain(name, options.domains) for name in named]
    folders = [domain.folder.resolve() for domain in domains]
    for place, domain in enumerate(domains):
        if folders[place] in folders[:place]:
            raise SettingsError(f"{domain.folder}: named twice; training goes between domains that differ")
    return domains


def _check(options: "TrainOptions") -> None:
    """Everything that can be known to be wrong before any work. Raises SettingsError."""
    found = problems(options.method, options.config, options.training, options.preset)
    if options.vgg_weights is not None and not options.config.weights.content:
        found.append(f"--vgg-weights {options.vgg_weights}: there is no content term to use it")
    if (options.guard is not None) != bool(options.config.weights.semantic):
        found.append(f"--semantic {options.config.weights.semantic:g}, --guard {options.guard}: one wants the other")
    if found:
        raise SettingsError("; ".join(found))


def _method(options: "TrainOptions", fabric: Fabric, domains: int, kept: int) -> Method:
    """The method with fresh weights, and what its content term compares. Raises MissingModelError."""
    method = METHODS[options.method](options.config, domains, kept)
    if options.config.weights.content:
        with _refusals(), first_of_machine(fabric):  # and fetches what is missing
            method.content = _content(options.vgg_weights, method.content_layer).on(fabric.device)
    if options.guard is not None:
        try:
            method.guard = load_guard(options.guard)
        except WeightsError as error:
            raise MissingModelError(f"--guard: {error}") from error
    return method


def _tell(options: "TrainOptions", fabric: Fabric, domains: Sequence[Domain], material: Material) -> None:
    """What is trained on what, and what a user may not expect of these options."""
    counts = [f"{domain.name} ({len(own)} windows)" for domain, own in zip(domains, material.windows, strict=True)]
    say(
        f"{', '.join(counts[:-1])} and {counts[-1]}: {options.method}, {options.config.networks.size} px; "
        f"an epoch is {material.dataset.epoch_length} windows"
    )
    size, initial_steps = options.config.networks.size, options.config.initial_steps
    if fabric.device.type == "cpu" and size > CPU_SIZE:
        say(f"no GPU: at {size} px a step takes seconds here; --preset tiny is for a CPU")
    if initial_steps and options.config.weights.content:
        say(f"the first {initial_steps} steps train the content term alone (--initial-steps)")
    for line in dict.fromkeys(line for x, y in combinations(domains, 2) for line in misfits(x, y)):
        say(line)


def _batches(dataset: PairedWindows | UnpairedWindows, options: "TrainOptions", fabric: Fabric) -> Batches:
    """This process's part of each step's windows, from a step on."""
    workers = options.workers if options.workers is not None else (GPU_WORKERS if fabric.device.type == "cuda" else 0)
    return lambda start_step: batches(
        dataset,
        batch_size=options.training.batch_size,
        start_step=start_step,
        rank=fabric.global_rank,
        world_size=fabric.world_size,
        workers=workers,
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """What training refuses or breaks off with, as the errors of a command. Raises SettingsError, TrainingError."""
    try:
        yield
    except (SettingsMismatch, RunInUse, CheckpointError) as error:
        raise SettingsError(str(error)) from error
    except (TrainingDiverged, ProcessLost) as error:
        raise TrainingError(str(error)) from error


def _content(weights: Path | None, layer: ContentLayer) -> ContentFeatures:
    """What the content term compares. Raises MissingModelError."""
    try:
        return load_vgg(weights, layer)
    except FeaturesError as error:
        raise MissingModelError(str(error)) from error


def _each(*those: OnSamples | None) -> OnSamples:
    def call(step: int, samples: dict[str, Tensor]) -> None:
        for one in those:
            if one is not None:
                one(step, samples)

    return call


def _nothing(line: str) -> None:
    pass
