"""A stretch of time of a source, as a source of its own."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from data.domain.sources import Source, Video
from data.errors import SettingsError
from data.video.frame import Frame, Glance, VideoInfo
from data.video.reader import read_frames, read_glances

Seen = TypeVar("Seen", Frame, Glance)


@dataclass(frozen=True)
class Part(Source):
    """The frames of `whole` with start <= time < stop, in seconds by its own clock, numbered from 0."""

    whole: Source
    start: Fraction
    stop: Fraction | None

    @property
    def kind(self) -> str:
        return self.whole.kind

    @property
    def sound(self) -> Path | None:
        return self.whole.sound

    @property
    def label(self) -> str:
        return self.whole.label

    def glances(self, longest_px: int) -> Iterator[Glance]:
        if isinstance(self.whole, Video):
            start, stop, background = self.start, self.stop, self.whole.background
            found = read_glances(self.path, self.info, longest_px, start=start, stop=stop, background=background)
        else:
            found = (glance for glance in self.whole.glances(longest_px) if self._holds(glance.seconds))
        return self._numbered(found)

    def content(self) -> dict[str, Any]:
        return self.whole.content() | self.settings("")

    def _holds(self, seconds: Fraction) -> bool:
        return seconds >= self.start and (self.stop is None or seconds < self.stop)

    def frames(self, start: Fraction | None = None) -> Iterator[Frame]:
        return (frame for frame in self._numbered(self.any_frames()) if start is None or frame.seconds >= start)

    def _numbered(self, found: Iterator[Seen]) -> Iterator[Seen]:
        number = -1
        for number, one in enumerate(found):
            yield one.numbered(number)
        if number < 0:
            begin = float(self.start - self.whole.info.begins)
            end = "on" if self.stop is None else f"to {begin + float(self.stop - self.start):.2f} s"
            raise SettingsError(f"{self.path}: no frame from {begin:.2f} s {end}; choose another part")

    def any_frames(self) -> Iterator[Frame]:
        """Those there are, perhaps none, with numbers of their own."""
        if isinstance(self.whole, Video):
            background = self.whole.background
            return read_frames(self.path, start=self.start, stop=self.stop, near=True, background=background)
        return (frame for frame in self.whole.frames(self.start) if self._holds(frame.seconds))

    def sha256(self) -> str:
        return self.whole.sha256()

    def settings(self, strips: str) -> dict[str, Any]:
        stop = None if self.stop is None else str(self.stop)
        return self.whole.settings(strips) | {"start": str(self.start), "stop": stop}

    def notes(self) -> list[str]:
        return self.whole.notes()


def part_of(whole: Source, start: Fraction | None, stop: Fraction | None) -> Source:
    """The source between two times, in seconds from its first frame on; itself where both are None.

    Raises SettingsError.
    """
    if start is None and stop is None:
        return whole
    if whole.shot_frames is not None:
        raise SettingsError(f"{whole.path}: its pictures do not follow each other in time, so no part can be named")
    begins = whole.info.begins
    first, end = begins + (start or 0), None if stop is None else begins + stop
    frames = whole.info.frames
    if frames is not None and whole.info.rate:
        rest = max(Fraction(0), frames - (start or 0) * whole.info.rate)
        frames = round(rest if stop is None else min(rest, (stop - (start or 0)) * whole.info.rate))
    return Part(whole.path, dataclasses.replace(whole.info, frames=frames), whole, first, end)


_LOOKED_BACK_SECONDS = (2, 20)


def shown_at(source: Source, seconds: Fraction) -> Frame:
    """The frame that is on the screen so many seconds after the first one appears. Raises SettingsError."""
    at, info = source.info.begins + seconds, source.info
    for start in (*(max(info.begins, at - back) for back in _LOOKED_BACK_SECONDS), info.begins):
        shown = None
        for frame in Part(source.path, info, source, start, None).any_frames():
            if frame.seconds > at:
                if shown is not None:
                    return shown
                break
            shown = frame
        if shown is not None and at < shown.seconds + max(shown.duration * shown.time_base, _usual_step(info)):
            return shown
    raise SettingsError(f"{source.path}: shows nothing at {float(seconds):.2f} s; choose a time inside it")


def _usual_step(info: VideoInfo) -> Fraction:
    return 1 / info.rate if info.rate else Fraction(1)
