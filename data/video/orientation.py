"""Which way up a stored picture is shown, as the display matrix of its frames says."""

import math
from dataclasses import dataclass
from typing import Any

import av
import av.filter
import numpy as np

from data.video.pixels import Box

# libavutil's number of the display matrix among the kinds of a frame's side data, of which it has some thirty so far.
_DISPLAY_MATRIX, _KINDS = 6, 64


@dataclass(frozen=True)
class Orientation:
    """How stored pixels become upright ones.

    rotation: degrees counter-clockwise: 0, 90, 180 or 270. signs: [[a, b], [c, d]] of the display matrix
    (libavutil/display.h): a stored pixel at (p, q) is shown at (a p + c q, b p + d q).
    """

    rotation: int = 0
    signs: tuple[tuple[int, int], tuple[int, int]] = ((1, 0), (0, 1))

    @property
    def transposed(self) -> bool:
        """Whether width and height swap."""
        return self.signs[0][1] != 0

    def upright(self, stored: np.ndarray) -> np.ndarray:
        """(height, width, ...) of any depth, as it is to be seen."""
        if self.transposed:
            stored = stored.swapaxes(0, 1)
        across, down = np.sum(self.signs, axis=0)  # one of the two in each column is not zero
        return np.ascontiguousarray(stored[:: int(down), :: int(across)])

    def stored(self, box: Box, size: tuple[int, int]) -> Box:
        """Where a part of the upright picture, which is (height, width) `size`, is in the stored one."""
        across, down = np.sum(self.signs, axis=0)
        rows, columns = (box.top, box.bottom), (box.left, box.right)
        if down < 0:
            rows = size[0] - box.bottom, size[0] - box.top
        if across < 0:
            columns = size[1] - box.right, size[1] - box.left
        return Box(*columns, *rows) if self.transposed else Box(*rows, *columns)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """What the frame's display matrix asks for; angles between quarter turns are not applied."""
    side_data: Any = _with_display_matrix_alone(frame).side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return Orientation()
    matrix = np.frombuffer(side_data, "=i4").astype(np.float64).reshape(3, 3)[:2, :2]
    length = np.abs(matrix).max()
    if length == 0 or not np.all((np.abs(matrix) < 0.03 * length) | (np.abs(matrix) > 0.97 * length)):
        return Orientation()
    signs = np.rint(matrix / length).astype(int)
    if abs(round(np.linalg.det(signs))) != 1:
        return Orientation()
    rotation = round(math.degrees(math.atan2(-signs[0, 1], signs[0, 0]))) % 360
    (a, b), (c, d) = signs.tolist()
    return Orientation(rotation, ((a, b), (c, d)))


def _with_display_matrix_alone(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame without its other side data: PyAV falls over kinds that it cannot name, and over colour profiles."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    deleting = (
        graph.add("sidedata", mode="delete", type=str(kind)) for kind in range(_KINDS) if kind != _DISPLAY_MATRIX
    )
    graph.link_nodes(source, *deleting, graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()
