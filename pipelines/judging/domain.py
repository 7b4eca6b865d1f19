"""Judge of the pictures of a result, taken together, against those of the domain that they should come from."""

from collections.abc import Iterable, Iterator

import numpy as np

from data.domain.domain import Domain
from data.domain.pictures import looks_whole, read_picture, resize, sharpness
from pipelines.judging.judge import Mean, Moment, PerFrame
from pipelines.judging.measures import Value
from recycle.measures.distribution import MOST_PICTURES, Sample, describe, frechet_distance, kernel_distance
from recycle.networks.inception import Inception


def domain_pictures(domain: Domain) -> Iterator[np.ndarray]:
    """At most MOST_PICTURES pictures that a domain keeps, spread evenly over it. Raises SettingsError, PictureError."""
    kept = [domain.folder / record.picture for record in domain.records(landmarks=False) if record.split != "excluded"]
    kept = [path for path in kept if looks_whole(path)]
    places = np.unique(np.linspace(0, len(kept) - 1, min(MOST_PICTURES, len(kept))).round().astype(int))
    return (read_picture(kept[place]) for place in places)


class Resemblance:
    """The pictures of the result, taken together, against those of the target domain."""

    def __init__(self, domain: Iterable[np.ndarray], side_px: int, inception: Inception | str) -> None:
        """domain: pictures of it. side_px: shorter side that sharpness is compared at. inception: the network, or why
        there is none.
        """
        self._described = Sample(describe), Sample(describe)
        self._seen: tuple[Sample, Sample] | None = None
        self._why = ""
        if isinstance(inception, str):
            self._why = inception
        else:
            self._seen = Sample(inception), Sample(inception)
        self._side_px, self._own_sharpness, self._sharpness = side_px, Mean(), Mean()
        for rgb in domain:
            self._own_sharpness.add(self._sharp(rgb))
            self._add(rgb, 1)

    def see(self, moment: Moment) -> PerFrame:
        if moment.crop is None:
            return {}
        self._add(moment.crop, 0)
        sharp = self._sharp(moment.crop)
        self._sharpness.add(sharp)
        return {("sharpness", moment.number): self._as_own(sharp)}

    def _add(self, rgb: np.ndarray, side: int) -> None:
        for pair in (self._described, self._seen):
            if pair is not None:
                pair[side].add(rgb)

    def _sharp(self, rgb: np.ndarray) -> float:
        scale = self._side_px / min(rgb.shape[:2])
        return sharpness(resize(rgb, (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))))

    def _as_own(self, sharp: float) -> float | None:
        own = self._own_sharpness.value
        if own is None:
            return None
        return min(sharp, own) / max(sharp, own) if max(sharp, own) else 1.0

    def values(self) -> dict[str, Value]:
        result, domain = (len(sample.rows) for sample in self._described)
        if min(result, domain) < 2:
            names = ("kernel_distance", "fid", "kid", "sharpness")
            return dict.fromkeys(names, f"{result} pictures of the result and {domain} of the domain: too few")
        known: dict[str, Value] = {"kernel_distance": kernel_distance(*(sample.rows for sample in self._described))}
        for name, measure in (("fid", frechet_distance), ("kid", kernel_distance)):
            known[name] = measure(*(sample.rows for sample in self._seen)) if self._seen else self._why
        assert self._sharpness.value is not None
        return known | {"sharpness": self._as_own(self._sharpness.value) or 0.0}
