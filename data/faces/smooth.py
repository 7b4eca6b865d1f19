"""Points steady on a still face and prompt on a moving one: the one-euro filter, online and without any lag."""

import math

import numpy as np

from data.faces.align import face_width

_LEAST_SECONDS = 1e-4  # two frames with the same timestamp


class OneEuro:
    """The one-euro filter of Casiez, Roussel and Vogel (CHI 2012) on every coordinate of a set of points.

    A low-pass whose cutoff rises with speed: f_c = minimum_cutoff_hz + beta * |speed|. Speeds are in face widths a
    second, so the same settings suit a face of any size. A point moving steadily at v lags by
    v / (2 pi f_c).
    """

    def __init__(self, minimum_cutoff_hz: float, beta: float, derivative_cutoff_hz: float = 1.0):
        self.minimum_cutoff_hz = minimum_cutoff_hz
        self.beta = beta
        self.derivative_cutoff_hz = derivative_cutoff_hz
        self.reset()

    def reset(self) -> None:
        """Forget the past: call it where a new track begins."""
        self._points: np.ndarray | None = None

    def __call__(self, points: np.ndarray, seconds: float, face_width_px: float | None = None) -> np.ndarray:
        """(n, 2) points at `seconds`, filtered. `face_width_px` is derived from 5 or 68 points when not given."""
        points = np.asarray(points, np.float64)
        seconds = float(seconds)
        if self._points is None:
            self._points, self._speed, self._seconds = points, np.zeros_like(points), seconds
            return points
        elapsed = max(seconds - self._seconds, _LEAST_SECONDS)
        width = face_width(points) if face_width_px is None else face_width_px
        # As in the paper's algorithm 1, from the last filtered value: it grows where the filter falls behind.
        speed = (points - self._points) / elapsed / max(width, 1e-9)
        self._speed = self._speed + _weight(self.derivative_cutoff_hz, elapsed) * (speed - self._speed)
        cutoff = self.minimum_cutoff_hz + self.beta * np.abs(self._speed)
        self._points = self._points + _weight(cutoff, elapsed) * (points - self._points)
        self._seconds = seconds
        return self._points


def _weight(cutoff_hz, elapsed_seconds: float):
    """alpha of a first-order low-pass: 1 / (1 + tau / T_e), tau = 1 / (2 pi f_c)."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed_seconds))


def smooth_track(
    points: np.ndarray, seconds: np.ndarray, minimum_cutoff_hz: float, beta: float, derivative_cutoff_hz: float = 1.0
) -> np.ndarray:
    """(t, n, 2) points of one track at (t,) seconds, one-euro filtered forwards and backwards and averaged.

    The lags of the two directions are opposite and cancel on steady motion, so the cutoff can be far lower than an
    online filter's: it takes a cascade's jitter away that an online filter would have to trail behind to remove.
    """
    widths = np.array([face_width(frame) for frame in points])
    width = float(np.median(widths)) if len(widths) else 1.0
    total = np.zeros_like(points, dtype=np.float64)
    for order in (slice(None), slice(None, None, -1)):
        smoother = OneEuro(minimum_cutoff_hz, beta, derivative_cutoff_hz)
        times = np.abs(np.asarray(seconds, np.float64)[order] - seconds[order][0]) if len(points) else []
        total[order] += [smoother(p, t, width) for p, t in zip(points[order], times, strict=True)]
    return total / 2
