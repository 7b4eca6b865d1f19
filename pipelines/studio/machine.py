"""What this machine has left, and what else of ours it is doing."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from threading import Lock
from typing import Any

_FRESH_SECONDS = 10
_ASKED = "name,utilization.gpu,memory.used,memory.total"


class Machine:
    """Asked rarely, however many ask. folder: whose disk is meant. jobs: processes that are listed elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def told(self) -> dict[str, Any]:
        """Disk in bytes, processors, GPUs with their use, and commands that somebody began elsewhere."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > _FRESH_SECONDS:
                self._known = (time.monotonic(), self._looked())
            return self._known[1]

    def _looked(self) -> dict[str, Any]:
        there = next(place for place in (self._folder, *self._folder.resolve().parents) if place.exists())
        disk = shutil.disk_usage(there)
        return {"free": disk.free, "total": disk.total, "processors": os.cpu_count(), "gpus": _gpus()}


def _gpus() -> list[dict[str, Any]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        said = subprocess.run(
            [program, f"--query-gpu={_ASKED}", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=5, check=True,
        ).stdout  # fmt: skip
        rows = [[part.strip() for part in line.split(",")] for line in said.splitlines() if line.strip()]
        return [{"name": row[0], "busy": row[1], "used": row[2], "memory": row[3]} for row in rows if len(row) == 4]
    except (OSError, subprocess.SubprocessError):
        return []


def commands_elsewhere(ours: set[int]) -> list[dict[str, Any]]:
    """Commands of retarget in this folder that were typed in a terminal: process and words. ours: not these.

    By what Linux says of its processes; elsewhere none are seen.
    """
    here = Path.cwd()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) in ours:
            continue
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            command = _command(words)
            if command and (process / "cwd").resolve() == here and not _is_child(process, ours):
                found.append({"process": int(process.name), "words": command})
        except OSError:
            continue  # it ended, or is another user's
    return found


def _command(words: list[str]) -> list[str]:
    """The words after `retarget`, of a command that works on footage or runs; none for other programs."""
    for place, word in enumerate(words[:4]):
        is_program = place < 2 and Path(word).name == "retarget"
        is_module = word == "pipelines.cli" and words[place - 1] == "-m"
        if (is_program or is_module) and words[place + 1 : place + 2] not in ([], ["studio"], ["--help"]):
            return words[place + 1 :]
    return []


def _is_child(process: Path, of: set[int]) -> bool:
    """Loaders of windows and the like, which carry their parent's words."""
    status = (process / "stat").read_text().rpartition(")")[2].split()
    parent = Path("/proc") / status[1] / "cmdline"
    try:
        return int(status[1]) in of or bool(_command(parent.read_bytes().decode(errors="replace").split("\0")[:-1]))
    except OSError:
        return False
