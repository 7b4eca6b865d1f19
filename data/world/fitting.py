"""Hidden parameters of the drawn world read back from its frames: the drawing is fitted to each frame."""

import math
from collections.abc import Iterable

import numpy as np
from scipy.optimize import least_squares

from data.world.characters import LookName, Pose
from data.world.nearest import (
    FACE,
    FINE_PX,
    ROUGH_PX,
    blurred,
    evenly_spread,
    nearest_faces,
    nearest_place,
    pose_of,
    reduced,
    shares_of,
)
from data.world.worlds import WORLDS, DrawnWorld

# Lengths are fractions of the picture's side.
_LARGEST_PX = 128
_ROUGH_SIGMA, _FINE_SIGMA = 2 / 64, 0.7 / 64
_ROUGH_STEP, _FINE_STEP = 0.1, 0.04  # of a range, for the derivatives
_ROUGH_LOOKS, _FINE_LOOKS = 3, 10  # at most so many rounds of least squares; a nearly shut mouth takes the most
_INSIDE = 0.03  # of a range: how far from its bounds the search begins once more
_MOST_HAZE = 3.2 / 64
_HAZE_STEP = 0.02
_LEAST_GAIN, _MOST_GAIN = 0.75, 1.33
_OUTLIER_GREYS = 20.0

_SURROUNDINGS = 128


def read_pose(
    frame: np.ndarray, look: LookName, world: DrawnWorld = WORLDS["plain"], start: Pose | None = None
) -> Pose:
    """The pose whose drawing is nearest to a frame: (S, S, 3) uint8 RGB, any S from 32 px.

    Least squares over the world's parameters, with the frame's blur (one Gaussian over all of it) and the offset of its
    three colours left free (and their gain, where the world's light has no strength of its own), so that a soft or
    slightly tinted frame is not taken for another pose; what a
    drawing cannot explain (a blot) counts linearly, not squared. The search begins anew in every frame: at the nearest
    of many drawings by place and tilt, then by face. `start` is one more beginning; it wins only where it fits better,
    and the fit goes on from there all the same. Every parameter leaves its trace in every pose; `smile` leaves the
    weakest, most of all on B's smaller contrast. A frame without the character gives a pose too: compare its drawing.
    Raises ValueError for another shape or type.
    """
    if frame.ndim != 3 or frame.shape[0] != frame.shape[1] or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(f"a frame of the drawn world is (S, S, 3) uint8, not {frame.shape} {frame.dtype}")
    rough = _Fit(frame, look, world, ROUGH_PX, _ROUGH_SIGMA, _ROUGH_STEP)
    fine = _Fit(frame, look, world, FINE_PX, _FINE_SIGMA, _FINE_STEP)
    placed = nearest_place(frame, look, world)
    found = rough.solved(np.append(placed, _ROUGH_SIGMA**2 / _MOST_HAZE**2 / 4), _ROUGH_LOOKS)
    found = _surrounded(found, rough)
    beginnings = []
    for face in nearest_faces(frame, look, world, found):
        beginnings.append(found.copy())
        beginnings[-1][FACE] = face
    if start is not None:
        beginnings.append(np.append(shares_of(start, world), found[-1]))
    found = fine.solved(min(beginnings, key=fine.error), _FINE_LOOKS)
    inside = np.append(np.clip(found[:-1], _INSIDE, 1 - _INSIDE), found[-1])
    if not np.array_equal(inside, found):  # what has come to a bound stays there, and can hold the others
        found = min(found, fine.solved(inside, _FINE_LOOKS), key=fine.error)
    if len(frame) > FINE_PX:
        # Strokes are whole pixels wide, a little different at every size.
        found = _Fit(frame, look, world, _LARGEST_PX, _FINE_SIGMA, _FINE_STEP).solved(found, _ROUGH_LOOKS)
    return pose_of(found, world)


def read_poses(frames: Iterable[np.ndarray], look: LookName, world: DrawnWorld = WORLDS["plain"]) -> list[Pose]:
    """The pose of each frame of a clip, see `read_pose`.

    The pose before is only offered as a beginning: nothing is smoothed over time, and no frame depends on an error
    made in another.
    """
    poses: list[Pose] = []
    for frame in frames:
        poses.append(read_pose(frame, look, world, poses[-1] if poses else None))
    return poses


