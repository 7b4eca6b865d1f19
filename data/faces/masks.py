"""Which part of a crop is laid into its frame: what lies inside of the face's outline, softly."""

from functools import lru_cache

import numpy as np

from data.faces.contour import CENTRE, RAYS, Contour, of_landmarks

FEATHER = 0.08
"""Of the crop's side, inwards from the outline: from nothing to all. Unless another is given."""


class SharedMask:
    """Where both the source's crop and its translation show the face: beside either, the frame stays the source's.

    One object follows one track: `reset` it at the next one.
    """

    def __init__(self, feather: float = FEATHER) -> None:
        """feather: as `mask_within` takes it."""
        self._outlines = Contour(), Contour()
        self._feather = feather

    def reset(self) -> None:
        """Forget the past."""
        for contour in self._outlines:
            contour.reset()

    def state(self) -> list[dict]:
        """What `restore` needs, as plain JSON values."""
        return [contour.state() for contour in self._outlines]

    def restore(self, state: list[dict]) -> None:
        """Go on from where `state` was taken."""
        for contour, of_one in zip(self._outlines, state, strict=True):
            contour.restore(of_one)

    def __call__(self, source: np.ndarray, translated: np.ndarray, points: np.ndarray, seconds: float) -> np.ndarray:
        """(size, size) float32 in [0, 1].

        source, translated: (size, size, 3) uint8 RGB. points: (n, 2) landmarks of the source in crop coordinates, of
        which 68 bound the mask too. seconds: the frame's time.
        """
        of_source, of_translated = self._outlines
        size = len(source)
        radii = np.minimum(of_source(source, seconds), of_translated(translated, seconds))
        if len(points) == 68:
            radii = np.minimum(radii, of_landmarks((np.asarray(points, np.float64) + 0.5) / size))
        return mask_within(radii, size, self._feather)


def mask_within(radii: np.ndarray, size: int, feather: float = FEATHER) -> np.ndarray:
    """(size, size) float32 in [0, 1]: 0 from the outline on, 1 from `feather`, a part of the side, inside of it.

    radii: (RAYS,) as `data.faces.contour` has them. They are not rounded to pixels.
    """
    place, share, distance = _polar(size)
    before, after = radii[place], radii[(place + 1) % RAYS]
    t = np.clip((before + share * (after - before) - distance) / feather, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


@lru_cache(maxsize=4)
def _polar(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each pixel: the ray before it, the way to the next one in [0, 1), and the distance from CENTRE in sides."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    x, y = x - CENTRE[0], y - CENTRE[1]
    angle = np.arctan2(y, x) / (2 * np.pi) * RAYS % RAYS
    place = angle.astype(int) % RAYS
    return place, angle - np.floor(angle), np.hypot(x, y)
