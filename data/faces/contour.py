"""Where the face ends in a crop: its outline about the template's middle, found in each picture and steady in time.

A model of skin against what is beside it, without weights: colours are counted inside and outside of the template's
outline, and each pixel weighed by the ratio of the two; along each ray from the middle of the face the outline lies
where the sum of these is largest, near an edge, near the template, near that of the frame before and near its
neighbours. That is a shortest closed path, which Viterbi's algorithm finds; then colours are counted anew by what was
found (as GrabCut does with a graph cut over all pixels: Rother et al., SIGGRAPH 2004).

Radii are in sides of the crop, about CENTRE, one for each of RAYS angles, from right clockwise.
"""

import math

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

CENTRE = (0.5, 0.54)
RAYS = 64
_LOOKED_AT_PX = 96
_STEP = 0.01
_NEAREST, _FARTHEST = 0.12, 0.45
_BEYOND_LANDMARKS = 0.03
_ROUNDS = 3
_BINS = 16  # of each channel of Lab
_MOST = 1.5  # of the logarithm of a ratio that one pixel may say
_EDGE, _TEMPLATE, _MEMORY, _BEND = 2.0, 4.0, 4.0, 0.35
_SIGMA = 0.05  # by how much outlines differ from the template's
_LARGEST_TURN = 3  # steps from one ray to the next

_ANGLES = np.arange(RAYS) * 2 * math.pi / RAYS
_RADII = np.arange(_NEAREST, _FARTHEST + _STEP / 2, _STEP)


def ellipse(half_width: float, half_height: float, exponent: float, centre_y: float) -> np.ndarray:
    """(RAYS,) radii of a superellipse about (0.5, centre_y), by bisection: CENTRE lies inside."""
    low, high = np.zeros(RAYS), np.ones(RAYS)
    for _ in range(30):
        middle = (low + high) / 2
        x, y = middle * np.cos(_ANGLES), CENTRE[1] + middle * np.sin(_ANGLES) - centre_y
        inside = np.abs(x / half_width) ** exponent + np.abs(y / half_height) ** exponent < 1
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


TEMPLATE_OUTLINE = ellipse(0.30, 0.385, 2.3, 0.525)
"""Of a face whose points lie on the template."""
RIM = ellipse(0.41, 0.455, 2.5, 0.51)
"""No mask goes beyond: the crop's border stays free."""


def of_landmarks(places: np.ndarray) -> np.ndarray:
    """(RAYS,) radii of the hull of (68, 2) landmarks in iBUG's order, in sides of the crop from its upper left corner,
    with the forehead: taken as far above the brows as the nose is long, for no landmark is there."""
    places = np.asarray(places, np.float64)
    forehead = places[17:27] + (places[27] - places[30])
    hull = cv2.convexHull(np.vstack([places, forehead]).astype(np.float32))[:, 0].astype(np.float64)
    edge = np.roll(hull, -1, axis=0) - hull
    outwards = np.column_stack([edge[:, 1], -edge[:, 0]]) / np.maximum(np.linalg.norm(edge, axis=1), 1e-9)[:, None]
    outwards *= np.sign(((hull - hull.mean(0)) * outwards).sum(1))[:, None]
    # The outline is the nearest of the lines that its edges are on; landmarks lie a little inside of the face.
    away = ((hull - CENTRE) * outwards).sum(1) + _BEYOND_LANDMARKS
    towards = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)]) @ outwards.T
    distances = np.where(towards > 1e-6, away / np.maximum(towards, 1e-6), np.inf)
    return _smoothed(np.clip(distances.min(axis=1), _NEAREST, RIM))