class _Fit:
    """A frame at one size, and how far a drawing is from it.

    Unknowns are (n + 1,) in [0, 1]: the shares of the n parameters, and the frame's blur as variance (in which a
    picture changes evenly) in parts of _MOST_HAZE ** 2. Frame and drawing are both softened by `sigma`: the drawing's
    edges move in steps of a quarter pixel, and far-off edges have to overlap to be drawn together. Derivatives are
    central differences over `step` of a range, wide enough to cross many such steps.
    """

    def __init__(
        self, frame: np.ndarray, look: LookName, world: DrawnWorld, side: int, sigma: float, step: float
    ) -> None:
        self.world, self.look, self.sigma, self.step = world, look, sigma, step
        self.frame = blurred(reduced(frame, side), sigma)
        self.drawn: tuple[bytes, np.ndarray] = b"", self.frame

    def _softened(self, picture: np.ndarray, haze: float) -> np.ndarray:
        return blurred(picture, math.sqrt(self.sigma**2 + _MOST_HAZE**2 * haze))

    def _drawing(self, unknowns: np.ndarray) -> np.ndarray:
        return self.world.draw(pose_of(unknowns, self.world), self.look, len(self.frame)).astype(np.float32)

    def _at(self, unknowns: np.ndarray) -> np.ndarray:
        """The sharp drawing, kept because the derivatives are asked for where the difference was."""
        key = unknowns[:-1].tobytes()
        if self.drawn[0] != key:
            self.drawn = key, self._drawing(unknowns)
        return self.drawn[1]

    def _tint(self, soft: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A drawing less its mean colour, and the gain of each colour that brings it nearest to the frame.

        Where the world has a light, gain is its doing.
        """
        centred = soft - soft.mean((0, 1))
        if self.world.lit:
            return centred, np.ones(3)
        gain = (centred * self.frame).sum((0, 1)) / (centred**2).sum((0, 1))
        return centred, np.clip(gain, _LEAST_GAIN, _MOST_GAIN)

    def difference(self, unknowns: np.ndarray) -> np.ndarray:
        """(3 S S,) grey levels: drawing in the frame's blur and tint, less the frame."""
        centred, gain = self._tint(self._softened(self._at(unknowns), unknowns[-1]))
        return (centred * gain + self.frame.mean((0, 1)) - self.frame).ravel()

    def error(self, unknowns: np.ndarray) -> float:
        """Mean of the absolute difference, in grey levels."""
        return float(np.abs(self.difference(unknowns)).mean())

    def derivatives(self, unknowns: np.ndarray) -> np.ndarray:
        """(3 S S, n + 1) of `difference`, less what another tint would undo (variable projection, Kaufman 1975)."""
        sharp, haze = self._at(unknowns), unknowns[-1]
        centred, gain = self._tint(self._softened(sharp, haze))
        columns = []
        for index in range(len(unknowns) - 1):
            high, low = unknowns.copy(), unknowns.copy()
            high[index], low[index] = min(1.0, high[index] + self.step), max(0.0, low[index] - self.step)
            change = (self._drawing(high) - self._drawing(low)) / (high[index] - low[index])
            columns.append(self._softened(change, haze))
        high_haze, low_haze = min(1.0, haze + _HAZE_STEP), max(0.0, haze - _HAZE_STEP)
        change = self._softened(sharp, high_haze) - self._softened(sharp, low_haze)
        columns.append(change / (high_haze - low_haze))
        power = (centred**2).sum((0, 1))
        for index, column in enumerate(columns):
            column = column - column.mean((0, 1))
            if not self.world.lit:
                column = gain * (column - centred * (column * centred).sum((0, 1)) / power)
            columns[index] = column.ravel()
        return np.stack(columns, axis=1).astype(np.float64)

    def solved(self, unknowns: np.ndarray, looks: int) -> np.ndarray:
        """Unknowns (n + 1,) nearby that bring the drawing nearest."""
        return least_squares(
            self.difference,
            np.clip(unknowns, 0, 1),
            self.derivatives,
            bounds=(0, 1),
            method="dogbox",  # goes all the way to a bound: shut eyes, closed mouth
            loss="soft_l1",
            f_scale=_OUTLIER_GREYS,
            max_nfev=looks,
            ftol=1e-3,
            xtol=1e-3,
        ).x


def _surrounded(found: np.ndarray, rough: "_Fit") -> np.ndarray:
    """Unknowns (n + 1,) with light and background searched anew: a pattern fits itself well in more than one place."""
    count = len(found) - 1 - FACE.stop
    if not count:
        return found
    beginnings = [found]
    for shares in evenly_spread(count)[:_SURROUNDINGS]:
        beginnings.append(found.copy())
        beginnings[-1][FACE.stop : -1] = shares
    return rough.solved(min(beginnings, key=rough.error), _ROUGH_LOOKS)
