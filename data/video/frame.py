"""A picture of a video with its exact time, and what its container says about the whole."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.video.pixels import Box, Pixels, part_of, size_of, whole_of
from data.video.planes import Planes

PICTURE_RATE = Fraction(25)
"""Frames a second that a folder of pictures is taken to have."""


@dataclass(frozen=True)
class Frame:
    """One upright frame.

    rgb: (height, width, 3) uint8, full range, display-referred R'G'B' as an SDR screen shows it. `Pixels` may be given
    for it: then it is made when it is first asked for, and `part` makes no more than is needed.
    number: 0-based position among the frames that decode.
    pts: presentation timestamp in units of `time_base`, exactly as the container gave it.
    time_base: seconds a unit of pts.
    duration: length on screen in units of `time_base`; 0 where the container does not say.
    planes: the decoder's own, where what is not changed may be encoded from them.
    shape: how often the picture has changed its shape so far; later shapes are fitted into the first one's with bars.
    """

    rgb: np.ndarray
    number: int
    pts: int
    time_base: Fraction
    duration: int = 0
    planes: Planes | None = None
    shape: int = 0

    @property
    def pixels(self) -> Pixels | np.ndarray:
        """What `rgb` is made of, or it itself."""
        return self.__dict__["_pixels"]

    def with_pixels(self, pixels: Pixels | np.ndarray) -> "Frame":
        """The same frame, showing these."""
        made = copy(self)
        made.__dict__["_pixels"] = pixels
        return made

    def numbered(self, number: int) -> "Frame":
        """The same frame under another number; its pixels are not made for that, as `dataclasses.replace` would."""
        made = copy(self)
        made.__dict__["number"] = number
        return made

    def part(self, box: Box) -> np.ndarray:
        """That part of `rgb`."""
        return part_of(self.pixels, box)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of `rgb`."""
        return size_of(self.pixels)

    @property
    def seconds(self) -> Fraction:
        """Presentation time in seconds, exact."""
        return self.pts * self.time_base


class _Rgb:
    """A field whose value may be `Pixels`, which become an array when they are first asked for."""

    def __get__(self, frame: Frame, owner: type) -> np.ndarray:
        return whole_of(frame.pixels)

    def __set__(self, frame: Frame, value: Pixels | np.ndarray) -> None:
        frame.__dict__["_pixels"] = value


Frame.rgb = _Rgb()  # type: ignore[assignment]  # after the dataclass is made, which would take it for a default


@dataclass(frozen=True)
class Glance:
    """A frame made small, to be looked at and not to be kept.

    rgb: (height, width, 3) uint8 with square pixels. number, seconds, shape: as the frame's. size: (width, height) of
    the frame with square pixels. whole: makes the frame's own pixels.
    """

    rgb: np.ndarray
    number: int
    seconds: Fraction
    shape: int
    size: tuple[int, int]
    whole: Callable[[], np.ndarray]

    def numbered(self, number: int) -> "Glance":
        """The same under another number."""
        return replace(self, number=number)


def fitted_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) made smaller, where it is larger, so that the longer side is `longest`."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@dataclass(frozen=True)
class VideoInfo:
    """What the container says of its first real video stream. Sizes are in pixels, already upright.

    width, height: of the stored pixels after rotation (sample aspect not applied).
    sample_aspect: width of a stored pixel over its height, after rotation; 1 for square pixels.
    rotation: degrees counter-clockwise that were applied on reading: 0, 90, 180 or 270.
    rate: average frames a second; 0 where unknown.
    frames: how many the header promises (an estimate for progress bars, never trusted); None where unknown.
    colour: FFmpeg's names of range, matrix ("space"), primaries, transfer; "unspecified" where untagged.
    begins: presentation time of the first frame in seconds.
    transparent: whether its pictures may be.
    """

    path: str
    width: int
    height: int
    sample_aspect: Fraction
    rotation: int
    rate: Fraction
    time_base: Fraction
    frames: int | None
    codec: str
    pixel_format: str
    colour: dict[str, str]
    interlaced: bool
    audio_tracks: int
    begins: Fraction = Fraction(0)
    transparent: bool = False

    @classmethod
    def of_pictures(cls, folder: Path, rgb: np.ndarray, frames: int) -> "VideoInfo":
        """What a folder of pictures like this one, (height, width, 3), is taken to be."""
        return cls(
            path=str(folder),
            width=rgb.shape[1],
            height=rgb.shape[0],
            sample_aspect=Fraction(1),
            rotation=0,
            rate=PICTURE_RATE,
            time_base=1 / PICTURE_RATE,
            frames=frames,
            codec="pictures",
            pixel_format="rgb24",
            colour={},
            interlaced=False,
            audio_tracks=0,
        )

    @property
    def display_size(self) -> tuple[int, int]:
        """(width, height) in square pixels: the stored height is kept where pixels are wide, the width where tall."""
        if self.sample_aspect >= 1:
            return max(1, round(self.width * self.sample_aspect)), self.height
        return self.width, max(1, round(self.height / self.sample_aspect))
