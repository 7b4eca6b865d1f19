"""Which frames of a domain are learned from and which are held out, to choose a checkpoint and to judge it."""

import dataclasses
from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby

from data.domain.record import Record, runs
from data.errors import TooFewFramesError

LEAST_GAP_SECONDS = Fraction(1, 2)
"""Between what is learned from and what is held out: faces hardly change in less."""
_MOST_SPARED = Fraction(1, 4)
"""Of a clip, for what is held out and the gap, where other clips may be held out instead."""
_MOST_SPARED_ALONE = Fraction(1, 3)
"""Of a clip that is the only one: the gap of one shorter than two seconds is shorter, but never than a window. One that
cannot spare both is all learned from."""


SHORT_HELD_OUT = 10
"""Of the clips of a domain that are too short to be divided, which are held out: the tenth, the twentieth and so on."""


def held_out(records: list[Record], window: int, place: int = 0, *, in_time: bool = True) -> list[Record]:
    """The records of one clip with the last tenth in time as `test`, and LEAST_GAP_SECONDS before it as `gap`, or a
    window where that is longer. Of a clip of less than two seconds that gap would leave little to learn from: it and
    what is held out together take at most a third.

    The test part grows backwards until it holds at least one window; a clip that cannot spare a training window, a
    gap and a test window is all `train`. place: of the clip in its domain, from 0: a later one that is short for all
    this is held out whole or not at all, so that a tenth of them is, whichever of them are done first. in_time: times
    say how far apart frames are; else the gap is a window.
    """
    kept = [record for record in records if record.split != "excluded"]
    kept = [dataclasses.replace(record, split="train") for record in kept]
    end = len(kept)
    first = end - max(window, round(end / 10))
    while first > 0 and not _has_window(kept[first:], window):
        first -= 1
    last_train = max(0, first - window)
    while in_time and last_train > 0 and kept[first].seconds - kept[last_train - 1].seconds < LEAST_GAP_SECONDS:
        last_train -= 1
    if not place and in_time and end - first + window <= _MOST_SPARED_ALONE * end:
        last_train = max(last_train, end - int(_MOST_SPARED_ALONE * end))
    if place and end - last_train > _MOST_SPARED * end:
        is_test = place % SHORT_HELD_OUT == SHORT_HELD_OUT - 1 and _has_window(kept, window)
        names = [("test" if is_test else "train")] * end
    elif first <= 0 or not _has_window(kept[:last_train], window):
        names = ["train"] * end
    else:
        names = ["train"] * last_train + ["gap"] * (first - last_train) + ["test"] * (end - first)
    split = {r.number: dataclasses.replace(r, split=s) for r, s in zip(kept, names, strict=True)}
    return [split.get(record.number, record) for record in records]


LEAST_TO_HALVE = 20
"""Held-out frames of a clip from which on they are divided; fewer choose a checkpoint and judge it."""


def halves(records: Iterable[Record], window: int) -> tuple[list[Record], list[Record]]:
    """The held-out records of a domain: those that choose a checkpoint, and those that judge it.

    Of each clip the first half in time chooses and the second judges, with a window between them that does neither; of
    a clip with fewer than LEAST_TO_HALVE, all do both.
    """
    choosing: list[Record] = []
    judging: list[Record] = []
    for _, part in groupby((record for record in records if record.split == "test"), key=lambda record: record.clip):
        clip = list(part)
        middle = len(clip) // 2
        whole = len(clip) < LEAST_TO_HALVE
        choosing += clip if whole else clip[: max(1, middle - window)]
        judging += clip if whole else clip[middle:]
    return choosing, judging


def put_in(split: str, records: list[Record]) -> list[Record]:
    """The records of one clip with all kept frames in one part of the domain: for sets whose makers held some out."""
    return [r if r.split == "excluded" else dataclasses.replace(r, split=split) for r in records]


def _has_window(records: list[Record], window: int) -> bool:
    return any(len(run) >= window for run in runs(records))


def require_window(records: Iterable[Record], window: int, where: str) -> None:
    """Raises TooFewFramesError where no `window` kept frames stand in a row."""
    longest = 0
    for run in runs(records):
        longest = max(longest, len(run))
        if longest >= window:
            return
    raise TooFewFramesError(where, longest, window)
