"""Outlines, and the canvas that they are filled on."""

import math
from functools import lru_cache

import cv2
import numpy as np

Colour = tuple[int, int, int]
"""RGB."""
_OVERSAMPLE = 4
_SHIFT = 6  # cv2 takes fixed-point coordinates with this many fraction bits


def smooth(*corners: tuple[float, float]) -> np.ndarray:
    """A round closed outline (N, 2) through Chaikin's corner cutting."""
    points = np.array(corners)
    for _ in range(3):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points


_ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)


@lru_cache
def _unit_oval(squareness: float) -> np.ndarray:
    """Outline (48, 2) of a superellipse about (0, 0) with half axes 1."""
    circle = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    return np.sign(circle) * np.abs(circle) ** (2 / squareness)


def oval(x: float, y: float, width: float, height: float, squareness: float = 2.0) -> np.ndarray:
    """Outline (48, 2) of a superellipse about (x, y) with half axes `width`, `height`; squareness 2 is an ellipse."""
    return _unit_oval(squareness) * (width, height) + (x, y)


class Canvas:
    """An RGB picture drawn larger than wanted and averaged down; `place` sets where outlines land."""

    def __init__(self, size: int, background: Colour) -> None:
        self.size, self.side = size, size * _OVERSAMPLE
        self.picture = np.empty((self.side, self.side, 3), np.uint8)
        self.picture[:] = np.tile(np.array(background, np.uint8), (self.side, 1))  # a row at a time is far quicker
        self.place(0.0, 0.0, 0.0)

    def place(self, x: float, y: float, tilt: float) -> None:
        """Later outlines are turned by `tilt` degrees about their origin, which lies at (x, y) of the unit picture."""
        cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
        self._turn, self._origin = np.array([[cosine, sine], [-sine, cosine]]), np.array([x, y])

    def _fixed_point(self, outline: np.ndarray) -> np.ndarray:
        # Pixel centres lie at integers for cv2, hence the half pixel.
        pixels = (outline @ self._turn + self._origin) * self.side - 0.5
        return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)

    def fill(self, outline: np.ndarray, colour: Colour) -> None:
        cv2.fillPoly(self.picture, [self._fixed_point(outline)], colour, cv2.LINE_8, _SHIFT)

    def stroke(self, line: np.ndarray, colour: Colour, width: float, closed: bool = False) -> None:
        thickness = max(1, round(width * self.side))
        cv2.polylines(self.picture, [self._fixed_point(line)], closed, colour, thickness, cv2.LINE_8, _SHIFT)

    def middles(self) -> np.ndarray:
        """(size, size, 3) uint8: what lies at the middle of each pixel, in the very colours that were filled."""
        return self.picture[_OVERSAMPLE // 2 :: _OVERSAMPLE, _OVERSAMPLE // 2 :: _OVERSAMPLE].copy()

    def finished(self) -> np.ndarray:
        return cv2.resize(self.picture, (self.size, self.size), interpolation=cv2.INTER_AREA)
