"""What the stages of a command spend: for `--timing`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Spent:
    """What a stage did. busy: seconds in which it did not wait for its neighbours. computing: of its own threads."""

    items: int = 0
    busy: float = 0.0
    computing: float = 0.0


@dataclass
class Timings:
    """Of the stages by their names, in the order in which they began; the same name again is added to."""

    stages: dict[str, Spent] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """A line a stage: how many a second it makes where it waits for nobody."""
        return [
            f"{name}: {spent.items} frames, {spent.items / spent.busy:.1f} a second by itself, "
            f"{1000 * spent.computing / spent.items:.1f} ms of computing each"
            for name, spent in self.stages.items()
            if spent.items and spent.busy
        ]


_timed: ContextVar[Timings | None] = ContextVar("timed", default=None)


@contextmanager
def timed() -> Iterator[Timings]:
    """What the stages do that begin inside; inside another one, the same."""
    timings = _timed.get() or Timings()
    token = _timed.set(timings)
    try:
        yield timings
    finally:
        _timed.reset(token)


_counting = threading.Lock()
_own = threading.local()  # .waited: seconds for which this thread has waited for others


def current() -> Timings | None:
    """Those that are being taken."""
    return _timed.get()


def waited(seconds: float) -> None:
    """Notes that this thread waited for others."""
    _own.waited = getattr(_own, "waited", 0.0) + seconds


@contextmanager
def clocked(spent: Spent, items: int) -> Iterator[None]:
    """Adds what is done inside, less what was waited for others."""
    waiting, began, computed = getattr(_own, "waited", 0.0), time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        with _counting:
            spent.busy += time.perf_counter() - began - (getattr(_own, "waited", 0.0) - waiting)
            spent.computing += time.thread_time() - computed
            spent.items += items
