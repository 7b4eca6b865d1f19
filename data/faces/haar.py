"""Faces by OpenCV's cascades: a box, nothing to download."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from data.faces.appearance import describe
from data.faces.detection import Detection, most_certain_first


class Haar:
    """OpenCV's cascade for upright frontal faces (Viola and Jones 2001; `alt2`): in the wheel, always there.

    It finds a square only; of the cascades it was the one without false faces on bookshelves.
    """

    name = "haar"
    version = f"1, opencv {cv2.__version__}"
    dense, batch = False, 1
    jitter = 0.015

    _LONG_SIDE_PX = 512
    _SMALLEST_PX = 24
    _NEIGHBOURS = 3
    # Where YuNet puts its box and points inside the cascade's square: means over five clips of frontal faces, made
    # symmetric; they scatter by 2 % of the square.
    _BOX = np.array([[0.12, -0.035], [0.88, 1.065]])
    _POINTS = np.array([[0.32, 0.38], [0.68, 0.38], [0.50, 0.60], [0.335, 0.762], [0.665, 0.762]])

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(
            str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml")
        )

    def find(self, rgb: np.ndarray) -> list[Detection]:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        shrink = min(1.0, self._LONG_SIDE_PX / max(grey.shape))
        if shrink < 1:
            grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        if min(grey.shape) < self._SMALLEST_PX:
            return []
        squares, _, weights = self._cascade.detectMultiScale3(
            grey, 1.1, self._NEIGHBOURS, minSize=(self._SMALLEST_PX,) * 2, outputRejectLevels=True
        )
        return most_certain_first(
            self._detection(rgb, np.asarray(square, np.float64) / shrink, float(weight))
            for square, weight in zip(squares, weights, strict=True)
        )

    def _detection(self, rgb: np.ndarray, square: np.ndarray, weight: float) -> Detection:
        corner, side = square[:2], square[2]
        (x0, y0), (x1, y1) = (corner + self._BOX * side).tolist()
        points = corner + self._POINTS * side
        # The last stage's sum of weights: 56-57.5 on faces that anyone sees, 54-55 on chance.
        score = float(np.clip((weight - 53) / 4, 0, 1))
        return Detection((x0, y0, x1, y1), score, points, describe(rgb, points))

    def landmarks(self, pictures: Sequence[np.ndarray], detections: Sequence[Detection]) -> list[np.ndarray]:
        """(5, 2): the nominal points."""
        return [detection.points for detection in detections]
