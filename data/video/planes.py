"""The decoder's own planes of a frame, so that what nobody changes is encoded from what was decoded."""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from data.video.orientation import Orientation

# Pixel formats that are kept, as the encoder calls them: full range is a tag there, not a format.
KEPT = {
    "yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv420p10le": "yuv420p10le",
    "yuv422p": "yuv422p", "yuvj422p": "yuv422p", "yuv422p10le": "yuv422p10le",
    "yuv444p": "yuv444p", "yuvj444p": "yuv444p", "yuv444p10le": "yuv444p10le",
}  # fmt: skip


@dataclass(frozen=True)
class Planes:
    """What a picture was before it became R'G'B'.

    picture: as it was decoded, not upright. rgb: what it became: the very array of the frame while nothing is changed.
    """

    picture: av.VideoFrame
    orientation: Orientation
    rgb: np.ndarray

    @property
    def pixels(self) -> str | None:
        """The encoder's name of the pixel format; None where it has none that keeps the planes."""
        return KEPT.get(self.picture.format.name)

    def arrays(self) -> list[np.ndarray]:
        """Y, U, V upright, each (height, width) uint8 or uint16 of its own size, copies."""
        depth = np.dtype("<u2") if self.picture.format.name.endswith("10le") else np.dtype("u1")
        return [self.orientation.upright(_content(plane, depth)).copy() for plane in self.picture.planes]

    def changed(self, rgb: np.ndarray) -> np.ndarray | None:
        """(height, width) bool, where `rgb` is not what was decoded; None where it is the same everywhere."""
        if rgb is self.rgb:
            return None
        mask = (rgb != self.rgb).any(axis=2)
        return mask if mask.any() else None


def laid_over(planes: list[np.ndarray], painted: list[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
    """`planes` with `painted` where `mask` (height, width) holds; of shared chroma, where any of its pixels does."""
    result = []
    for plane, new in zip(planes, painted, strict=True):
        rows, columns = mask.shape[0] // plane.shape[0], mask.shape[1] // plane.shape[1]
        here = mask.reshape(plane.shape[0], rows, plane.shape[1], columns).any(axis=(1, 3))
        result.append(np.where(here, new, plane))
    return result


def frame_of(planes: list[np.ndarray], pixels: str) -> av.VideoFrame:
    """Y, U, V as a frame to encode."""
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pixels)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        content = np.ascontiguousarray(values).view(np.uint8).reshape(plane.height, -1)
        rows[:, : content.shape[1]] = content
        plane.update(rows.tobytes())
    return frame


def planes_of(frame: av.VideoFrame) -> list[np.ndarray]:
    """Y, U, V of a frame that is to be encoded; views, valid as long as the frame is."""
    depth = np.dtype("<u2") if frame.format.name.endswith("10le") else np.dtype("u1")
    return [_content(plane, depth) for plane in frame.planes]


def _content(plane: Any, depth: np.dtype) -> np.ndarray:
    """(height, width) view of a plane, whose rows are padded."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height]
    return rows[:, : plane.width * depth.itemsize].view(depth)
