"""How far a run has come, from what training leaves in its folder: whoever started it, and whether it still trains."""

import csv
import json
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

State = Literal["training", "done", "stopped", "imported"]
_TAIL_BYTES = 16_384
_LOCK = "hhqqi4x"
"""`struct flock` of 64-bit Linux: kind, from where, start, length, process."""
_PACE_ROWS = 20
"""Of metrics.csv, from which the time of a step is taken."""


@dataclass(frozen=True)
class Course:
    """state. step: trained to. steps, minutes: the length asked for; one is None. left_seconds: to the end, where that
    can be told. sample: step of the newest sample sheet. best, score: step and score of the best checkpoint; lower is
    better. process: that trains it."""

    state: State
    step: int
    steps: int | None
    minutes: float | None
    left_seconds: float | None
    sample: int | None
    best: int | None
    score: float | None
    process: int | None


def course_of(run: Path, content: dict[str, Any]) -> Course:
    """content: of the run's config.json. Raises KeyError, TypeError for a damaged one."""
    training = content["training"]
    steps, minutes = training.get("steps"), training.get("minutes")
    rows = _last_rows(run / "metrics.csv")
    saved = _newest_checkpoint(run)
    step = max(saved, int(rows[-1]["step"]) if rows else 0)
    seconds = rows[-1]["seconds"] if rows else 0.0
    process = holder(run / ".lock")
    best = _best(run)
    over = step >= steps if steps is not None else minutes is not None and seconds >= 60 * minutes * 0.999
    state: State = "training" if process is not None else "done" if over else "stopped"
    if "imported" in content["settings"]:
        state = "imported"
    left = None
    if state in ("training", "stopped"):
        pace = _seconds_a_step(rows)
        if steps is not None and pace is not None:
            left = max(0.0, (steps - step) * pace)
        elif steps is None and minutes is not None:
            left = max(0.0, 60 * minutes - seconds)
    return Course(state, step, steps, minutes, left, newest_sample(run), *best, process)


def sample_steps(run: Path) -> list[int]:
    """Steps of the sample sheets, rising."""
    names = names_in(run / "samples")
    return sorted(int(found[1]) for name in names if (found := re.fullmatch(r"step-(\d+)\.jpg", name)))


def newest_sample(run: Path) -> int | None:
    """The step of the newest sample sheet; None without one."""
    return max(sample_steps(run), default=None)


def names_in(folder: Path) -> list[str]:
    """Of the files and folders in it; none where it is not there."""
    try:
        with os.scandir(folder) as found:
            return [entry.name for entry in found]
    except OSError:
        return []


def holder(lock: Path) -> int | None:
    """The process that holds the lock of a run; None where none does, or where the system cannot tell.

    Nothing is locked by asking: a training that begins at that moment is not kept out.
    """
    if fcntl is None:
        return None
    try:
        handle = os.open(lock, os.O_RDWR)
    except OSError:
        return None
    try:
        asked = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, process = struct.unpack(_LOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    except (OSError, struct.error):
        return None
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else process


def _last_rows(table: Path) -> list[dict[str, float]]:
    """The last whole rows of metrics.csv, however long it is."""
    try:
        with table.open("rb") as file:
            header = file.readline().decode()
            size = file.seek(0, os.SEEK_END)
            file.seek(max(len(header), size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines(keepends=True)
    except OSError:
        return []
    if size - _TAIL_BYTES > len(header):
        lines = lines[1:]  # begins in the middle of one
    rows = []
    for row in csv.DictReader([header, *(line for line in lines if line.endswith("\n"))]):
        try:
            rows.append({"step": float(row["step"]), "seconds": float(row["seconds"])})
        except (KeyError, ValueError, TypeError):
            continue
    return rows


def _seconds_a_step(rows: list[dict[str, float]]) -> float | None:
    recent = rows[-_PACE_ROWS:]
    if not recent:
        return None
    first = recent[0] if len(recent) > 1 else {"step": 0.0, "seconds": 0.0}
    steps = recent[-1]["step"] - first["step"]
    return (recent[-1]["seconds"] - first["seconds"]) / steps if steps > 0 else None


def _newest_checkpoint(run: Path) -> int:
    names = names_in(run / "checkpoints")
    return max((int(found[1]) for name in names if (found := re.fullmatch(r"step-(\d{8,})", name))), default=0)


def _best(run: Path) -> tuple[int | None, float | None]:
    try:
        content = json.loads((run / "checkpoints" / "best.json").read_bytes())
        return int(content["step"]), float(content["score"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, None