class Contour:
    """Outlines of one track's faces, smoothed in time by an exponential with `time_constant_seconds`; `reset` it at the
    next track."""

    def __init__(self, time_constant_seconds: float = 0.12) -> None:
        self.time_constant_seconds = time_constant_seconds
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next outline is taken as it is."""
        self._radii: np.ndarray | None = None
        self._seconds = 0.0

    def state(self) -> dict:
        """What `restore` needs, as plain JSON values."""
        return {"radii": None if self._radii is None else self._radii.tolist(), "seconds": self._seconds}

    def restore(self, state: dict) -> None:
        """Go on from where `state` was taken."""
        self._radii = None if state["radii"] is None else np.array(state["radii"])
        self._seconds = float(state["seconds"])

    def __call__(self, crop: np.ndarray, seconds: float) -> np.ndarray:
        """(RAYS,) radii of the face's outline in a crop (size, size, 3) uint8 RGB; seconds: the frame's time."""
        now = outline(crop, self._radii)
        if self._radii is None:
            self._radii = now
        else:
            elapsed = max(float(seconds) - self._seconds, 0.0)
            weight = 1 - math.exp(-elapsed / self.time_constant_seconds) if self.time_constant_seconds > 0 else 1.0
            self._radii = self._radii + weight * (now - self._radii)
        self._seconds = float(seconds)
        return self._radii


def outline(crop: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """(RAYS,) radii of the face's outline in one crop (size, size, 3) uint8 RGB.

    before: those of the frame before, near which it then is.
    """
    side = min(len(crop), _LOOKED_AT_PX)
    small = crop if len(crop) == side else cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), side / 96), cv2.COLOR_RGB2LAB)
    polar = _along_rays(lab)
    edges = _edges(polar)
    cells = _cells(polar)
    radii = TEMPLATE_OUTLINE
    inner, outer = 0.75 * TEMPLATE_OUTLINE, 1.15 * TEMPLATE_OUTLINE
    for _ in range(_ROUNDS):
        ratio = _ratio(cells, inner[:, None], outer[:, None])
        ratio[_NECK] *= _NECK_SAYS
        gain = np.cumsum(ratio, axis=1) + _EDGE * edges
        gain -= _TEMPLATE * ((_RADII - TEMPLATE_OUTLINE[:, None]) / _SIGMA) ** 2 / 2
        if before is not None:
            gain -= _MEMORY * ((_RADII - before[:, None]) / _SIGMA) ** 2 / 2
        gain[_RADII[None] > RIM[:, None]] = -1e6
        radii = _RADII[_closed_path(gain)]
        inner, outer = np.minimum(0.9 * radii, 0.85 * TEMPLATE_OUTLINE), 1.1 * radii
    return _smoothed(radii)


def _smoothed(radii: np.ndarray) -> np.ndarray:
    around = np.concatenate([radii[-2:], radii, radii[:2]])
    return np.convolve(around, [0.1, 0.25, 0.3, 0.25, 0.1], "valid")


def _along_rays(picture: np.ndarray) -> np.ndarray:
    """(RAYS, radii, 3) of a square picture."""
    side = len(picture)
    x = ((CENTRE[0] + _RADII * np.cos(_ANGLES)[:, None]) * side - 0.5).astype(np.float32)
    y = ((CENTRE[1] + _RADII * np.sin(_ANGLES)[:, None]) * side - 0.5).astype(np.float32)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _edges(polar: np.ndarray) -> np.ndarray:
    """(RAYS, radii) in [0, 1]: how much colour changes along the ray."""
    lab = polar.astype(np.float32)
    change = np.linalg.norm(np.roll(lab, -2, axis=1) - np.roll(lab, 2, axis=1), axis=2)
    change[:, :2] = change[:, -2:] = 0
    return np.minimum(change / max(float(np.quantile(change, 0.95)), 8.0), 1.0)


def _cells(polar: np.ndarray) -> np.ndarray:
    """(RAYS, radii): the cell of colours that each place is in. Lab's a and b seldom use their whole range."""
    lightness = polar[..., 0].astype(int) * _BINS // 256
    a, b = ((polar[..., i].astype(int) - 128 + 4 * _BINS // 2) // 4 for i in (1, 2))
    return np.ravel_multi_index((lightness, a, b), (_BINS,) * 3, mode="clip")


_NECK = np.abs(_ANGLES - math.pi / 2) < 0.7
"""Rays below the chin, where what is beside the face is skin too."""
_NECK_SAYS = 0.25


_LOWER = np.clip((np.sin(_ANGLES) + 0.2) / 0.5, 0, 1)[:, None]
"""How far a ray belongs to the lower half, where other things are beside the face: what is like hair may be a beard."""


def _ratio(cells: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """(RAYS, radii): the logarithm of how much more a colour is at home inside of `inner` than outside of `outer`."""
    outside = (outer < _RADII) & ~_NECK[:, None]
    within = _shares(cells, (inner > _RADII) * 1.0)
    upper, lower = (
        np.clip(np.log(within / _shares(cells, outside * half)), -_MOST, _MOST) for half in (1 - _LOWER, _LOWER)
    )
    return (1 - _LOWER) * upper[cells] + _LOWER * lower[cells]


def _shares(cells: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The part of what is weighed that has each colour; a place farther out stands for more of the picture."""
    count = np.bincount(cells.ravel(), (weight * _RADII).ravel(), _BINS**3).reshape((_BINS,) * 3)
    for axis in range(3):
        count = _spread(count, axis)
    return (count / max(count.sum(), 1e-9) + 2e-4).ravel()


def _spread(count: np.ndarray, axis: int) -> np.ndarray:
    """Counts shared with the cells beside them."""
    wide = np.moveaxis(count, axis, 0)
    wide = np.concatenate([wide[:1], wide, wide[-1:]])
    return np.moveaxis(0.25 * wide[:-2] + 0.5 * wide[1:-1] + 0.25 * wide[2:], 0, axis)


def _closed_path(gain: np.ndarray) -> np.ndarray:
    """(RAYS,) places in `gain` (RAYS, radii) along the closed path of the largest sum, less what bends cost."""
    rays, count = gain.shape
    # Twice around: the middle of it does not know where it began.
    turns = np.arange(-_LARGEST_TURN, _LARGEST_TURN + 1)
    cost = (_BEND * turns**2)[:, None]
    padded = np.full(count + 2 * _LARGEST_TURN, -1e9)
    best, near = padded[_LARGEST_TURN:-_LARGEST_TURN], sliding_window_view(padded, count)  # views: they follow `padded`
    best[:] = gain[0]
    options, came = np.empty((len(turns), count)), np.zeros((2 * rays, count), int)
    for ray in range(1, 2 * rays):
        np.subtract(near, cost, out=options)
        options.argmax(axis=0, out=came[ray])
        np.add(options.max(axis=0), gain[ray % rays], out=best)
    before = np.clip(came + np.arange(count) - _LARGEST_TURN, 0, count - 1).tolist()
    place, path = int(best.argmax()), [0] * (2 * rays)
    for ray in range(2 * rays - 1, -1, -1):
        path[ray] = place
        place = before[ray][place]
    return np.roll(path[rays // 2 : rays // 2 + rays], rays // 2)
