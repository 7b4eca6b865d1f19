"""Crop <-> frame: similarity transform to a fixed template, paste back.

Points are (x, y) in pixels with pixel centres at whole numbers. A transform is a (2, 3) float64 matrix that maps
upright frame coordinates with square pixels to crop coordinates. Where the stored pixels of a frame are not square,
`scale` = (stored width / square width, stored height / square height) leads from the former to the latter.
"""

import math
from functools import partial

import cv2
import numpy as np

from data.faces.warp import compose, invert, stretch, warp, warp_part
from data.video.pixels import Box, Laid, Pixels, part_of, size_of

# Where a crop of size 1 has the right eye, left eye, nose tip, right and left corner of the mouth (the subject's
# right: smaller x). The eyes are 0.27 apart, so that a face fills about 60 % of the width and the crop holds it from
# the hairline to the chin. The proportions are those of YuNet's points on frontal faces.
TEMPLATE = np.array([[0.365, 0.410], [0.635, 0.410], [0.500, 0.575], [0.377, 0.700], [0.623, 0.700]])
FACE_WIDTH = 0.60  # of the crop
UNIT_SCALE = (1.0, 1.0)


def five_points(points: np.ndarray) -> np.ndarray:
    """(5, 2) points in the template's order from (5, 2), or from (68, 2) landmarks in iBUG's order."""
    points = np.asarray(points, dtype=np.float64)
    if points.shape == (5, 2):
        return points
    if points.shape != (68, 2):
        raise ValueError(f"expected (5, 2) or (68, 2) points, got {points.shape}")
    return np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3) transform without reflection that brings `source` closest to `target` in least squares.

    Both (n, 2), n >= 2. Umeyama, PAMI 1991, equations 38-43.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    mean_source, mean_target = source.mean(0), target.mean(0)
    a, b = source - mean_source, target - mean_target
    u, d, vt = np.linalg.svd(b.T @ a)
    s = np.array([1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = u @ np.diag(s) @ vt
    scale = (d * s).sum() / max((a**2).sum(), 1e-12)
    return np.column_stack([scale * rotation, mean_target - scale * rotation @ mean_source])


def crop_matrix(points: np.ndarray, size: int, zoom: float = 1.0) -> np.ndarray:
    """Transform from the frame to a size x size crop with the face on the template.

    points: (5, 2) or (68, 2). zoom: makes the face larger than the template has it, about the crop's centre.
    """
    # Multiplied from edge to edge: template 0 and 1 are the crop's borders, half a pixel outside the outer centres.
    return similarity(five_points(points), ((TEMPLATE - 0.5) * zoom + 0.5) * size - 0.5)


def face_width(points: np.ndarray) -> float:
    """Width of the face in pixels as the template has it. `points` (5, 2) or (68, 2)."""
    return FACE_WIDTH / max(scale_of(crop_matrix(points, 1)), 1e-9)


def scale_of(matrix: np.ndarray) -> float:
    """How many times larger the transform makes things (root of its area factor)."""
    return math.sqrt(abs(np.linalg.det(matrix[:, :2])))


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 2) points through the transform."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def _from_stored(matrix: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    return matrix if scale == UNIT_SCALE else compose(matrix, stretch(1 / scale[0], 1 / scale[1]))


def crop(
    pixels: Pixels | np.ndarray, matrix: np.ndarray, size: int, *, scale: tuple[float, float] = UNIT_SCALE
) -> np.ndarray:
    """(size, size, 3) uint8 crop of a frame; what lies outside the frame is its mirror image.

    pixels: (height, width, 3) uint8, or what becomes that; no more is made of it than is needed.
    """
    stored = _from_stored(matrix, scale)
    return warp_part(partial(part_of, pixels), size_of(pixels), stored, size, size, cv2.BORDER_REFLECT_101)


def paste(
    pixels: Pixels | np.ndarray,
    crop_rgb: np.ndarray,
    matrix: np.ndarray,
    mask: np.ndarray,
    *,
    scale: tuple[float, float] = UNIT_SCALE,
) -> Pixels | np.ndarray:
    """The frame with the crop laid back where it was cut; what the mask does not reach keeps its bytes.

    pixels: as for `crop`. crop_rgb (size, size, 3) uint8; mask (size, size) float32 in [0, 1].
    """
    back = invert(_from_stored(matrix, scale))
    height, width = size_of(pixels)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return pixels
    left, right, top, bottom = columns[0] - 1, columns[-1] + 1, rows[0] - 1, rows[-1] + 1
    corners = apply(back, np.array([[left, top], [right, top], [left, bottom], [right, bottom]]))
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0).tolist()
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (width, height)).tolist()
    if x0 >= x1 or y0 >= y1:
        return pixels
    window = compose(np.array([[1.0, 0, -x0], [0, 1.0, -y0]]), back)
    laid = warp(crop_rgb, window, x1 - x0, y1 - y0, cv2.BORDER_REPLICATE).astype(np.float32)
    # A mask has nothing fine, and must not overshoot.
    alpha = cv2.warpAffine(mask, window, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)[..., None]
    box = Box(y0, y1, x0, x1)
    there = part_of(pixels, box)
    # there + alpha * (laid - there), in place: the pictures are large
    laid -= there
    laid *= alpha
    laid += there
    return Laid(pixels, box, np.rint(laid, out=laid).astype(np.uint8))
