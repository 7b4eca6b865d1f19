"""Where one shot is blended into another.

A dissolve is seen by no detector of single steps, which are all small, so pictures up to two seconds apart are
compared: where they show different things, and what lies between them is a weighted average of the two, it is one.
"""

from dataclasses import dataclass

import numpy as np

from data.video.likeness import distance, likeness

THUMB_PX = 24
SPANS_SECONDS = (0.5, 1.0, 2.0)
"""How far apart the pictures are that are compared."""

# Dissolves. Limits were set between fades among real and drawn clips and the same clips without fades.
_LEAST_CHANGE = 10.0  # grey levels between the ends, beside a change of the whole picture's colour
_MOST_LIKENESS = 0.45  # correlation of the ends' detail
_MOST_RESIDUAL = 0.22  # mean distance of the pictures between from their blend, as a share of the change
_MOST_BLEND_STEP = 0.34
_MOST_BLEND_RETURN = 0.1
_LEAST_BLENDED_FRAMES = 3


@dataclass(frozen=True)
class Thumb:
    """A frame, small.

    picture: (THUMB_PX, THUMB_PX, 3) float32 RGB, 0 to 255. relief: the same less its mean colour.
    """

    number: int
    seconds: float
    picture: np.ndarray
    relief: np.ndarray


@dataclass(frozen=True)
class Dissolve:
    """The first blended frame, and the first frame after the blend."""

    first: int
    after: int


def blend_between(thumbs: list[Thumb]) -> Dissolve | None:
    """The dissolve by which the first of `thumbs` becomes the last, or None where it is not one."""
    # A camera that adjusts its exposure also makes weighted averages: the mean colour says nothing.
    begin, end = thumbs[0].relief, thumbs[-1].relief
    apart = distance(begin, end)
    if apart < _LEAST_CHANGE or likeness(begin, end) > _MOST_LIKENESS:
        return None
    way = (end - begin).ravel()
    pictures = np.stack([thumb.relief.ravel() for thumb in thumbs]) - begin.ravel()
    # Least squares: picture = begin + share * (end - begin).
    shares = pictures @ way / (way @ way)
    steps = np.diff(shares)
    if steps.max() > _MOST_BLEND_STEP or steps.min() < -_MOST_BLEND_RETURN:
        return None
    blended = np.flatnonzero((shares > 0.1) & (shares < 0.9))
    if len(blended) < _LEAST_BLENDED_FRAMES:
        return None
    if np.abs(pictures[blended] - shares[blended, None] * way).mean() > _MOST_RESIDUAL * apart:
        return None
    return _extent(thumbs, shares)


def _extent(thumbs: list[Thumb], shares: np.ndarray) -> Dissolve | None:
    """The straight line through the middle of the blend, followed to where it leaves one shot and reaches the other."""
    middle = np.flatnonzero((shares > 0.2) & (shares < 0.8))
    if len(middle) < 2:
        return None
    slope, offset = np.polyfit(middle, shares[middle], 1)
    if slope <= 0:
        return None
    first = int(np.clip(np.floor(-offset / slope), 1, middle[0]))
    after = int(np.clip(np.ceil((1 - offset) / slope) + 1, middle[-1] + 1, len(thumbs) - 1))
    return Dissolve(thumbs[first].number, thumbs[after].number)
