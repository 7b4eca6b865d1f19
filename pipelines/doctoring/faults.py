"""Frames that training is better off without."""

from itertools import pairwise

import numpy as np

from pipelines.doctoring.measures import Looked

BLURRED = 0.35
"""Of the median sharpness of the clip."""
BURNT, BLACK = 0.25, 0.6
"""Parts of a picture that are white or black without detail."""
STILL_LEVELS = 0.8
"""Mean difference of small pictures, in grey levels, up to which they show the same."""
KEPT_OF_STILL = 6
"""Frames that are kept of a still stretch: windows still fit in."""


def faults(looked: Looked) -> dict[str, list[str]]:
    """Pictures to drop, by why; each stands once."""
    count = len(looked.records)
    clips = np.array([record.clip for record in looked.records])
    sharp = looked.values["sharpness"]
    usual = np.array([np.nanmedian(sharp[clips == clip]) for clip in clips]) if count else np.zeros(0)
    found = {
        "blurred": sharp < BLURRED * usual,
        "over-exposed": looked.burnt > BURNT,
        "under-exposed": looked.black > BLACK,
        "nearly the same as those before": _still(looked),
    }
    named: dict[str, list[str]] = {}
    taken = np.zeros(count, bool)
    for why, where in found.items():
        named[why] = [looked.records[place].picture for place in np.flatnonzero(where & ~taken)]
        taken |= where
    return named


def _still(looked: Looked) -> np.ndarray:
    """Frames of a stretch in which nothing moves, after the first KEPT_OF_STILL."""
    still, first, length = np.zeros(len(looked.records), bool), 0, 1
    for place, (before, record) in enumerate(pairwise(looked.records), start=1):
        follows = (before.clip, before.shot, before.number + 1) == (record.clip, record.shot, record.number)
        if follows and np.abs(looked.thumbs[place] - looked.thumbs[first]).mean() < STILL_LEVELS:
            length += 1
            still[place] = length > KEPT_OF_STILL
        else:
            first, length = place, 1
    return still
