"""Stages of work that overlap: each in a thread of its own, items pass in order, few are under way at once.

What computes here lets Python go while it does: decoding, scaling, OpenCV, the networks, the encoder.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from data.timings import Spent, clocked, current, waited

Item = TypeVar("Item")
Made = TypeVar("Made")
AHEAD = 3
"""Items that a stage makes before they are asked for."""


class _StoppedError(Exception):
    """Nobody waits for what is made any more."""


class _Belt(Generic[Item]):
    """From one thread to another: a few items, then an end or an error."""

    def __init__(self, most: int) -> None:
        self._most, self._items = most, deque[Item]()
        self._changed = threading.Condition()
        self._ended = self._stopped = False
        self._error: BaseException | None = None

    def put(self, item: Item) -> None:
        """Raises _StoppedError."""
        with self._changed:
            self._wait(lambda: len(self._items) < self._most)
            self._items.append(item)
            self._changed.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._changed:
                self._wait(lambda: bool(self._items) or self._ended)
                if not self._items:
                    if self._error is not None:
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _wait(self, ready: Callable[[], bool]) -> None:
        began = time.perf_counter()
        self._changed.wait_for(lambda: ready() or self._stopped)
        waited(time.perf_counter() - began)
        if self._stopped:
            raise _StoppedError


class Line:
    """Stages one after the other; the last one is the thread that asks for items.

        with Line() as line:
            frames = line.made("decode", source.frames())
            for crop in line.each("crop", cut, frames): ...

    An error in a stage is raised where its items are asked for, after those made before. When the block ends, however,
    all stages stop at their next item, and have stopped when it is left.
    """

    def __init__(self) -> None:
        self._belts: list[_Belt[Any]] = []
        self._threads: list[threading.Thread] = []
        self._timings = current()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *raised: object) -> None:
        for belt in self._belts:
            belt.stop()
        for thread in self._threads:
            thread.join()

    def made(self, name: str, items: Iterable[Item], *, ahead: int = AHEAD, count: Callable = lambda _: 1):
        """`items`, made in a thread. count: how many frames one is."""
        belt: _Belt[Item] = _Belt(ahead)
        self._belts.append(belt)
        spent = self._spent(name)
        return self._started(belt, items, spent, count)

    def each(
        self,
        name: str,
        work: Callable[[Item], Made],
        items: Iterable[Item],
        *,
        count: Callable[[Item], int] = lambda _: 1,
    ) -> Iterator[Made]:
        """`work` done to each item in a thread; what it gives, in the items' order."""
        spent = self._spent(name)

        def timed_work(item: Item) -> Made:
            with clocked(spent, count(item)):
                return work(item)

        return self._handed(_worked(timed_work, items))

    def last(
        self,
        name: str,
        work: Callable[[Item], Made],
        items: Iterable[Item],
        *,
        count: Callable[[Item], int] = lambda _: 1,
    ) -> Iterator[Made]:
        """The same in the thread that asks."""
        spent = self._spent(name)
        for item in items:
            with clocked(spent, count(item)):
                made = work(item)
            yield made

    def _handed(self, items: Iterable[Made]) -> Iterator[Made]:
        belt: _Belt[Made] = _Belt(AHEAD)
        self._belts.append(belt)
        return self._started(belt, items)

    def _started(self, belt: _Belt[Made], *work: Any) -> Iterator[Made]:
        items, *told = work
        run = copy_context().run  # what is set for this thread holds in the stage's
        self._threads.append(threading.Thread(target=run, args=(_make, items, belt, *told), daemon=True))
        self._threads[-1].start()
        return iter(belt)

    def _spent(self, name: str) -> Spent:
        return Spent() if self._timings is None else self._timings.stages.setdefault(name, Spent())


def _make(items: Iterable[Any], belt: _Belt, spent: Spent | None = None, count: Callable = len) -> None:
    """What a stage's thread does."""
    error: BaseException | None = None
    source = iter(items)
    try:
        while True:
            if spent is None:
                item = next(source)
            else:
                with clocked(spent, 0):
                    item = next(source)
                spent.items += count(item)
            belt.put(item)
    except (StopIteration, _StoppedError):
        pass
    except BaseException as raised:  # whatever it is, it belongs to whoever waits for the items
        error = raised
    try:
        _close(source)  # here: a generator that holds a file ends in the thread that it ran in
    finally:
        belt.end(error)


def _close(items: Iterable[Any]) -> None:
    if hasattr(items, "close"):
        items.close()


def _worked(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    try:
        for item in items:
            yield work(item)
    finally:
        _close(items)
