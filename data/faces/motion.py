"""How faces move from one frame to the next, by the pictures themselves: far finer than any finder's points are."""

import cv2
import numpy as np

_GRID = 9  # points a side, laid over a face's box
_INNER = 0.08  # of the box on each side is left out: cheeks' rims show the background
_WINDOW = (15, 15)
_LEVELS = 3
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
_MOST_ROUND_TRIP_PX = 0.5
_LEAST_POINTS = 12


class MotionFinder:
    """Pyramidal Lucas-Kanade (Bouguet 2001) between successive pictures, (H, W, 3) uint8 RGB of one size."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._now: np.ndarray | None = None

    def feed(self, rgb: np.ndarray) -> None:
        """Takes the next picture."""
        self._before, self._now = self._now, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)

    def of(self, box: tuple[float, float, float, float]) -> tuple[np.ndarray, float] | None:
        """How what is in `box` came here from the picture before: a (2, 3) similarity from there to here.

        And the spread of the points about it, in pixels. None where there is no picture before, or too few points are
        found again.
        """
        if self._before is None or self._now is None or self._before.shape != self._now.shape:
            return None
        here = _grid(box)
        there, found = _tracked(self._now, self._before, here)
        back, again = _tracked(self._before, self._now, there)
        kept = found & again & (np.linalg.norm(back - here, axis=2).ravel() < _MOST_ROUND_TRIP_PX)
        if kept.sum() < _LEAST_POINTS:
            return None
        here, there = here[kept, 0], there[kept, 0]
        matrix, _ = cv2.estimateAffinePartial2D(there, here, method=cv2.LMEDS, refineIters=10)
        if matrix is None:
            return None
        rest = np.linalg.norm(there @ matrix[:, :2].T + matrix[:, 2] - here, axis=1)
        return matrix, float(np.median(rest))


def _tracked(one: np.ndarray, other: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where (n, 1, 2) points of one grey picture are in the other, and (n,) whether they were found there."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # its stub forbids the usual None
        one, other, points, None, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_STOP
    )
    return there, found.ravel().astype(bool)


def _grid(box: tuple[float, float, float, float]) -> np.ndarray:
    """(n, 1, 2) float32 places spread over the middle of a box."""
    x0, y0, x1, y1 = box
    inner = np.linspace(_INNER, 1 - _INNER, _GRID)
    x, y = np.meshgrid(x0 + inner * (x1 - x0), y0 + inner * (y1 - y0))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)[:, None]
