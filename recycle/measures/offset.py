"""Where things are drawn: how far a result lies beside the place where it should, in parts of a pixel.

Pictures are (H, W, 3) uint8 RGB, displacements (x, y) in pixels, right and down positive. Two ways to know the place:

- against the truth: `displacement` between the two.
- without one, from the network G itself: M mirrors left to right or top to bottom. A network that draws everything d
  too far to the right does so in mirrored pictures too, so G(M x) lies 2 d to the right of M G(x). Ours. It sees what
  all translations have in common, and along an axis only where the network draws the mirrored picture as it draws the
  picture itself: `CORRELATED` says when that is told. Things that hang downwards, and letters, may forbid a mirror.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import cv2
import numpy as np

Axis = Literal["x", "y"]
FLIPPED: dict[Axis, int] = {"x": 1, "y": 0}
"""The axis of an array that each mirror reverses."""
COARSEST_PART = 1 / 16
"""What varies over more than about this part of the shorter side is light and tone, not place: it is taken away."""
MARGIN_PART = 1 / 8
"""Border of the first picture, in parts of the shorter side, that is not looked for in the second; displacements up to
this are found."""
CORRELATED = 0.4
"""Least correlation of the two pictures, once they lie over each other, for a displacement to be told."""
LEAST_LEVELS = 0.5
"""Standard deviation in grey levels below which a picture without its coarse shades shows nothing."""
SMALLEST_PX = 16
STEPS, PRECISION = 50, 1e-4
"""Of the maximisation: most steps, and the change of the correlation that ends it."""


def displacement(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """(2,) float64: where `second` shows what `first` shows; None where they have too little in common to tell.

    Maximises the enhanced correlation coefficient over translations (Evangelidis and Psarakis 2008), which brightness
    and contrast do not change, on grey pictures without their coarse shades, from the peak of their phase correlation
    on. Pictures of other shapes than one raise ValueError.
    """
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} against {second.shape}: pictures have to be of one shape")
    side = min(first.shape[:2])
    if side < SMALLEST_PX:
        return None
    margin = int(side * MARGIN_PART)
    template, picture = (_edges(rgb, side * COARSEST_PART) for rgb in (first, second))
    if min(template.std(), picture.std()) < LEAST_LEVELS:
        return None
    window = cv2.createHanningWindow(picture.shape[::-1], cv2.CV_32F)
    start, _ = cv2.phaseCorrelate(template, picture, window)
    kind, everywhere = cv2.MOTION_TRANSLATION, np.full(picture.shape, 255, np.uint8)
    inside = np.ascontiguousarray(template[margin:-margin, margin:-margin])
    for begin in (np.clip(np.round(start), -margin, margin), np.zeros(2)):
        warp: np.ndarray = np.array([[1, 0, margin + begin[0]], [0, 1, margin + begin[1]]], np.float32)
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, STEPS, PRECISION)
        try:
            correlation, moved = cv2.findTransformECC(inside, picture, warp, kind, criteria, everywhere, 1)
        except cv2.error:  # it does not converge, or one is of one colour
            continue
        found = np.asarray(moved)[:, 2].astype(np.float64) - margin
        if correlation >= CORRELATED and np.abs(found).max() <= margin:
            return found
    return None


def _edges(rgb: np.ndarray, coarsest_px: float) -> np.ndarray:
    """(H, W) float32: grey levels, a little smoothed, without what is coarser than `coarsest_px`."""
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 0.7)
    return grey - cv2.GaussianBlur(grey, (0, 0), coarsest_px)


def mirrored(pictures: np.ndarray, axis: Axis) -> np.ndarray:
    """Pictures (..., H, W, 3) with `axis` reversed: "x" left to right, "y" top to bottom."""
    return np.ascontiguousarray(np.flip(pictures, pictures.ndim - 3 + FLIPPED[axis]))


def own_displacement(translated: np.ndarray, of_mirrored: np.ndarray, axis: Axis) -> float | None:
    """How far G draws beside the right place along `axis`, from G(x) and G(M x); None where that is not told."""
    found = displacement(mirrored(translated, axis), of_mirrored)
    return None if found is None else float(found["xy".index(axis)]) / 2


class Offset:
    """The displacement that the pictures of a clip have in common: the median, along each axis, of those that are told.

    What comes and goes from picture to picture, a tremor or a late motion, has none.
    """

    LEAST_PART = 0.5
    """An axis is told where so many of the pictures tell it."""

    def __init__(self) -> None:
        self._found: dict[Axis, list[float | None]] = {"x": [], "y": []}

    def add(self, found: Mapping[Axis, float | None]) -> float | None:
        """What one picture tells along each axis. Gives its own length in pixels; None where no axis is told."""
        for axis, value in found.items():
            self._found[axis].append(value)
        known = [value for value in found.values() if value is not None]
        return float(np.hypot.reduce(known)) if known else None

    @property
    def axes(self) -> dict[Axis, float]:
        """In pixels, along each axis that is told."""
        told = {}
        for axis, values in self._found.items():
            known = [value for value in values if value is not None]
            if known and len(known) >= self.LEAST_PART * len(values):
                told[axis] = float(np.median(known))
        return told

    @property
    def px(self) -> float | None:
        """The length over the axes that are told; None where none is."""
        return float(np.hypot.reduce(list(self.axes.values()))) if self.axes else None


def own_offset(translate: Callable[[np.ndarray], np.ndarray], pictures: np.ndarray, translated: np.ndarray) -> Offset:
    """Of a network, asked with mirrored pictures. pictures, translated: (N, H, W, 3) uint8, G(x) for each x."""
    offset = Offset()
    turned: dict[Axis, np.ndarray] = {axis: translate(mirrored(pictures, axis)) for axis in FLIPPED}
    for place, picture in enumerate(translated):
        offset.add({axis: own_displacement(picture, turned[axis][place], axis) for axis in turned})
    return offset
