"""Judges of place: is everything drawn where it should be, against the truth and by the networks themselves."""

import dataclasses

import numpy as np

from pipelines.judging.judge import NOTHING_TRANSLATED, Moment, PerFrame
from pipelines.judging.measures import Value
from pipelines.translating.paint import Painter
from recycle.measures.offset import FLIPPED, Offset, displacement, mirrored, own_displacement

MIRRORED_EVERY = 5
"""Networks are shown every so many frames mirrored: each costs two forwards."""


class TruePlace:
    """Against the truth."""

    def __init__(self) -> None:
        self._offset = Offset()

    def see(self, moment: Moment) -> PerFrame:
        assert moment.truth is not None
        found = displacement(moment.truth, moment.result)
        axes = (None, None) if found is None else found.tolist()
        return {("offset_truth", moment.number): self._offset.add(dict(zip(FLIPPED, axes, strict=True)))}

    def values(self) -> dict[str, Value]:
        px = self._offset.px
        return {"offset_truth": "result and truth have too little in common to tell" if px is None else px}


class OwnPlace:
    """What the networks make of mirrored frames, against what they make of the frames themselves."""

    def __init__(self, painter: Painter) -> None:
        """painter: translates what the networks are shown."""
        self._painter, self._offset, self._why = painter, Offset(), NOTHING_TRANSLATED

    def see(self, moment: Moment) -> PerFrame:
        if moment.shown is None or moment.number % MIRRORED_EVERY:
            return {}
        self._why = "the networks draw mirrored frames as others: no place to be told by"
        translated = self._translated(moment, moment.shown)
        found = {
            axis: own_displacement(translated, self._translated(moment, mirrored(moment.shown, axis)), axis)
            for axis in FLIPPED
        }
        return {("offset", moment.number): self._offset.add(found)}

    def _translated(self, moment: Moment, rgb: np.ndarray) -> np.ndarray:
        return self._painter.paint([dataclasses.replace(moment.frame, rgb=rgb)])[0]

    def values(self) -> dict[str, Value]:
        px = self._offset.px
        return {"offset": self._why if px is None else px}
