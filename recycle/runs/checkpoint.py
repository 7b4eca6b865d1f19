"""Checkpoints that survive a power cut: folders of safetensors and JSON that appear only when whole.

    checkpoints/step-00000500/   weights.safetensors ...   one file a group of tensors
                                 state.json                everything that is no tensor
                                 manifest.json             size and sha256 of every other file
    checkpoints/best.json        the step of the best one, and why, where training compares them

Everything is checked against the manifest before it is used, and nothing that is loaded is ever executed.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
from torch import Tensor

from durable.files import flush, naming, put_in_place, write_bytes
from recycle.runs.tensorfile import write_tensors

_NAME = re.compile(r"step-(\d{8,})")
_MANIFEST, _STATE, _SUFFIX = "manifest.json", "state.json", ".safetensors"
_BEST = "best.json"
_LIGHT = "light"

WHOLE = 2
"""Newest checkpoints that training can go on from; older ones keep what rendering needs."""

Choice = Literal["best", "newest"]
"""Of the checkpoints of a run: the one that is marked as the best, or the last."""

_UNUSABLE = (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError)
"""What reading a damaged checkpoint raises."""


class CheckpointError(ValueError):
    """No checkpoint can be used. One line: where, why, what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """What was saved. Tensors lie on the CPU."""

    step: int
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]
    folder: Path


