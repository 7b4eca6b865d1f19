"""How alike two pictures of a clip are, in the ways that tell cuts from motion."""

import cv2
import numpy as np

_BLACK, _SAME, _FLAT = 24, 8, 1.5  # grey levels


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(one - other).mean())


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two pictures' detail, -1 to 1; 0 where either has none. Blind to brightness and contrast."""
    details = [picture - cv2.blur(picture, (9, 9)) for picture in (one, other)]
    spread = [float(np.sqrt((detail**2).mean())) for detail in details]
    if min(spread) < 1.5:
        return 0.0
    return float((details[0] * details[1]).mean() / (spread[0] * spread[1]))


def moved_likeness(before: np.ndarray, after: np.ndarray) -> float:
    """Likeness of two pictures where they overlap once one is moved by phase correlation (Kuglin and Hines 1975)."""
    one, other = before.astype(np.float32), after.astype(np.float32)
    side = len(one)
    (across, down), _ = cv2.phaseCorrelate(one, other, cv2.createHanningWindow((side, side), cv2.CV_32F))
    x, y = (int(np.clip(round(way), -side // 2, side // 2)) for way in (across, down))
    one = one[max(0, -y) : side - max(0, y), max(0, -x) : side - max(0, x)]
    other = other[max(0, y) : side - max(0, -y), max(0, x) : side - max(0, -x)]
    return likeness(one, other)


def change(small: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    """(mean, largest) difference in grey levels of two frames at the detectors' size; the largest over 3 x 3 pixels."""
    difference = cv2.absdiff(small, before)
    return float(difference.mean()), float(cv2.blur(difference, (3, 3)).max())


def changed_share(before: np.ndarray, after: np.ndarray) -> float:
    """Share of two grey pictures, (height, width) uint8, that is not the same in both.

    Black bars do not count; 0 where both are flat and show nothing.
    """
    shown = cv2.max(before, after) > _BLACK
    if not shown.any() or max(float(before.std()), float(after.std())) < _FLAT:
        return 0.0
    return float((cv2.absdiff(before, after) > _SAME)[shown].mean())
