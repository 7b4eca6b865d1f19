"""One frame of a clip as a line of JSON, and which frames follow each other."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any


@dataclass(frozen=True)
class Record:
    """One frame of a clip, kept or not.

    number: 0-based among the clip's frames. pts, time_base: as its container gave them.
    shot, track: which shot, and which run of the followed face; track is None where there is no face to follow.
    landmarks: [[x, y], ...] in pixels of the upright frame with square pixels. transform: 2x3, from there to the crop.
    sharpness: variance of the Laplacian of the picture. split: train, test, gap (between them) or excluded.
    reason: why it is excluded. repeats: shows the same as the frame before it, as drawings held for some frames do.
    follows: goes on from the frame before it, in the same shot and track with no hole in time between; None where that
    was not noted, or the frame is excluded.
    likeness: of the face to the person followed, where that is known. png: the picture is a PNG, which is smaller where
    it is drawn, and loses nothing.
    """

    clip: str
    number: int
    pts: int
    time_base: str
    shot: int
    split: str
    track: int | None = None
    landmarks: list[list[float]] | None = None
    transform: list[list[float]] | None = None
    sharpness: float | None = None
    reason: str | None = None
    repeats: bool | None = None
    follows: bool | None = None
    likeness: float | None = None
    png: bool | None = None

    @property
    def seconds(self) -> Fraction:
        """Presentation time in seconds, exact."""
        return self.pts * Fraction(self.time_base)

    @property
    def picture(self) -> str:
        """The picture's place inside the domain's folder."""
        return f"frames/{self.clip}/{self.file_name}"

    @property
    def file_name(self) -> str:
        """The picture's name in its clip's folder."""
        return f"{self.number + 1:06d}.{'png' if self.png else 'jpg'}"


_HEAVY = ("landmarks", "transform")
"""Written last in a line, so that they can be left unread: most of a line, and training needs none of it."""
_CUT = b',"landmarks":'


def to_line(record: Record) -> bytes:
    """A record as one line of JSON. Its clip is named by the file that it is in."""
    content = {key: value for key, value in vars(record).items() if value is not None and key != "clip"}
    last = {key: content.pop(key) for key in _HEAVY if key in content}
    return json.dumps(content | last, separators=(",", ":")).encode() + b"\n"


def from_lines(clip: str, lines: Iterable[bytes], *, landmarks: bool = True) -> list[Record]:
    """What `to_line` wrote; without landmarks and transform where they are not wanted. Raises ValueError, TypeError."""
    return [Record(clip, **content) for content in _contents(lines if landmarks else _lightened(lines))]


def columns_from_lines(lines: Iterable[bytes], names: Iterable[str]) -> dict[str, list[Any]]:
    """Some fields of what `to_line` wrote, name -> values, None where there is none: several times as fast.

    Neither landmarks nor transform are among them. Raises ValueError, TypeError.
    """
    contents = _contents(_lightened(lines))
    if not all(type(content) is dict for content in contents):
        raise TypeError("a line is no record")
    return {name: [content.get(name) for content in contents] for name in names}


def _lightened(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without what is heavy in them."""
    return (line[:end] + b"}" if (end := line.find(_CUT)) > 0 else line for line in lines)


def _contents(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    return json.loads(b"[" + b",".join(lines) + b"]")


HOLE_STEPS = 6
"""A step in time this many times as long as the usual one of its clip is a hole."""


def runs(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Longest stretches of consecutive kept frames of one clip, shot and track without a hole in time between them:
    where windows may lie.
    """
    kept = (record for record in records if record.split != "excluded")
    for _, part in groupby(kept, key=lambda record: record.clip):
        clip = list(part)
        usual = _usual_step(clip)
        stretch = clip[:1]
        for record in clip[1:]:
            if not _follows(record, stretch[-1], usual):
                yield stretch
                stretch = []
            stretch.append(record)
        yield stretch


def linked(records: list[Record]) -> list[Record]:
    """The records of one clip, each kept one with what `follows` says of it."""
    usual = _usual_step([record for record in records if record.split != "excluded"])
    found = []
    for place, record in enumerate(records):
        if record.split != "excluded":
            record = replace(record, follows=place > 0 and _goes_on(record, records[place - 1], usual))
        found.append(record)
    return found


def _follows(record: Record, last: Record, usual_step: int) -> bool:
    """Whether a frame goes on from the last one that is there, in the same part of the domain."""
    if (last.clip, last.split, last.number + 1) != (record.clip, record.split, record.number):
        return False
    return _goes_on(record, last, usual_step) if record.follows is None else record.follows


def _goes_on(record: Record, last: Record, usual_step: int) -> bool:
    near = record.pts - last.pts < HOLE_STEPS * usual_step
    return near and last.split != "excluded" and (last.shot, last.track) == (record.shot, record.track)


def _usual_step(clip: list[Record]) -> int:
    """Median from a frame to the next one, in units of the clip's time base."""
    steps = sorted(other.pts - one.pts for one, other in pairwise(clip) if other.number == one.number + 1)
    return steps[len(steps) // 2] if steps else 0


def windows_in(run: list[Record], window: int) -> list[list[Record]]:
    """Every window of that many frames in one of `runs`.

    They step over frames that repeat the one before, so that there is motion in them; over none in a run that is still
    as a whole.
    """
    moving = [record for place, record in enumerate(run) if not (place and record.repeats)]
    frames = moving if len(moving) >= window else run
    return [frames[first : first + window] for first in range(len(frames) - window + 1)]