def save(
    folder: Path,
    step: int,
    tensors: dict[str, dict[str, Tensor]],
    state: dict[str, Any],
    keep: int,
    best: dict[str, Any] | None = None,
    lasting: Collection[str] | None = None,
) -> Path:
    """Writes `folder`/step-<step> as a whole or not at all, then removes all but the `keep` newest and the best.

    tensors: groups, each a file, of tensors by name. state: anything JSON can hold. lasting: groups that checkpoints
    keep which are no longer among the WHOLE newest; None keeps all. best: what best.json is to say, the
    `step` of a checkpoint that is there by then; None where none is known. Later checkpoints, which can only be damaged
    ones (a whole one would have been resumed from), are removed as well.
    Raises OSError as the system gives it, a full disk for one; the checkpoints before are then untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".step-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    target = folder / f"step-{step:08d}"
    partial = folder / f".{target.name}"
    partial.mkdir()
    try:
        manifest = {}
        for group, named in tensors.items():
            on_host = {name: value.cpu() for name, value in named.items()}
            manifest[group + _SUFFIX] = write_tensors(partial / (group + _SUFFIX), on_host)
        manifest[_STATE] = _write(partial / _STATE, json.dumps(state).encode())
        _write(partial / _MANIFEST, json.dumps({"step": step, "files": manifest}, indent=1).encode())
        if target.exists():
            _discard(target)
        put_in_place(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    mark(folder, best)  # before the best one until now may go
    found = _checkpoints(folder)
    newest = sorted((number for number, _ in found if number <= step), reverse=True)
    kept = {*newest[:keep], *([] if best is None else [best["step"]])}
    for number, path in found:
        if number not in kept:
            _discard(path)
        elif lasting is not None and number not in newest[:WHOLE]:
            _lighten(path, lasting)
    return target


def mark(folder: Path, best: dict[str, Any] | None) -> None:
    """Makes best.json say `best`, whole or not at all; None takes it away. Raises OSError."""
    path = folder / _BEST
    if best is None:
        path.unlink(missing_ok=True)
        return
    content = (json.dumps(best, indent=1) + "\n").encode()
    if path.is_file() and path.read_bytes() == content:
        return
    write_bytes(path, content)


def is_there(folder: Path, step: int) -> bool:
    """Whether `folder` has a checkpoint of that step; nothing is read."""
    return any(number == step for number, _ in _checkpoints(folder))


def load(
    folder: Path,
    choice: Choice,
    groups: Collection[str] | None = None,
    on_note: Callable[[str], None] = lambda line: None,
) -> tuple[Checkpoint, Choice] | None:
    """The best checkpoint or the newest that is whole, and which of the two it is; None where there are none at all.

    The newest instead of the best, with a line to `on_note`, where none is marked or that one cannot be used.
    groups, on_note, errors: as of `load_newest`. To read all groups of a best one needs one that was not lightened.
    """
    why = ""
    if choice == "best":
        step = _marked(folder)
        if step is None:
            why = "no checkpoint is marked as the best"
        else:
            path = folder / f"step-{step:08d}"
            try:
                return _load(path, step, groups), "best"
            except _UNUSABLE as error:
                why = f"{path.name}, the best, cannot be used ({_line(error)})"
    newest = load_newest(folder, groups, on_note)
    if newest is None:
        return None
    if why:
        on_note(f"{folder}: {why}; taking the newest, step {newest.step}")
    return newest, "newest"


def load_newest(
    folder: Path, groups: Collection[str] | None = None, on_note: Callable[[str], None] = lambda line: None
) -> Checkpoint | None:
    """The newest checkpoint that is whole; None where there are none at all.

    groups: which groups of tensors to read; None reads all, and so passes over a checkpoint that no longer has all. A
    damaged checkpoint is passed over, too, each with a line to `on_note`. Raises CheckpointError when there are
    checkpoints and none can be used.
    """
    found = sorted(_checkpoints(folder), reverse=True)
    for step, path in found:
        try:
            return _load(path, step, groups)
        except _UNUSABLE as error:
            on_note(f"{path}: cannot be used ({_line(error)}), trying the one before it")
    if found and groups is None:
        left = load_newest(folder, ("weights",))  # raises where not even those are whole
        assert left is not None
        what = f"the weights of step {left.step} are whole: begin another run with them by --from {folder.parent}"
        raise CheckpointError(f"{folder}: no checkpoint in it can be gone on from, but {what}")
    if found:
        raise CheckpointError(f"{folder}: no checkpoint in it can be used; delete the folder to start anew")
    return None


def _write(path: Path, content: bytes) -> dict[str, Any]:
    with naming(path):
        path.write_bytes(content)
    flush(path)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _lighten(checkpoint: Path, lasting: Collection[str]) -> None:
    """Takes all groups but those out of a checkpoint: first out of its manifest. A damaged one is left as it is."""
    try:
        manifest = json.loads((checkpoint / _MANIFEST).read_bytes())
        files = {name: e for name, e in manifest["files"].items() if name.removesuffix(_SUFFIX) in {*lasting, _STATE}}
    except _UNUSABLE:
        return
    if files.keys() != manifest["files"].keys():
        light = manifest | {"files": files, _LIGHT: True}
        write_bytes(checkpoint / _MANIFEST, json.dumps(light, indent=1).encode())
    for path in checkpoint.glob(f"*{_SUFFIX}"):
        if path.name not in files:
            path.unlink()


def _discard(checkpoint: Path) -> None:
    """Takes the name away first, so that a half-removed folder is never taken for a checkpoint."""
    hidden = checkpoint.with_name(f".{checkpoint.name}-old")
    checkpoint.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def _marked(folder: Path) -> int | None:
    """The step that best.json names; None without that file, or where it is damaged."""
    try:
        step = json.loads((folder / _BEST).read_bytes())["step"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return step if type(step) is int else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _checkpoints(folder: Path) -> list[tuple[int, Path]]:
    if not folder.is_dir():
        return []
    return [(int(match[1]), path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]


def _load(path: Path, step: int, groups: Collection[str] | None) -> Checkpoint:
    manifest = json.loads((path / _MANIFEST).read_bytes())
    if manifest["step"] != step:
        raise ValueError(f"says that it is of step {manifest['step']}")
    if groups is None and manifest.get(_LIGHT):
        raise ValueError(f"has no optimisers any more, which the newest {WHOLE} alone keep")
    files: dict[str, dict[str, Any]] = manifest["files"]
    state = None
    tensors = {}
    for name, entry in files.items():
        if Path(name).name != name:
            raise ValueError(f"names a file outside of it, {name[:40]!r}")
        size = (path / name).stat().st_size
        if size != entry["bytes"]:
            raise ValueError(f"{name} has {size} of {entry['bytes']} bytes")
        group = name.removesuffix(_SUFFIX)
        if name != _STATE and groups is not None and group not in groups:
            continue
        content = (path / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ValueError(f"{name} is not what was written")
        if name == _STATE:
            state = json.loads(content)
        else:
            tensors[group] = safetensors.torch.load(content)
    if state is None:
        raise ValueError(f"{_STATE} is missing")
    return Checkpoint(step, tensors, state, path)
