"""`retarget import G_A.pth [G_B.pth] --name NAME`: published weight files become a run that `retarget render` uses."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.disk import check_name, make_folder, output_errors, put_in_place, remove_folder
from data.errors import SettingsError
from pipelines.options import ImportOptions
from pipelines.places import say
from recycle.config import NetworkConfig, TrainingConfig, residual_blocks, to_json
from recycle.methods import METHODS
from recycle.runs.checkpoint import CheckpointError, save
from recycle.runs.published import PublishedGenerator, WeightFileError, describe, read_generator
from recycle.runs.runfolder import IMPORTED, checkpoints_folder, read_settings, write_settings
from recycle.validation import problems

GENERATORS = ("generator_ab", "generator_ba")
"""In the order of the files."""


def import_weights(options: ImportOptions) -> None:
    """Makes the run, whole or not at all; the same command again finds it there. Raises RetargetError."""
    for flag in ("name", "a", "b"):
        check_name(getattr(options, flag), f"--{flag}")
    if len(options.weights) not in (1, 2):
        raise SettingsError(f"{len(options.weights)} weight files: give that of A to B, or those of A to B and B to A")
    published = [_read(path) for path in options.weights]
    networks = _common(options, published)
    settings = _settings(options, networks)
    run = options.runs / options.name
    if run.exists():
        if _made_of(run) != settings:
            raise SettingsError(f"{run}: is there already; give another --name")
        say(f"{run}: imported already")
        return
    weights = {
        f"{name}.{key}": value
        for name, generator in zip(GENERATORS, published, strict=False)
        for key, value in generator.weights.items()
    }
    make_folder(options.runs)
    partial = run.with_name(f".{run.name}.partial")
    remove_folder(partial)
    try:
        with output_errors(run):
            save(checkpoints_folder(partial), 0, {"weights": weights, "ema": {}}, {}, keep=1)
            write_settings(partial, settings, TrainingConfig(), "float32")
        put_in_place(partial, run)
    finally:
        remove_folder(partial)
    ways = [f"{options.a} to {options.b}", f"{options.b} to {options.a}"][: len(published)]
    say(f"{run}: {describe(networks)}, {' and '.join(ways)}. Next: retarget render --run {run} --input CLIP")


def _read(path: Path) -> PublishedGenerator:
    try:
        return read_generator(path)
    except WeightFileError as error:
        raise SettingsError(str(error)) from error


def _common(options: ImportOptions, published: list[PublishedGenerator]) -> NetworkConfig:
    """The architecture of all generators, at the size asked for. Raises SettingsError."""
    first, *others = (generator.networks for generator in published)
    if any(other != first for other in others):
        both = " and ".join(
            f"{path} ({describe(generator.networks)})"
            for path, generator in zip(options.weights, published, strict=True)
        )
        raise SettingsError(f"{both}: of two architectures, one run has one; import each under a --name of its own")
    if options.size is None or options.size == first.size:
        return first
    if residual_blocks(first.generator) is None:
        raise SettingsError(
            f"--size {options.size}: {options.weights[0]} is a U-Net that is as deep as {first.size} asks"
        )
    return replace(first, size=options.size)


def _settings(options: ImportOptions, networks: NetworkConfig) -> dict[str, Any]:
    """What rendering reads, in the shape that training writes. Raises SettingsError."""
    method = "cyclegan" if len(options.weights) == 2 else "pix2pix"
    config = replace(METHODS[method].defaults("paper")[0], networks=networks)
    found = problems(method, config, TrainingConfig())
    if found:
        raise SettingsError("; ".join(found))
    return {
        "method": method,
        "a": options.a,
        "b": options.b,
        "aligner_a": options.align,
        "aligner_b": options.align,
        "crop_jitter": True,  # as published: seen at 286/256 of the size
        "flip": False,
        IMPORTED: [hashlib.sha256(path.read_bytes()).hexdigest() for path in options.weights],
        "config": to_json(config),
    }


def _made_of(run: Path) -> dict[str, Any] | None:
    """The settings of a run; None where the folder is none."""
    try:
        return read_settings(run)["settings"]
    except CheckpointError:
        return None
