"""Bars of what takes long. A command that does several such things may count them all in one bar of its own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Watch = Callable[[Iterable[Any], str, int | None], Iterable[Any]]
"""Counts items: these, what is done to them, how many are expected."""

_counted: ContextVar[Watch | None] = ContextVar("counted", default=None)


def watched(items: Iterable[Item], doing: str, total: int | None) -> Iterable[Item]:
    """`items` with a bar of frames, or counted in the one of `counting`."""
    watch = _counted.get()
    if watch is not None:
        return watch(items, doing, total)
    return tqdm(items, total=total, desc=doing, unit="frame", disable=None, leave=False)


@contextmanager
def counting(watch: Watch) -> Iterator[None]:
    """What is watched inside is given to `watch` instead of a bar of its own."""
    token = _counted.set(watch)
    try:
        yield
    finally:
        _counted.reset(token)
