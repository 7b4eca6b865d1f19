"""Colour of a translated crop brought to that of the frame it is laid into, steadily in time."""

import math

import cv2
import numpy as np

LARGEST_GAIN = 2.0  # a flat crop must not have its noise blown up


class ColourMatch:
    """Mean and deviation of each Lab channel under the mask are moved to the frame's (Reinhard et al. 2001, eq. 10-11).

    The statistics of both sides are smoothed by an exponential in real seconds with `time_constant_seconds`, so that
    neither a blink nor a changing background makes the colour flicker. One object follows one track: `reset` it at the
    next one.
    """

    def __init__(self, time_constant_seconds: float = 0.5, strength: float = 1.0):
        """strength: of the way to the frame's colours, from 0 to 1, that is gone."""
        self.strength = strength
        self.time_constant_seconds = time_constant_seconds
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame's statistics are taken as they are."""
        self._statistics: np.ndarray | None = None  # (crop or frame, mean or deviation, L or a or b)
        self._seconds = 0.0

    def state(self) -> dict:
        """What `restore` needs, as plain JSON values."""
        statistics = None if self._statistics is None else self._statistics.tolist()
        return {"statistics": statistics, "seconds": self._seconds}

    def restore(self, state: dict) -> None:
        """Go on from where `state` was taken."""
        statistics = state["statistics"]
        self._statistics = None if statistics is None else np.array(statistics)
        self._seconds = float(state["seconds"])

    def __call__(self, translated: np.ndarray, original: np.ndarray, mask: np.ndarray, seconds: float) -> np.ndarray:
        """The translated crop in the original's colours.

        translated, original: (size, size, 3) uint8 RGB; mask: (size, size) in [0, 1]; seconds: the frame's time.
        """
        lab = _lab(translated)
        now = np.stack([_mean_and_deviation(lab, mask), _mean_and_deviation(_lab(original), mask)])
        if self._statistics is None:
            self._statistics = now
        else:
            elapsed = max(float(seconds) - self._seconds, 0.0)
            weight = 1 - math.exp(-elapsed / self.time_constant_seconds) if self.time_constant_seconds > 0 else 1.0
            self._statistics = self._statistics + weight * (now - self._statistics)
        self._seconds = float(seconds)
        (mean, deviation), (wanted_mean, wanted_deviation) = self._statistics
        gain = np.clip(wanted_deviation / np.maximum(deviation, 1e-3), 1 / LARGEST_GAIN, LARGEST_GAIN)
        matched = (lab - mean) * gain + wanted_mean
        matched = (lab + self.strength * (matched - lab)).astype(np.float32)
        rgb = cv2.cvtColor(matched, cv2.COLOR_LAB2RGB)
        return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def _lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _mean_and_deviation(lab: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(2, 3): weighted mean and standard deviation of each channel."""
    weight = mask.astype(np.float64)[..., None]
    total = max(float(weight.sum()), 1e-9)
    mean = (lab * weight).sum((0, 1)) / total
    return np.stack([mean, np.sqrt((((lab - mean) ** 2) * weight).sum((0, 1)) / total)])
