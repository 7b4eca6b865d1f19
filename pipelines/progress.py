"""One bar for all that a command does to all its clips, with rate and time left."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any

from tqdm import tqdm

from data.watching import counting
from durable.files import write_bytes
from pipelines.places import say

WORKING = "working"
"""What is done last to the frames of a clip; before that they are looked at."""
PROGRESS_FILE = "RETARGET_PROGRESS"
"""Environment variable: a file that is to say how far a command is, for whoever does not see its terminal."""
_STEPS = 1000
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {unit}"
_REFRESH_SECONDS = 0.2
QUIET_SECONDS = 60
"""Without a frame, after which that is said: a shared folder that does not answer stops everything else."""
_WORK_PER_LOOK = 2
"""Until a frame was worked on: how many times as long that takes as looking at it."""


class Progress:
    """Frames of clips that are first looked at, in one stage or more, and then worked on.

        with Progress("rendering", [frames of each clip]) as progress:
            progress.clip("a.mp4")
            for frame in watched(frames, "looking", 75): ...     # of data.watching
            for frame in watched(frames, WORKING, 75): ...

    The stages take different times a frame, so the bar shows the share of the time that is over. expected: frames of
    each clip as far as known; None where not.
    """

    def __init__(self, doing: str, expected: Sequence[int | None]) -> None:
        self._doing, self._expected = doing, list(expected)
        self._place, self._name = -1, ""
        self._here: Counter[str] = Counter()
        self._frames: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._shown, self._heard = 0.0, time.monotonic()
        self._over = Event()
        # What is told stands in place of a unit: tqdm would begin a postfix with a comma.
        self._bar = tqdm(total=_STEPS, desc=doing, unit=self.told(), bar_format=_BAR, disable=None)
        self._stack = ExitStack()

    def __enter__(self) -> "Progress":
        self._stack.enter_context(counting(self._watch))
        self._heard = time.monotonic()
        Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._stack.close()
        if kind is None:
            self._end_clip()
            self._place = len(self._expected)
            self._show()
        self._bar.close()

    def clip(self, name: str) -> None:
        """Begins with the next clip; what is left of the one before is not to come any more."""
        self._end_clip()
        self._place, self._name = self._place + 1, name
        self._here.clear()
        self._show()

    def _watch(self, items: Iterable[Any], stage: str, total: int | None) -> Iterator[Any]:
        if total is not None and 0 <= self._place < len(self._expected):
            self._expected[self._place] = total
        if stage == WORKING:  # what was looked at before is not again
            for other in self._frames:
                self._here[other] = max(self._here[other], (total or 0) * (other != WORKING))
        before = time.monotonic()
        for item in items:
            yield item
            now = self._heard = time.monotonic()
            self._here[stage] += 1
            self._frames[stage] += 1
            self._seconds[stage] = self._seconds.get(stage, 0.0) + now - before
            before = now
            if now - self._shown > _REFRESH_SECONDS:
                self._show()

    def _listen(self) -> None:
        """Says once, each time, that nothing comes any more: what waits for a disk cannot say so itself."""
        told = None
        while not self._over.wait(QUIET_SECONDS / 10):
            heard = self._heard
            if time.monotonic() - heard > QUIET_SECONDS and heard != told:
                told = heard
                name = f"{self._doing} {self._name}"
                say(f"{name}: no frame for {QUIET_SECONDS} s; working, or waiting for a disk")

    def left_seconds(self) -> float | None:
        """Estimated time to the end; None while nothing tells."""
        rates = {stage: self._seconds[stage] / count for stage, count in self._frames.items()}
        if not rates:
            return None
        rates.setdefault(WORKING, _WORK_PER_LOOK * sum(rates.values()))
        left = 0.0
        for place in range(max(self._place, 0), len(self._expected)):
            expected = self._expected[place]
            if expected is None:
                return None
            for stage, rate in rates.items():
                done = self._here[stage] if place == self._place else 0
                left += max(0, expected - done) * rate
        return left

    def told(self) -> str:
        """Which frame of how many, how many a second, and the time left."""
        total = "?" if None in self._expected else sum(count or 0 for count in self._expected)
        stage = WORKING if self._frames[WORKING] else next(iter(self._seconds), WORKING)
        seconds, left = self._seconds.get(stage, 0.0), self.left_seconds()
        rate = self._frames[stage] / seconds if seconds else 0.0
        time_left = "time left not known" if left is None else f"{tqdm.format_interval(left)} left"
        return f"{self._frames[WORKING]}/{total} frames, {rate:.1f} a second, {time_left}"

    def _end_clip(self) -> None:
        if 0 <= self._place < len(self._expected):
            self._expected[self._place] = self._here[WORKING]

    def _show(self) -> None:
        self._shown = time.monotonic()
        done, left = sum(self._seconds.values()), self.left_seconds()
        share = 0.0 if left is None or not done else done / (done + left)
        several = f" {min(self._place + 1, len(self._expected))} of {len(self._expected)}"
        name = f"{several if len(self._expected) > 1 else ''} {self._name}".rstrip()
        self._bar.set_description_str(f"{self._doing}{name}", refresh=False)
        self._bar.n = round(share * _STEPS)
        self._bar.unit = self.told()
        self._bar.refresh()
        if path := os.environ.get(PROGRESS_FILE):
            content = {"doing": f"{self._doing}{name}", "share": round(share, 4), "told": self.told()}
            with suppress(OSError):  # whether somebody looks must not decide whether the work is done
                write_bytes(Path(path), json.dumps(content).encode())
