"""Commands that run others: each in a process of its own, exactly as a user would."""

import os
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TextIO

import torch

from data.errors import TrainingError
from pipelines.places import say

INTERRUPTED = 130


def run_shown(*words: object) -> None:
    """Runs `retarget WORDS...` with its output where ours goes. Raises TrainingError, KeyboardInterrupt."""
    say(f"\n$ retarget {_line(words)}")
    _check(words, subprocess.run(_program(words), check=False).returncode, "its message is above")


class Quiet:
    """Commands whose output goes into a file each, several at a time; they end with the `with` block that started them.

    Each sees one of the GPUs that this process sees, that which the fewest of the others have. threads: that each may
    compute with.
    """

    def __init__(self, threads: int) -> None:
        self._environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        self._running: set[subprocess.Popen] = set()
        self._ended = False
        self._lock = Lock()
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = map(str, range(torch.cuda.device_count())) if seen is None else filter(None, seen.split(","))
        self._gpus = Counter(dict.fromkeys(names, 0))

    def __enter__(self) -> "Quiet":
        # Being asked to end is to reach what runs, which else would go on alone.
        self._before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        return self

    def run(self, *words: object, log: Path) -> None:
        """Runs `retarget WORDS...` and appends what it says to `log`. Raises TrainingError, KeyboardInterrupt."""
        with log.open("a") as output:
            output.write(f"$ retarget {_line(words)}\n")
            output.flush()
            with self._started(words, output) as process:
                code = process.wait()
        _check(words, code, f"see {log}")

    @contextmanager
    def _started(self, words: tuple[object, ...], output: TextIO) -> Iterator[subprocess.Popen]:
        with self._lock:
            if self._ended:
                raise KeyboardInterrupt
            gpu = min(self._gpus, key=self._gpus.__getitem__, default="")
            environment = self._environment | ({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {})
            process = subprocess.Popen(
                _program(words), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            self._running.add(process)
            self._gpus.update([gpu] if gpu else [])
        try:
            yield process
        finally:
            with self._lock:
                self._running.discard(process)
                self._gpus.subtract([gpu] if gpu else [])

    def stop(self) -> None:
        """Asks what still runs to save and stop, and waits for it. Nothing can be started any more."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait()

    def __exit__(self, *_: object) -> None:
        self.stop()
        signal.signal(signal.SIGTERM, self._before)


def _program(words: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", *map(str, words)]


def _line(words: tuple[object, ...]) -> str:
    return shlex.join(map(str, words))


def _check(words: tuple[object, ...], code: int, where: str) -> None:
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise TrainingError(f"retarget {words[0]} ended with exit code {code}; {where}")
