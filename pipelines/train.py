"""`retarget train A B`: two domains become a run, trained on whatever hardware is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from data.disk import make_folder
from data.domain.domain import Domain
from data.domain.paired import PairedWindows, draw_pair, paired_places
from data.domain.windows import UnpairedWindows, Windows, batches
from data.errors import MissingModelError, SettingsError, TrainingError
from pipelines.options import TrainOptions
from pipelines.pages.samples import sample_writer
from pipelines.places import find_domain, say
from recycle.config import PRESETS, to_json
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.networks.features import ContentFeatures, ContentLayer, FeaturesError, load_vgg
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.runfolder import RunInUse, SettingsMismatch
from recycle.training.health import TrainingDiverged
from recycle.training.parallel import DeviceError, leave_group, make_fabric
from recycle.training.trainer import Batches
from recycle.training.trainer import train as run_training
from recycle.validation import problems

SAMPLE_WINDOWS = 4
HELD_OUT_WINDOWS = 16
"""Of each domain, to compare checkpoints on."""
INTERRUPTED = 130
GPU_WORKERS = 4
CPU_SIZE = PRESETS["tiny"][0].size
"""Side in pixels up to which a CPU gets somewhere."""


def train(options: TrainOptions) -> int:
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
        windows_a, windows_b = _windows(a, options, method.window), _windows(b, options, method.window)
    arrange = PairedWindows if method.paired else UnpairedWindows
    dataset = arrange(windows_a, windows_b, options.training.seed)
    make_folder(run / "samples")
    if fabric.global_rank == 0:
        say(
            f"{a.name} ({len(windows_a)} windows) and {b.name} ({len(windows_b)} windows): {options.method}, "
            f"{options.config.networks.size} px; an epoch is {dataset.epoch_length} windows"
        )
        _tell(options, fabric)
    with _refusals():
        result = run_training(
            method,
            _batches(dataset, options, fabric),
            options.training,
            run,
            fabric=fabric,
            settings=_settings(a, b, options),
            sample_windows=_fixed(a, b, windows_a, windows_b, method.paired, options),
            held_out=_held_out(a, b, method.paired, options) if fabric.global_rank == 0 else {},
            on_samples=sample_writer(run / "samples"),
            on_note=say,
        )
    leave_group()
    if result.interrupted:
        return INTERRUPTED
    if fabric.global_rank == 0:
        say(f"{run}: trained to step {result.step} in {result.seconds / 60:.1f} minutes. Next: retarget render")
    return 0


def _check(options: TrainOptions) -> None:
    """Everything that can be known to be wrong before any work. Raises SettingsError."""
    found = problems(options.method, options.config, options.training, options.preset)
    if options.vgg_weights is not None and not options.config.weights.content:
        found.append(f"--vgg-weights {options.vgg_weights}: there is no content term to use it")
    if found:
        raise SettingsError("; ".join(found))


def _method(options: TrainOptions, fabric: Fabric) -> Method:
    """The method with fresh weights, and what its content term compares. Raises MissingModelError."""
    method = METHODS[options.method](options.config)
    if options.config.weights.content:
        with fabric.rank_zero_first(local=True):  # and fetches what is missing
            method.content = _content(options.vgg_weights, method.content_layer)
    return method


def _tell(options: TrainOptions, fabric: Fabric) -> None:
    """What a user may not expect of these options."""
    size, initial_steps = options.config.networks.size, options.config.initial_steps
    if fabric.device.type == "cpu" and size > CPU_SIZE:
        say(f"no GPU: at {size} px a step takes seconds here; --preset tiny is for a CPU")
    if initial_steps and options.config.weights.content:
        say(f"the first {initial_steps} steps train the content term alone (--initial-steps)")


def _batches(dataset: PairedWindows | UnpairedWindows, options: TrainOptions, fabric: Fabric) -> Batches:
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


def _windows(domain: Domain, options: TrainOptions, window: int, split: str = "train") -> Windows:
    return Windows(
        domain,
        split=split,
        window=window,
        size=options.config.networks.size,
        crop_jitter=options.crop_jitter,
        flip=options.flip,
    )


def _settings(a: Domain, b: Domain, options: TrainOptions) -> dict:
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
    }


def _fixed(
    a: Domain, b: Domain, training_a: Windows, training_b: Windows, paired: bool, options: TrainOptions
) -> tuple[Tensor, Tensor]:
    """A few windows of A and of B, always the same, for sample sheets: held-out ones where there are any.

    Each (n, T, 3, size, size); where the domains are paired, of the same frames.
    """
    held_a, held_b = (_windows(domain, options, training_a.window, split="test") for domain in (a, b))
    if paired:
        places = paired_places(held_a, held_b)
        if not places:
            held_a, held_b, places = training_a, training_b, paired_places(training_a, training_b)
        return _drawn_pairs(held_a, held_b, places, SAMPLE_WINDOWS)
    shown = [held if len(held) else training for held, training in ((held_a, training_a), (held_b, training_b))]
    of_a, of_b = (_drawn(windows, SAMPLE_WINDOWS) for windows in shown)
    return of_a, of_b


def _held_out(a: Domain, b: Domain, paired: bool, options: TrainOptions) -> dict[str, Tensor]:
    """Windows of the held-out frames of "a" and "b" that choose, always the same, to compare checkpoints on.

    Each (n, T, 3, size, size) of two frames, or of one where no two follow each other; where the domains are paired, of
    the same frames. Nothing of a domain that has none.
    """
    found: dict[str, Tensor] = {}
    for window in (1, 2):  # longer ones in the place of shorter
        held_a, held_b = (_windows(domain, options, window, split="choosing") for domain in (a, b))
        if paired:
            if places := paired_places(held_a, held_b):
                found["a"], found["b"] = _drawn_pairs(held_a, held_b, places, HELD_OUT_WINDOWS)
            continue
        for name, held in (("a", held_a), ("b", held_b)):
            if len(held):
                found[name] = _drawn(held, HELD_OUT_WINDOWS)
    return found


def _drawn(windows: Windows, count: int) -> Tensor:
    """At most `count` of the windows, spread evenly, unflipped from the middle: (n, T, 3, size, size)."""
    return torch.stack([windows.draw(i, None) for i in _spread(len(windows), count)])


def _drawn_pairs(a: Windows, b: Windows, places: list[tuple[int, int]], count: int) -> tuple[Tensor, Tensor]:
    """The like of pairs (see `paired_places`): both (n, T, 3, size, size)."""
    drawn = [draw_pair(a, b, places[i], None) for i in _spread(len(places), count)]
    return torch.stack([x for x, _ in drawn]), torch.stack([y for _, y in drawn])


def _spread(length: int, count: int) -> list[int]:
    """At most `count` places from the first to the last of `length`."""
    return [round(place) for place in np.linspace(0, length - 1, min(count, length))]
