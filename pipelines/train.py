"""`retarget train A B`: two domains become a run, trained on whatever hardware is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_fabric import Fabric

from data.disk import make_folder
from data.domain.domain import Domain
from data.domain.paired import PairedWindows
from data.domain.windows import UnpairedWindows, batches
from data.errors import MissingModelError, SettingsError, TrainingError
from pipelines.doctoring.alike import misfits
from pipelines.options import TrainOptions
from pipelines.pages.samples import sample_writer
from pipelines.places import find_domain, say
from pipelines.training.shown import held_out_windows, sample_windows, windows_of
from recycle.config import PRESETS, to_json
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.networks.features import ContentFeatures, ContentLayer, FeaturesError, load_vgg
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.runfolder import RunInUse, SettingsMismatch
from recycle.runs.starting import begin_from
from recycle.training.health import TrainingDiverged
from recycle.training.parallel import DeviceError, leave_group, make_fabric
from recycle.training.trainer import Batches
from recycle.training.trainer import train as run_training
from recycle.validation import problems

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions

INTERRUPTED = 130
GPU_WORKERS = 4
CPU_SIZE = PRESETS["tiny"][0].size
"""Side in pixels up to which a CPU gets somewhere."""


def train(options: "TrainOptions") -> int:
    """Trains, or goes on where the run stopped. Gives the exit code: 0, or 130 where it was interrupted and saved.

    Raises RetargetError.
    """
    _check(options)
    a, b = find_domain(options.a, options.domains), find_domain(options.b, options.domains)
    if a.folder.resolve() == b.folder.resolve():
        raise SettingsError(f"{a.folder}: named twice; training goes between two domains")
    run = options.run or Path("runs") / f"{a.name}-{b.name}"
    try:
        fabric = make_fabric(options.training)
    except DeviceError as error:
        raise SettingsError(str(error)) from error
    method = _method(options, fabric)
    with fabric.rank_zero_first(local=True):  # one process of a machine decodes the pictures for all
        windows_a, windows_b = (windows_of(domain, options, method.window) for domain in (a, b))
    arrange = PairedWindows if method.paired else UnpairedWindows
    dataset = arrange(windows_a, windows_b, options.training.seed)
    make_folder(run / "samples")
    if fabric.global_rank == 0:
        say(
            f"{a.name} ({len(windows_a)} windows) and {b.name} ({len(windows_b)} windows): {options.method}, "
            f"{options.config.networks.size} px; an epoch is {dataset.epoch_length} windows"
        )
        for line in misfits(a, b):
            say(line)
        _tell(options, fabric)
    with _refusals():
        if options.source is not None and not any((run / "checkpoints").glob("step-*")):  # else it has gone beyond
            begin_from(method, options.source, options.take, say if fabric.global_rank == 0 else _nothing)
        result = run_training(
            method,
            _batches(dataset, options, fabric),
            options.training,
            run,
            fabric=fabric,
            settings=_settings(a, b, options),
            sample_windows=sample_windows(a, b, windows_a, windows_b, method.paired, options),
            held_out=held_out_windows(a, b, method.paired, options) if fabric.global_rank == 0 else {},
            on_samples=sample_writer(run / "samples"),
            on_note=say,
        )
    leave_group()
    if result.interrupted:
        return INTERRUPTED
    if fabric.global_rank == 0:
        say(f"{run}: trained to step {result.step} in {result.seconds / 60:.1f} minutes. Next: retarget render")
    return 0


def _check(options: "TrainOptions") -> None:
    """Everything that can be known to be wrong before any work. Raises SettingsError."""
    found = problems(options.method, options.config, options.training, options.preset)
    if options.vgg_weights is not None and not options.config.weights.content:
        found.append(f"--vgg-weights {options.vgg_weights}: there is no content term to use it")
    if found:
        raise SettingsError("; ".join(found))


def _method(options: "TrainOptions", fabric: Fabric) -> Method:
    """The method with fresh weights, and what its content term compares. Raises MissingModelError."""
    method = METHODS[options.method](options.config)
    if options.config.weights.content:
        with fabric.rank_zero_first(local=True):  # and fetches what is missing
            method.content = _content(options.vgg_weights, method.content_layer).on(fabric.device)
    return method


def _tell(options: "TrainOptions", fabric: Fabric) -> None:
    """What a user may not expect of these options."""
    size, initial_steps = options.config.networks.size, options.config.initial_steps
    if fabric.device.type == "cpu" and size > CPU_SIZE:
        say(f"no GPU: at {size} px a step takes seconds here; --preset tiny is for a CPU")
    if initial_steps and options.config.weights.content:
        say(f"the first {initial_steps} steps train the content term alone (--initial-steps)")


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
    except TrainingDiverged as error:
        raise TrainingError(str(error)) from error


def _content(weights: Path | None, layer: ContentLayer) -> ContentFeatures:
    """What the content term compares. Raises MissingModelError."""
    try:
        return load_vgg(weights, layer)
    except FeaturesError as error:
        raise MissingModelError(str(error)) from error


def _settings(a: Domain, b: Domain, options: "TrainOptions") -> dict:
    """What config.json keeps beside the training settings. Rendering reads it; a run goes on only under the same."""
    return {
        "method": options.method,
        "a": os.path.relpath(a.folder),
        "b": os.path.relpath(b.folder),
        "aligner_a": a.aligner,
        "aligner_b": b.aligner,
        "size_a": a.size,
        "size_b": b.size,
        "crop_jitter": options.crop_jitter,
        "flip": options.flip,
        "config": to_json(options.config),
    } | ({} if options.source is None else {"from": os.path.relpath(options.source), "take": options.take})


def _nothing(line: str) -> None:
    pass
