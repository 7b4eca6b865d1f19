"""Pictures through an affine transform, with all that the new scale can hold and nothing that it cannot.

Three steps, each of which changes nothing where it has nothing to do, so that no scale looks other than its neighbours:
what is finer than the new pixels is taken out by a Lanczos kernel as wide as they are; the picture is laid on a grid
twice as fine by a kernel of 16 samples, for interpolation blurs what is as fine as its own grid; and that is sampled by
OpenCV's cubic interpolation with some of its linear one, which on such a grid keep as much as its Lanczos one and
take half of the time. Where so much is taken out that the grid need not be doubled, it is the Lanczos one.

Transforms are (2, 3) float64, from source to result, in pixels with centres at whole numbers.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from data.video.pixels import Box

_LOBES = 3  # of the kernel that shrinks
_HALF_TAPS = 8  # of the kernel that doubles the grid, on each side
_LINEAR_PART = 0.2
"""Of what is sampled on the doubled grid: of bytes, which every step rounds, cubic alone adds to what was there."""
_DOUBLED_UP_TO = 2.0
"""Shrinking by more than this leaves nothing as fine as the source's own grid."""
_TAKEN_TOGETHER = 3.0
"""Pixels are averaged by whole numbers before the kernel where a new pixel is this many times so many old ones wide:
the average takes 5 % from the finest that is kept, and most of the time away."""


def warp(picture: np.ndarray, matrix: np.ndarray, width: int, height: int, border: int) -> np.ndarray:
    """`picture` (H, W) or (H, W, 3), uint8 or float32, seen through the transform: (height, width) of its kind.

    border: OpenCV's name for what lies outside of the picture.
    """
    size = picture.shape[0], picture.shape[1]
    return warp_part(lambda box: picture[box.inside], size, matrix, width, height, border)


def warp_part(
    part: Callable[[Box], np.ndarray], size: tuple[int, int], matrix: np.ndarray, width: int, height: int, border: int
) -> np.ndarray:
    """The same of a picture (height, width) `size` of which no more than the part that is needed is asked for."""
    box = _needed(size, matrix, width, height, border)
    picture, matrix = part(box), compose(matrix, np.array([[1.0, 0, box.left], [0, 1.0, box.top]]))
    shrink = np.maximum(1 / np.maximum(np.linalg.norm(matrix[:, :2], axis=0), 1e-6), 1.0)  # along x and along y
    together = np.maximum(shrink // _TAKEN_TOGETHER, 1).astype(int)
    if together.max() > 1:
        picture, matrix = _averaged(picture, matrix, together)
        shrink = shrink / together
    if shrink.max() > 1:
        picture = cv2.sepFilter2D(picture, -1, _low_pass(round(shrink[0], 4)), _low_pass(round(shrink[1], 4)))
    if shrink.min() >= _DOUBLED_UP_TO:
        return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LANCZOS4, borderMode=border)
    picture, matrix = _doubled(picture), compose(matrix, np.diag([0.5, 0.5, 1.0])[:2])
    cubic, linear = (
        cv2.warpAffine(picture, matrix, (width, height), flags=how, borderMode=border)
        for how in (cv2.INTER_CUBIC, cv2.INTER_LINEAR)
    )
    return cv2.addWeighted(cubic, 1 - _LINEAR_PART, linear, _LINEAR_PART, 0)


def compose(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The transform that does `before`, then `after`."""
    return np.column_stack([after[:, :2] @ before[:, :2], after[:, :2] @ before[:, 2] + after[:, 2]])


def invert(matrix: np.ndarray) -> np.ndarray:
    """The (2, 3) transform that undoes `matrix`."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.column_stack([inverse, -inverse @ matrix[:, 2]])


def stretch(x: float, y: float) -> np.ndarray:
    """Scaling of a pixel grid: borders stay borders, so pixel centres move by half a pixel less."""
    return np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2]])


def _needed(size: tuple[int, int], matrix: np.ndarray, width: int, height: int, border: int) -> Box:
    """The part of the picture that the result is made of."""
    back = invert(matrix)
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]) @ back[:, :2].T + back[:, 2]
    margin = _LOBES * max(np.linalg.norm(back[:, :2], axis=1).max(), 1.0) + _HALF_TAPS + 4
    low, high = corners.min(0) - margin, corners.max(0) + margin
    whole = np.array(size[::-1])
    if border == cv2.BORDER_REFLECT_101:  # what is mirrored at a border lies as deep inside
        low, high = np.minimum(low, 2 * whole - high), np.maximum(high, -low)
    x0, y0 = np.clip(np.floor(low), 0, whole - 1).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(high) + 1, [x0 + 1, y0 + 1], whole).astype(int).tolist()
    return Box(y0, y1, x0, x1)


def _averaged(picture: np.ndarray, matrix: np.ndarray, together: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every `together` (x, y) pixels as one, and the transform from there; the borders are mirrored to whole ones."""
    height, width = picture.shape[:2]
    spare_x, spare_y = -width % together[0], -height % together[1]
    if spare_x or spare_y:
        picture = cv2.copyMakeBorder(picture, 0, spare_y, 0, spare_x, cv2.BORDER_REFLECT)
    size = picture.shape[1] // int(together[0]), picture.shape[0] // int(together[1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), compose(matrix, stretch(*together))


@lru_cache(maxsize=64)
def _low_pass(width: float) -> np.ndarray:
    """A Lanczos kernel `width` pixels wide; of width 1 it changes nothing."""
    reach = math.ceil(_LOBES * width)
    x = np.arange(-reach, reach + 1) / width
    kernel = np.where(np.abs(x) < _LOBES, np.sinc(x) * np.sinc(x / _LOBES), 0)
    return (kernel / kernel.sum()).astype(np.float32)


def _doubled(picture: np.ndarray) -> np.ndarray:
    """The picture with new samples half-way between its own: (2H - 1, 2W - 1)."""
    x = np.arange(-_HALF_TAPS, _HALF_TAPS) + 0.5
    kernel = np.sinc(x) * np.sinc(x / _HALF_TAPS)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    one = np.ones(1, np.float32)
    right = cv2.sepFilter2D(picture, -1, kernel, one, anchor=(_HALF_TAPS - 1, 0))
    height, width = picture.shape[:2]
    fine = np.empty((2 * height, 2 * width, *picture.shape[2:]), picture.dtype)
    fine[::2, ::2], fine[::2, 1::2] = picture, right
    fine[1::2] = cv2.sepFilter2D(np.ascontiguousarray(fine[::2]), -1, one, kernel, anchor=(0, _HALF_TAPS - 1))
    return fine[:-1, :-1]
