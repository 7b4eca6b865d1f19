"""How far the pictures of a result, taken together, are from a domain's: distances between two sets of features.

Features are (n, D) float64, a row a picture. Which frame shows what plays no part, so no truth is needed.
"""

from collections.abc import Callable

import cv2
import numpy as np

DESCRIBED_PX = 64
"""Side that pictures are described at."""
GRID = 4
"""Cells along each side that a description keeps apart."""
SCALES = 3
"""Sizes whose edges are described, each half of the one before."""
DIRECTIONS = 8
"""Directions that edges are sorted into, dark to light over all of the circle."""
LIGHT, COLOUR, EDGES = 1 / 50, 1 / 25, 1 / 8
"""What L, a and b of CIELAB and edges (change of L over two pixels) are multiplied by: much change counts about 1."""
MOST_PICTURES = 512
"""Pictures of a set that are described, spread evenly over it; even."""


def describe(rgb: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 as (480,) float64: its colours and edges, roughly where they are. Needs no weights.

    Of the middle square at 64 x 64, in 4 x 4 cells: mean and standard deviation of L, a and b (96 numbers); then, at
    64, 32 and 16 pixels, the strength of edges in 8 directions (3 x 128): histograms of oriented gradients (Dalal and
    Triggs 2005) without their normalisation, so that blur shows.

    >>> flat = describe(np.full((80, 100, 3), 128, np.uint8))
    >>> flat.shape, bool(flat[96:].any())  # no edges
    ((480,), False)
    """
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    square = rgb[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > DESCRIBED_PX else cv2.INTER_LINEAR
    square = cv2.resize(square, (DESCRIBED_PX, DESCRIBED_PX), interpolation=how).astype(np.float32) / 255
    lab = cv2.cvtColor(square, cv2.COLOR_RGB2LAB).astype(np.float64) * (LIGHT, COLOUR, COLOUR)
    mean = _cells(lab)
    parts = [mean, np.sqrt(np.maximum(_cells(lab**2) - mean**2, 0))]
    light: np.ndarray = lab[..., 0] / LIGHT
    for _ in range(SCALES):
        parts.append(_cells(_edges(light)) * EDGES)
        light = cv2.resize(light, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.concatenate([part.ravel() for part in parts])


def _cells(values: np.ndarray) -> np.ndarray:
    """(H, W, C) to its means over the cells of a grid: (GRID, GRID, C)."""
    height, width, channels = values.shape
    return values.reshape(GRID, height // GRID, GRID, width // GRID, channels).mean((1, 3))


def _edges(light: np.ndarray) -> np.ndarray:
    """(H, W) to (H, W, DIRECTIONS): each pixel's gradient shared between the two directions that it lies between."""
    padded = np.pad(light, 1, mode="edge")
    across, down = padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    place = np.arctan2(down, across) / (2 * np.pi) * DIRECTIONS
    distance = np.abs((place[..., None] - np.arange(DIRECTIONS) + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2)
    return np.hypot(across, down)[..., None] * np.maximum(1 - distance, 0)


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of (n, D) and (m, D) under the kernel of KID (Bińkowski et al. 2018).

    k(a, b) = (a·b / D + 1)³; the estimate is eq. 3 of Gretton et al. 2012: mean of k over pairs of different rows of x,
    and of y, less twice the mean over pairs of one of each. 0 on average where both are of one distribution, so it can
    be a little below 0.
    n, m at least 2.

    >>> dark, light = np.zeros((3, 1)), np.ones((3, 1))
    >>> kernel_distance(dark, dark), kernel_distance(dark, light)  # 1 + 8 - 2 * 1
    (0.0, 7.0)
    >>> few = np.array([[0.0], [1.0]])
    >>> kernel_distance(few, few)  # two pictures say nothing
    -3.5
    """

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: np.ndarray) -> float:
        pairs = kernel(a, a)
        return float((pairs.sum() - np.trace(pairs)) / (len(a) * (len(a) - 1)))

    return within(x) + within(y) - 2 * float(kernel(x, y).mean())


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Squared Fréchet distance of the normal distributions fitted to (n, D) and (m, D): FID (Heusel et al. 2017).

    ‖μ - μ'‖² + Tr(Σ + Σ' - 2 (Σ Σ')^½), covariances over n - 1. With Σ = A'A, Σ' = B'B the eigenvalues of Σ Σ' are the
    squared singular values of A B', which is small and exact where D is far more than n. n, m at least 2.

    >>> x = np.array([[-1.0], [1.0]])
    >>> round(frechet_distance(x, x + 3), 6), round(frechet_distance(x, 2 * x), 6)  # 3²; (√8 - √2)²
    (9.0, 2.0)
    """
    a, b = ((rows - rows.mean(0)) / np.sqrt(len(rows) - 1) for rows in (x, y))
    shared = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * shared)


class Sample:
    """Features of at most MOST_PICTURES pictures of a clip whose length is not known, spread evenly over it.

    >>> sample = Sample(lambda rgb: rgb[0, 0, :1])
    >>> for number in range(1000):
    ...     sample.add(np.full((1, 1, 3), number % 256, np.uint8))
    >>> sample.rows.shape, sample.rows[:4, 0]
    ((500, 1), array([0., 2., 4., 6.]))
    """

    def __init__(self, features: Callable[[np.ndarray], np.ndarray]) -> None:
        self._features = features
        self._rows: list[np.ndarray] = []
        self._seen, self._step = 0, 1

    def add(self, rgb: np.ndarray) -> None:
        """The next picture."""
        if self._seen % self._step == 0:
            if len(self._rows) == MOST_PICTURES:
                self._rows = self._rows[::2]  # those at multiples of twice the step
                self._step *= 2
            self._rows.append(self._features(rgb))
        self._seen += 1

    @property
    def rows(self) -> np.ndarray:
        """(n, D) float64."""
        return np.stack(self._rows).astype(np.float64) if self._rows else np.zeros((0, 0))
