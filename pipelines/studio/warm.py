"""Frames to try options on, by a process that stays loaded while somebody does so, and holds nothing else."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from threading import Lock
from typing import Any

from data.errors import TrainingError

PATIENCE_SECONDS = 300.0
LOADED = ("pipelines.render",)


class Warm:
    """One `python -m pipelines.warm`, started when it is wanted. It ends by itself: idle, or with this process."""

    def __init__(self, loaded: Sequence[str] = LOADED) -> None:
        """loaded: modules that it loads before it is asked."""
        self._loaded = loaded
        self._process: subprocess.Popen[bytes] | None = None
        self._one = Lock()

    def start(self) -> None:
        """Sees to it that it loads, and does not wait for it."""
        if self._one.acquire(blocking=False):
            try:
                self._started()
            finally:
                self._one.release()

    def ask(self, words: Sequence[str]) -> dict[str, Any]:
        """`retarget WORDS...`: `code`, and what it `said`. One at a time. Raises TrainingError where it is lost."""
        with self._one:
            for attempt in range(2):
                process = self._started()
                try:
                    return _answer(process, words)
                except (OSError, ValueError) as error:  # it ended as it was asked, or was killed
                    self.end()
                    if attempt:
                        raise TrainingError(f"the process that makes previews was lost ({error}); ask again") from error
        raise AssertionError

    def end(self) -> None:
        """Ends it, where it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                pipe.close()  # type: ignore[union-attr]
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.end()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.warm", *self._loaded],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                env=os.environ | {"PYTHONUNBUFFERED": "1"}, start_new_session=True,
            )  # fmt: skip
        return self._process


def _answer(process: "subprocess.Popen[bytes]", words: Sequence[str]) -> dict[str, Any]:
    """Raises OSError, ValueError."""
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(list(words)).encode() + b"\n")
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([process.stdout], [], [], PATIENCE_SECONDS)[0]:
            raise ValueError(f"no answer in {PATIENCE_SECONDS:.0f} s")
        part = os.read(process.stdout.fileno(), 65536)
        if not part:
            raise ValueError("it ended")
        line += part
    return json.loads(line)
