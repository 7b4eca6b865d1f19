"""Measures of how near a picture is to another: pure functions, and PSNR over a clip."""

import numpy as np
from skimage.metrics import structural_similarity

SSIM_SIGMA_PX = 1.5
SSIM_SMALLEST_PX = 11
"""Side of SSIM's Gaussian window."""


def psnr(result: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over all pixels of two uint8 arrays of one shape; infinite where they are equal.

    10 log10(255² / mean squared error). Raises ValueError for different shapes.

    Twice as far off is 6 dB less:

    >>> truth = np.full((4, 4, 3), 100, np.uint8)
    >>> [round(psnr(truth + levels, truth), 1) for levels in (1, 2, 4)]
    [48.1, 42.1, 36.1]
    >>> psnr(truth, truth)
    inf
    """
    return _decibels(squared_error(result, truth))


def squared_error(result: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared difference of two uint8 arrays of one shape. Raises ValueError for different shapes."""
    return float(np.mean(_difference(result, truth) ** 2))


def absolute_error(result: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute difference of two uint8 arrays of one shape, in grey levels. Raises ValueError for different
    shapes.

    Where an error is gathered in one place, the squared one rises and this one does not:

    >>> nothing, spread, gathered = (np.array(row, np.uint8) for row in ([0, 0, 0, 0], [1, 1, 1, 1], [4, 0, 0, 0]))
    >>> absolute_error(spread, nothing), absolute_error(gathered, nothing)
    (1.0, 1.0)
    >>> squared_error(spread, nothing), squared_error(gathered, nothing)
    (1.0, 4.0)
    """
    return float(np.mean(np.abs(_difference(result, truth))))


def ssim(result: np.ndarray, truth: np.ndarray) -> float | None:
    """Structural similarity (Wang et al. 2004) of two (H, W, 3) uint8 pictures: 1 where they are equal.

    Gaussian window of 1.5 px, K1 0.01, K2 0.03, mean over channels, as in the paper. None for pictures smaller than the
    window of 11 px.

    Brighter by 20 levels costs little, the negative, though it has every edge in its place, everything:

    >>> stripes = np.tile(np.array([60, 180], np.uint8).repeat(4), 4)[None, :, None].repeat(32, 0).repeat(3, 2)
    >>> round(ssim(stripes + 20, stripes), 2), round(ssim(240 - stripes, stripes), 2)
    (0.99, -0.88)
    """
    if min(truth.shape[:2]) < SSIM_SMALLEST_PX:
        return None
    return float(
        structural_similarity(
            result,
            truth,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=SSIM_SIGMA_PX,
            use_sample_covariance=False,
        )
    )


class ClipPsnr:
    """PSNR over all pixels of a clip: of the mean of its frames' squared errors, and not the mean of their PSNRs.

    One frame without a fault does not make up for another one:

    >>> truth, clip = np.full((4, 4, 3), 100, np.uint8), ClipPsnr()
    >>> [round(clip.add(result, truth), 1) for result in (truth, truth + 10)]
    [inf, 28.1]
    >>> round(clip.value, 1)
    31.1
    """

    def __init__(self) -> None:
        self._errors = self._frames = 0.0

    def add(self, result: np.ndarray, truth: np.ndarray) -> float:
        """One frame of both, all of one size. Gives its own PSNR in dB."""
        error = squared_error(result, truth)
        self._errors += error
        self._frames += 1
        return _decibels(error)

    @property
    def value(self) -> float:
        """In dB, after at least one frame."""
        return _decibels(self._errors / self._frames)


class Correlation:
    """Pearson's correlation of numbers that come in pairs, kept as sums.

    Of how much and not of how large: what moves half as far in the same rhythm has 1.

    >>> motion, mouth = Correlation(), np.array([0.0, 3.0, 1.0, 4.0])
    >>> motion.add(mouth, mouth / 2)
    >>> round(motion.value, 6)
    1.0
    """

    def __init__(self) -> None:
        self._count = 0
        self._sums = np.zeros(2)
        self._products = np.zeros((2, 2))

    def add(self, first: np.ndarray, second: np.ndarray) -> None:
        """More pairs: two arrays of one size."""
        pairs = np.stack([np.ravel(first), np.ravel(second)]).astype(np.float64)
        self._count += pairs.shape[1]
        self._sums += pairs.sum(1)
        self._products += pairs @ pairs.T

    @property
    def value(self) -> float | None:
        """-1 to 1; None where one side does not vary."""
        if not self._count:
            return None
        covariance = self._products / self._count - np.outer(self._sums, self._sums) / self._count**2
        spread = np.diag(covariance)
        # Sums leave rounding where nothing varies.
        if (spread <= 1e-12 * np.diag(self._products) / self._count).any():
            return None
        return float(np.clip(covariance[0, 1] / np.sqrt(spread[0] * spread[1]), -1, 1))


def _difference(result: np.ndarray, truth: np.ndarray) -> np.ndarray:
    if result.shape != truth.shape:
        raise ValueError(f"{result.shape} against {truth.shape}: pictures have to be of one shape")
    return result.astype(np.float64) - truth.astype(np.float64)


def _decibels(error: float) -> float:
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
