"""The folder of one training run: config.json beside checkpoints/, log/, metrics.csv and samples/."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, NamedTuple

from durable.files import write_bytes
from durable.locks import HeldError, locked
from recycle.config import MethodConfig, TrainingConfig, from_json, to_json
from recycle.methods import METHODS
from recycle.methods.base import LETTERS, Method
from recycle.runs.checkpoint import CheckpointError, Choice, load

_FREE = {"steps", "minutes", "save_every", "save_minutes", "sample_every", "log_every", "keep"}
_FREE |= {"accelerator", "devices", "nodes", "recompute"}
"""Training settings that may change from one start of a run to the next: length, logging, device, memory."""
_TOLD = {"learning_rate", "precision"}
"""Those that may change too, because that is what helps a run that diverged, but not without a line."""

_LATER = {"size_a", "size_b"}
"""Settings that runs of before they were kept do not have: what these were is not known."""

IMPORTED = "imported"
"""In the settings of a run that was made of somebody's weight files: which."""


class SettingsMismatch(ValueError):  # noqa: N818 (named as a user meets it)
    """A run is to go on with other settings than it began with. One line: which, both values, what to do."""


class RunInUse(ValueError):  # noqa: N818 (named as a user meets it)
    """Another process trains in this folder. One line."""


@contextmanager
def in_use(run: Path, wanted: bool = True) -> Iterator[None]:
    """Keeps other trainings out of a run's folder, which is made, for as long as this process lives and is inside.

    Raises RunInUse. Does nothing where it is not `wanted`, or where the system has no such locks.
    """
    if not wanted:
        yield
        return
    run.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(run / ".lock", None))
        except HeldError as error:
            message = f"{run}: is being trained by {error.holder}; wait for it, or give another --run"
            raise RunInUse(message) from error
        yield


def checkpoints_folder(run: Path) -> Path:
    """Where a run keeps its checkpoints."""
    return run / "checkpoints"


def write_settings(run: Path, settings: dict[str, Any], config: TrainingConfig, precision: str) -> None:
    """Writes config.json, whole or not at all: the settings given, those of training, and what `auto` came to."""
    run.mkdir(parents=True, exist_ok=True)
    content = {"settings": settings, "training": to_json(config), "computes_in": precision}
    write_bytes(run / "config.json", (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def check_settings(
    run: Path, settings: dict[str, Any], config: TrainingConfig, precision: str, on_note: Callable[[str], None]
) -> None:
    """Compares with the config.json that the run began with; options that it does not know yet had their defaults.

    Raises SettingsMismatch, CheckpointError.
    """
    before = read_settings(run)
    if IMPORTED in before["settings"]:
        raise SettingsMismatch(
            f"{run}: was imported from files that hold generators alone, so training cannot go on; give another --run"
        )
    try:
        then = _complete(before["settings"], before["training"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{run / 'config.json'}: {error}; another version of retarget wrote it") from error
    now = _complete(json.loads(json.dumps(settings)), to_json(config))
    for name in _LATER - set(then):
        now.pop(name, None)
    differing = [
        name for name in then | now if then.get(name) != now.get(name) and _flag(name)[2:] not in _flags(_FREE)
    ]
    refused = [name for name in differing if _flag(name)[2:] not in _flags(_TOLD)]
    if refused:
        what = ", ".join(f"{_flag(name)} {_shown(then, name)} (now {_shown(now, name)})" for name in refused)
        raise SettingsMismatch(f"{run}: began with {what}; give what it began with, or another --run")
    for name in differing:
        on_note(f"{_flag(name)}: {_shown(then, name)} until now, {_shown(now, name)} from here on")
    if before.get("computes_in", precision) != precision:
        on_note(f"computes in {precision} from here on, {before['computes_in']} until now")


class Trained(NamedTuple):
    """A run as rendering needs it: its settings, its method in evaluation mode on the CPU, the step of the checkpoint
    that was loaded, and which of the run's checkpoints that is."""

    settings: dict[str, Any]
    method: Method
    step: int
    choice: Choice


def load_for_rendering(
    run: Path,
    weights: Literal["ema", "raw"] = "ema",
    choice: Choice = "best",
    on_note: Callable[[str], None] = lambda line: None,
) -> Trained:
    """A run from its best checkpoint or from the newest; `on_note` gets a line where that is not what was asked for.

    The generators have to be in it; an imported run has no other networks, which then are as they are drawn. weights:
    ema for the running mean of the generators' weights, where the run keeps one; raw for those of the last step.
    `settings` have to hold `method`, a name in METHODS, and `config`, a MethodConfig as JSON. Raises CheckpointError.
    """
    settings = read_settings(run)["settings"]
    loaded = load(checkpoints_folder(run), choice, groups=("weights", "ema"), on_note=on_note)
    if loaded is None:
        raise CheckpointError(f"{run}: no checkpoint yet; train it first")
    checkpoint, choice = loaded
    state = dict(checkpoint.tensors["weights"])
    if weights == "ema":
        state |= checkpoint.tensors["ema"]
    name = str(settings.get("method"))
    row = METHODS.get(name)
    if row is None:
        raise CheckpointError(
            f"{run}: was trained by a method {name[:40]!r}, which is not here; install the package that has it "
            f"(here are {', '.join(METHODS)})"
        )
    try:
        method = row(from_json(MethodConfig, settings["config"]), domains=max(2, len(letters(settings))))
        missing, unexpected = method.load_state_dict(state, strict=False)
        wrong = [name for name in missing if name.partition(".")[0] in method.generators] + unexpected
        if wrong:
            raise ValueError(f"{wrong[0]} in one of them alone")
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{run}: config.json and checkpoint do not belong together ({reason})") from error
    return Trained(settings, method.eval(), checkpoint.step, choice)


def letters(settings: Mapping[str, Any]) -> str:
    """Those of a run's domains, under which its settings name them: "ab", or more."""
    return "".join(takewhile(settings.__contains__, LETTERS))


def read_settings(run: Path) -> dict[str, Any]:
    """What `write_settings` wrote: `settings`, `training`, `computes_in`. Raises CheckpointError."""
    path = run / "config.json"
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content["settings"], dict) or not isinstance(content["training"], dict):
            raise TypeError
        return content
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: not there, so {run} is not a training run; train first") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: damaged; put back what training wrote, or train anew in another --run"
        ) from error


def _complete(settings: dict[str, Any], training: dict[str, Any]) -> dict[str, Any]:
    """All settings by their path, with the defaults of those that are left out. Raises TypeError, ValueError."""
    if "config" in settings:
        settings = settings | {"config": to_json(from_json(MethodConfig, settings["config"]))}
    return _flat(settings) | _flat(to_json(from_json(TrainingConfig, training)))


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their path."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{prefix}.{name}" if prefix else name
        flat |= _flat(value, path) if isinstance(value, dict) else {path: value}
    return flat


def _flag(path: str) -> str:
    return "--" + path.rsplit(".", 1)[-1].replace("_", "-")


def _flags(fields: set[str]) -> set[str]:
    return {field.replace("_", "-") for field in fields}


def _shown(values: dict[str, Any], path: str) -> str:
    value = values.get(path)
    return "not given" if value is None else str(value)
