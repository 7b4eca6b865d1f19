"""What a face looks like, as a short vector: enough to know a person again within one recording, without downloads.

It is no face recognition: other light, years or cameras are beyond it. Calibrated in `data/faces/follow.py`.
"""

import cv2
import numpy as np

from data.faces.align import crop, crop_matrix

_PATCH_PX = 48
# Nine blocks of 16 px without overlap, each 4 cells of 8 px with 9 directions: 324 numbers.
_HOG = cv2.HOGDescriptor((_PATCH_PX, _PATCH_PX), (16, 16), (16, 16), (8, 8), 9)
_GREY_PX = 12
_COLOUR_BINS = 8
# Shares of gradients, grey patch and colours in the similarity.
_SHARES = (0.6, 0.2, 0.2)


def describe(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(532,) float32 unit vector of the face at `points` ((5, 2) or (68, 2)) in an RGB frame.

    Three parts of unit length, weighted: directions of gradients (HOG, Dalal and Triggs 2005, less the mean of its
    blocks, which every face shares) and a zero-mean grey patch of the inner face; colours (a and b of Lab) of face,
    hair and collar.
    """
    grey = cv2.cvtColor(_patch(rgb, points, _PATCH_PX, zoom=1.6), cv2.COLOR_RGB2GRAY)
    blocks = np.asarray(_HOG.compute(grey)).reshape(-1, 36)
    small = cv2.resize(grey, (_GREY_PX, _GREY_PX), interpolation=cv2.INTER_AREA).astype(np.float64)
    lab = cv2.cvtColor(_patch(rgb, points, _PATCH_PX, zoom=0.8), cv2.COLOR_RGB2LAB)
    colours = cv2.calcHist([lab], [1, 2], None, [_COLOUR_BINS] * 2, [96, 160, 96, 160])
    colours = cv2.GaussianBlur(colours, (3, 3), 0)
    parts = [blocks - blocks.mean(0), small - small.mean(), np.sqrt(colours)]
    vector = np.concatenate([_unit(part) * np.sqrt(share) for part, share in zip(parts, _SHARES, strict=True)])
    return vector.astype(np.float32)


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Weighted cosine of two descriptions: 1 for the same picture, about 0.4 for different people."""
    return float(np.dot(a, b))


def _patch(rgb: np.ndarray, points: np.ndarray, size: int, zoom: float) -> np.ndarray:
    """The aligned face, `zoom` times larger about the crop's centre than the template has it."""
    return crop(rgb, crop_matrix(points, size, zoom), size)


def _unit(values: np.ndarray) -> np.ndarray:
    flat = np.asarray(values, np.float64).ravel()
    return flat / max(float(np.linalg.norm(flat)), 1e-9)
