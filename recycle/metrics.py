"""Measures of how right a result is: pure functions."""

import numpy as np


def psnr(result: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over all pixels of two uint8 arrays of one shape; infinite where they are equal.

    10 log10(255² / mean squared error). Raises ValueError for different shapes.
    """
    if result.shape != truth.shape:
        raise ValueError(f"{result.shape} against {truth.shape}: pictures have to be of one shape")
    error = np.mean((result.astype(np.float64) - truth.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
