"""The decoder's own planes of a frame, so that what nobody changes is encoded from what was decoded."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import av
import numpy as np

from data.video.orientation import Orientation
from data.video.pixels import Box, Laid, Pixels, whole_of

# Pixel formats that are kept, as the encoder calls them: full range is a tag there, not a format.
KEPT = {
    "yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv420p10le": "yuv420p10le",
    "yuv422p": "yuv422p", "yuvj422p": "yuv422p", "yuv422p10le": "yuv422p10le",
    "yuv444p": "yuv444p", "yuvj444p": "yuv444p", "yuv444p10le": "yuv444p10le",
}  # fmt: skip


@dataclass(frozen=True)
class Planes:
    """What a picture was before it became R'G'B'.

    picture: as it was decoded, not upright. became: what it becomes: the frame's very own while nothing is changed.
    """

    picture: av.VideoFrame
    orientation: Orientation
    became: Pixels

    @property
    def pixels(self) -> str | None:
        """The encoder's name of the pixel format; None where it has none that keeps the planes."""
        return KEPT.get(self.picture.format.name)

    def arrays(self) -> list[np.ndarray]:
        """Y, U, V upright, each (height, width) uint8 or uint16 of its own size, copies."""
        depth = np.dtype("<u2") if self.picture.format.name.endswith("10le") else np.dtype("u1")
        return [self.orientation.upright(_content(plane, depth)).copy() for plane in self.picture.planes]

    def changed(self, pixels: Pixels | np.ndarray) -> "Change | None":
        """Where a frame's pixels are not what was decoded; None where they are the same everywhere."""
        if pixels is self.became:
            return None
        if isinstance(pixels, Laid) and pixels.below is self.became:
            return _difference(pixels.patch, self.became.part(pixels.box), pixels.box)
        rgb = whole_of(pixels)
        return _difference(rgb, self.became.whole(), Box(0, len(rgb), 0, rgb.shape[1]))


class Change(NamedTuple):
    """What of a picture was changed: the part outside of which nothing was, and in it which pixels, bool."""

    box: Box
    mask: np.ndarray

    def grown(self, by: int, size: tuple[int, int]) -> "Change":
        """The same with more about it, as `Box.grown` has it."""
        box = self.box.grown(by, size)
        inner, (height, width) = self.box.within(box), box.size
        around = (inner.top, height - inner.bottom), (inner.left, width - inner.right)
        return Change(box, np.pad(self.mask, around))


def _difference(new: np.ndarray, old: np.ndarray, at: Box) -> Change | None:
    other = new != old  # reduced along whole rows only: over the three channels NumPy takes ten times as long
    rows = np.flatnonzero(other.reshape(len(other), -1).any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(other[top:bottom].any(axis=0).any(axis=1))
    left, right = int(columns[0]), int(columns[-1]) + 1
    red, green, blue = np.moveaxis(other[top:bottom, left:right], 2, 0)
    return Change(Box(at.top + top, at.top + bottom, at.left + left, at.left + right), red | green | blue)


def lay_over(planes: list[np.ndarray], painted: list[np.ndarray], change: Change, size: tuple[int, int]) -> None:
    """Puts `painted` into `planes` where it was changed; of shared chroma, where any of its pixels was.

    painted: the planes of that part alone, which begins at an even place, of a picture (height, width) `size`.
    """
    for plane, new in zip(planes, painted, strict=True):
        rows, columns = size[0] // plane.shape[0], size[1] // plane.shape[1]
        here = change.mask.reshape(new.shape[0], rows, new.shape[1], columns).any(axis=(1, 3))
        top, left = change.box.top // rows, change.box.left // columns
        np.copyto(plane[top : top + new.shape[0], left : left + new.shape[1]], new, where=here)


def frame_of(planes: list[np.ndarray], pixels: str) -> av.VideoFrame:
    """Y, U, V as a frame to encode."""
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pixels)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = _rows(plane)
        content = np.ascontiguousarray(values).view(np.uint8).reshape(plane.height, -1)
        rows[:, : content.shape[1]] = content
        rows[:, content.shape[1] :] = 0  # what no pixel is may be read all the same
    return frame


def planes_of(frame: av.VideoFrame) -> list[np.ndarray]:
    """Y, U, V of a frame that is to be encoded; views, valid as long as the frame is."""
    depth = np.dtype("<u2") if frame.format.name.endswith("10le") else np.dtype("u1")
    return [_content(plane, depth) for plane in frame.planes]


def _content(plane: Any, depth: np.dtype) -> np.ndarray:
    """(height, width) view of a plane, whose rows are padded."""
    return _rows(plane)[:, : plane.width * depth.itemsize].view(depth)


def _rows(plane: Any) -> np.ndarray:
    """(height, bytes of a row) view of a plane."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height]
