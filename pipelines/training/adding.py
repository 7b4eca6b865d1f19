"""A domain that is added to a trained run: a run of its own, whose older networks stay as they are."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from data.domain.domain import Domain
from data.errors import MissingInputError, SettingsError
from pipelines.places import find_domain, say
from recycle.config import MethodConfig, from_json, to_json
from recycle.methods import DEFAULT, METHODS
from recycle.methods.base import LETTERS, Method
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.runfolder import checkpoints_folder, letters, load_for_rendering, read_settings

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions


def grown_from(options: "TrainOptions") -> tuple["TrainOptions", list[Domain], dict]:
    """Options as the run had them, its domains with the new one behind them, and what config.json is to say of it.

    The method and its settings are the run's; length, rate and the like are the user's. Raises RetargetError.
    """
    assert options.add is not None
    if options.run is None or options.a is not None:
        raise SettingsError("--add: give the run to add to by --run RUN, and name no other domains")
    if options.source is not None:
        raise SettingsError(f"--from {options.source}: --add begins with the weights of {options.run}; leave it away")
    try:
        settings = read_settings(options.run)["settings"]
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    row = METHODS.get(settings["method"])
    if row is None or not row.adds:
        able = " and ".join(name for name, other in METHODS.items() if other.adds)
        raise SettingsError(
            f"--add: {options.run} was trained by {settings['method']}; only {able} takes another domain"
        )
    if (
        options.method not in (DEFAULT, row.name)
        or options.config != METHODS[options.method].defaults(options.preset)[0]
    ):
        raise SettingsError(f"--add: method, sizes and weights are those of {options.run}; give none of them")
    old = [find_domain(settings[letter], options.domains) for letter in letters(settings)]
    new = find_domain(options.add, options.domains)
    if new.folder.resolve() in {domain.folder.resolve() for domain in old}:
        raise SettingsError(f"--add {options.add}: is a domain of {options.run} already")
    config = from_json(MethodConfig, settings["config"])
    known = {name: settings[name] for name in ("crop_jitter", "flip")}
    run = options.run.with_name(f"{options.run.name}-{new.name}")
    grown = replace(options, method=settings["method"], config=config, run=run, **known)
    return grown, [*old, new], {"added_to": os.path.relpath(options.run), "kept": len(old)}


def inherit(method: Method, added_to: Path, run: Path) -> None:
    """Gives the networks of the older domains the weights that rendering uses, where `run` has not begun yet.

    Raises MissingInputError.
    """
    if checkpoints_folder(run).is_dir() and any(checkpoints_folder(run).glob("step-*")):
        return
    try:
        trained = load_for_rendering(added_to, on_note=say)
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    weights = trained.method.state_dict()
    with torch.no_grad():
        for name, value in method.state_dict().items():
            if name in weights:
                value.copy_(weights[name])
    say(f"{added_to}, step {trained.step}: its {len(letters(trained.settings))} domains are kept as they are")


def settings_of(domains: Sequence[Domain], options: "TrainOptions", added: dict) -> dict:
    """What config.json keeps beside the training settings. Rendering reads it; a run goes on only under the same."""
    named = dict(zip(LETTERS, domains, strict=False))
    return (
        {"method": options.method}
        | {letter: os.path.relpath(domain.folder) for letter, domain in named.items()}
        | {f"aligner_{letter}": domain.aligner for letter, domain in named.items()}
        | {f"size_{letter}": domain.size for letter, domain in named.items()}
        | {"crop_jitter": options.crop_jitter, "flip": options.flip, "config": to_json(options.config)}
        | ({} if options.source is None else {"from": os.path.relpath(options.source), "take": options.take})
        | added
    )
