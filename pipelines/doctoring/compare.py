"""What two domains share and lack: which kinds of frames of one have no like in the other."""

from dataclasses import dataclass

import numpy as np

from pipelines.doctoring.measures import MEASURES, Looked, Measure

LEAST_LIKES = 2
"""So many frames of the other domain have to be like a frame: one may be a slip."""
LEAST_PART = 0.02
"""Kinds that are a smaller part of a domain are left out."""


@dataclass(frozen=True)
class Shared:
    """One measure of both domains: quartiles of each, and the part of each that has its like in the other."""

    measure: Measure
    of_a: tuple[float, float, float]
    of_b: tuple[float, float, float]
    a_in_b: float
    b_in_a: float


@dataclass(frozen=True)
class Kind:
    """Frames of one domain that the other has no like of. part: of the domain. places: in `Looked.records`."""

    name: str
    part: float
    places: np.ndarray


def shared(a: Looked, b: Looked) -> list[Shared]:
    """Every measure that is known of both."""
    found = []
    for name, measure in MEASURES.items():
        if a.known(name) and b.known(name):
            x, y = a.values[name], b.values[name]
            quartiles = [tuple(np.nanquantile(values, (0.25, 0.5, 0.75)).tolist()) for values in (x, y)]
            parts = [1 - float(unlike(*pair, measure).mean()) for pair in ((x, y), (y, x))]
            found.append(Shared(measure, *quartiles, *parts))  # type: ignore[arg-type]
    return found


def unlike(values: np.ndarray, others: np.ndarray, measure: Measure) -> np.ndarray:
    """(n,) bool: which values have fewer than LEAST_LIKES of the others within the tolerance; no unknown one."""
    x, y = (_scaled(these, measure) for these in (values, others))
    y = np.sort(y[np.isfinite(y)])
    likes = np.searchsorted(y, x + 1, "right") - np.searchsorted(y, x - 1, "left")
    return np.isfinite(x) & (likes < min(LEAST_LIKES, len(y)))


def _scaled(values: np.ndarray, measure: Measure) -> np.ndarray:
    """In tolerances."""
    if measure.ratio:
        return np.log(np.maximum(values, 1e-6)) / np.log(measure.tolerance)
    return values / measure.tolerance


def lacking(a: Looked, b: Looked) -> list[Kind]:
    """Kinds of A's frames, by pose and expression, that B has no like of; the largest first."""
    kinds = []
    for name, measure in MEASURES.items():
        if not (measure.expression and a.known(name) and b.known(name)):
            continue
        alone, middle = unlike(a.values[name], b.values[name], measure), np.nanmedian(b.values[name])
        for label, side in ((measure.low, a.values[name] < middle), (measure.high, a.values[name] >= middle)):
            places = np.flatnonzero(alone & side)
            part = len(places) / max(len(a.records), 1)
            if part >= LEAST_PART:
                kinds.append(Kind(label, part, places))
    return sorted(kinds, key=lambda kind: -kind.part)


def nearest(a: Looked, place: int, b: Looked) -> int:
    """The frame of B whose pose and expression are nearest to one of A's."""
    apart = np.zeros(len(b.records))
    for name, measure in MEASURES.items():
        if measure.expression and a.known(name) and b.known(name):
            difference = _scaled(b.values[name], measure) - _scaled(a.values[name], measure)[place]
            apart += np.nan_to_num(difference, nan=1.0) ** 2
    return int(apart.argmin())
