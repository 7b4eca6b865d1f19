"""The judges of a clip: each sees every moment once, in order, and says its measures at the end.

Nothing here keeps frames beyond the few that a measure looks back to.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from data.faces.placing import Place
from data.video.frame import Frame
from pipelines.judging.measures import Value
from pipelines.translating.paint import Painter
from recycle.measures.metrics import ClipPsnr, absolute_error

NOTHING_TRANSLATED = "no frame was translated"


@dataclass(frozen=True)
class Moment:
    """One frame of a clip and all that is known of it. Pictures are (H, W, 3) uint8 RGB, the first three of one size.

    number: from 0. follows: whether the frame before belongs to the same shot. place: where the followed face is.
    shown: what the networks are shown of the source; crop: the same part of the result. None where there is no face.
    """

    number: int
    frame: Frame
    result: np.ndarray
    truth: np.ndarray | None
    follows: bool
    place: Place | None
    shown: np.ndarray | None
    crop: np.ndarray | None


PerFrame = Mapping[tuple[str, int], float | None]
"""(measure, number of the frame) -> value."""


class Judge(Protocol):
    """What every judge does."""

    def see(self, moment: Moment) -> PerFrame:
        """Looks at the next moment. Gives what is now known of single frames."""

    def values(self) -> dict[str, Value]:
        """The measures over the clip."""


class Mean:
    """The mean of what is there."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float | None) -> float | None:
        """Counts a value, unless it is None, and gives it back."""
        if value is not None:
            self._sum += value
            self._count += 1
        return value

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None

    def or_why(self, why: str) -> Value:
        """The mean, or why there is none."""
        return self._sum / self._count if self._count else why


class Unable:
    """Stands for a judge that cannot judge this clip: its measures, and why."""

    def __init__(self, *names: str, why: str) -> None:
        self._values: dict[str, Value] = dict.fromkeys(names, why)

    def see(self, moment: Moment) -> PerFrame:
        return {}

    def values(self) -> dict[str, Value]:
        return self._values


class ThereAndBack:
    """What the networks are shown of the source, against its translation there and back."""

    def __init__(self, there: Painter | None, back: Painter) -> None:
        """there: translates what the networks are shown; None where the result is that."""
        self._there, self._back = there, back
        self._l1, self._psnr = Mean(), ClipPsnr()

    def see(self, moment: Moment) -> PerFrame:
        if moment.shown is None:
            return {}
        shown = dataclasses.replace(moment.frame, rgb=moment.shown)
        translated = self._there.paint([shown])[0] if self._there else moment.result
        (returned,) = self._back.paint([dataclasses.replace(shown, rgb=translated)])
        return {
            ("cycle_l1", moment.number): self._l1.add(absolute_error(returned, moment.shown)),
            ("cycle_psnr", moment.number): self._psnr.add(returned, moment.shown),
        }

    def values(self) -> dict[str, Value]:
        l1 = self._l1.or_why(NOTHING_TRANSLATED)
        return {"cycle_l1": l1, "cycle_psnr": l1 if isinstance(l1, str) else self._psnr.value}
