"""What was asked for: each a command in a process of its own, whose whole state lies in files.

runs/.studio/<id>/job.json        the words of the command, its lane, what it is about
runs/.studio/<id>/lock            held by the process that carries it out, and by the command
runs/.studio/<id>/started.json    its process, and when
runs/.studio/<id>/log.txt         what it says
runs/.studio/<id>/progress.json   how far it is, where it tells
runs/.studio/<id>/stop            it was asked to stop
runs/.studio/<id>/ended.json      its exit code, and when

So a server that is killed loses nothing: commands go on, and the next server finds them.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from data.disk import check_name, make_folder, remove_folder, write_json
from data.errors import MissingInputError, SettingsError
from pipelines.keeping.course import names_in

State = Literal["queued", "running", "stopping", "done", "failed", "stopped", "broken off"]
Lane = Literal["work", "train", "quick"]
"""What is done one after the other: clips, trainings, and what somebody is waiting for before the screen."""
LANES: tuple[Lane, ...] = get_args(Lane)
ENDED: frozenset[State] = frozenset({"done", "failed", "stopped", "broken off"})
INTERRUPTED = 130
_LAST_BYTES = 20_000
_KEPT = 200
"""Ended jobs that are still listed."""


class Jobs:
    """The jobs in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, words: Sequence[str], lane: Lane, about: dict[str, str]) -> str:
        """Queues `retarget WORDS...` and gives its id. about: what it is about, for whoever lists them."""
        key = f"{time.time_ns()}-{secrets.token_hex(3)}"
        content = {"words": list(words), "lane": lane, "about": about, "at": time.time()}
        write_json(make_folder(self.folder / key) / "job.json", content)
        self.wake()
        return key

    def wake(self) -> None:
        """Sees to it that what is queued is carried out, by processes that outlive this one."""
        lanes = {job["lane"] for job in self.listed() if job["state"] == "queued"}
        for lane in lanes:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.studio.dispatch", str(self.folder), lane],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            threading.Thread(target=process.wait, daemon=True).start()

    def listed(self) -> list[dict[str, Any]]:
        """Every job with its state, the last asked for first."""
        keys = sorted((name for name in names_in(self.folder) if name[0].isdigit()), reverse=True)
        found = [self._told(key) for key in keys[:_KEPT]]
        return [job for job in found if job is not None]

    def told(self, key: str) -> dict[str, Any]:
        """A job with its state and the last of what it says. Raises MissingInputError, BadNameError."""
        job = self._told(check_name(key, "job"))
        if job is None:
            raise MissingInputError(f"{key}: no such job")
        return job | {"log": _tail(self.folder / key / "log.txt")}

    def stop(self, key: str) -> None:
        """Asks a job to save and stop, or takes it out of the queue. Raises MissingInputError, SettingsError."""
        job = self.told(key)
        if job["state"] in ENDED:
            raise SettingsError("it has ended by itself")
        (self.folder / key / "stop").touch()
        if job["state"] != "queued":
            ask_to_stop(job["process"])

    def again(self, key: str) -> str:
        """Asks for the same once more: every command goes on where it stopped. Gives the new job's id."""
        job = self.told(key)
        if job["state"] not in ENDED:
            raise SettingsError("it has not ended yet")
        new = self.add(job["words"], job["lane"], job["about"])
        self.forget(key)
        return new

    def forget(self, key: str) -> None:
        """Takes an ended job off the list; what it made stays. Raises MissingInputError, SettingsError."""
        if self.told(key)["state"] not in ENDED:
            raise SettingsError("it has not ended yet; stop it first")
        remove_folder(self.folder / key)

    def _told(self, key: str) -> dict[str, Any] | None:
        folder = self.folder / key
        job = read_json(folder / "job.json")
        if job is None or not {"words", "lane", "about", "at"} <= job.keys():
            return None
        started, ended = read_json(folder / "started.json"), read_json(folder / "ended.json")
        asked = (folder / "stop").exists()
        state: State
        if ended is not None:
            code = ended.get("code")
            state = "done" if code == 0 else "stopped" if asked or code == INTERRUPTED else "failed"
        elif started is not None:
            state = ("stopping" if asked else "running") if is_held(folder / "lock") else "broken off"
        else:
            state = "stopped" if asked else "queued"
        why = _last_line(folder / "log.txt") if state in ("failed", "broken off") else ""
        times = {"started": (started or {}).get("at"), "ended": (ended or {}).get("at")}
        process = (started or {}).get("process")
        progress = read_json(folder / "progress.json") if state in ("running", "stopping") else None
        return job | times | {"id": key, "state": state, "why": why, "process": process, "progress": progress}


def ask_to_stop(process: int | None) -> None:
    """Asks a process to save and stop, where there is one."""
    if process is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGTERM)


def read_json(path: Path) -> dict[str, Any] | None:
    """None where it is not there, or damaged."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def is_held(lock: Path) -> bool:
    """Whether a job's process, or the command that it began, still lives: both hold the lock together."""
    try:
        with lock.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LAST_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last_line(path: Path) -> str:
    return next((line for line in reversed(_tail(path).splitlines()) if line.strip()), "")
