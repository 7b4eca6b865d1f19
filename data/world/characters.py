"""The two characters of the drawn world and how a pose looks on each: see data/world/puppets.py."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

LookName = Literal["A", "B"]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Pose:
    """The hidden parameters of one frame; see RANGES for their limits.

    x, y: place of the head from its rest, as a fraction of the picture's side; right and down are positive.
    tilt: degrees clockwise as seen on the screen.
    mouth: 0 closed to 1 wide open. smile: -1 corners down to 1 corners up.
    eyes: 0 shut to 1 wide open. brows: -1 lowered to 1 raised.
    """

    x: float = 0.0
    y: float = 0.0
    tilt: float = 0.0
    mouth: float = 0.0
    smile: float = 0.0
    eyes: float = 0.8
    brows: float = 0.0


RANGES: dict[str, tuple[float, float]] = {
    "x": (-0.14, 0.14),
    "y": (-0.08, 0.08),
    "tilt": (-18.0, 18.0),
    "mouth": (0.0, 1.0),
    "smile": (-1.0, 1.0),
    "eyes": (0.0, 1.0),
    "brows": (-1.0, 1.0),
}


def _smooth(*corners: tuple[float, float]) -> np.ndarray:
    """A round closed outline (N, 2) through Chaikin's corner cutting."""
    points = np.array(corners)
    for _ in range(3):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points


_ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)


@lru_cache
def _unit_oval(squareness: float) -> np.ndarray:
    """Outline (48, 2) of a superellipse about (0, 0) with half axes 1."""
    circle = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    return np.sign(circle) * np.abs(circle) ** (2 / squareness)


def _oval(x: float, y: float, width: float, height: float, squareness: float = 2.0) -> np.ndarray:
    """Outline (48, 2) of a superellipse about (x, y) with half axes `width`, `height`; squareness 2 is an ellipse."""
    return _unit_oval(squareness) * (width, height) + (x, y)


@dataclass(frozen=True)
class _Look:
    """Colours (RGB) and outlines of a character. Outlines are in sides of the picture about the head's middle."""

    background: Colour
    skin: Colour
    shade: Colour
    hair: Colour
    hair_mark: Colour
    lips: Colour
    clothes: Colour
    trim: Colour
    ring: Colour
    jaw: float
    behind: np.ndarray
    fringe: np.ndarray
    mark: np.ndarray


_LOOKS: dict[str, _Look] = {
    "A": _Look(
        background=(104, 158, 184),
        skin=(250, 216, 190),
        shade=(240, 172, 152),
        hair=(196, 82, 44),
        hair_mark=(126, 226, 208),
        lips=(206, 48, 72),
        clothes=(92, 178, 150),
        trim=(240, 246, 236),
        ring=(252, 208, 72),
        jaw=2.0,
        behind=_smooth((-0.30, -0.05), (-0.30, -0.30), (0.0, -0.36), (0.30, -0.30), (0.30, -0.05), (0.0, 0.0)),
        fringe=_smooth(
            (-0.27, 0.06), (-0.34, -0.2), (-0.2, -0.4), (0.2, -0.4), (0.34, -0.2), (0.27, 0.06),
            (0.25, -0.19), (0.06, -0.22), (-0.13, -0.34), (-0.15, -0.2), (-0.25, -0.14),
        ),
        mark=_smooth((-0.31, -0.13), (-0.19, -0.26), (-0.15, -0.22), (-0.27, -0.08)),
    ),
    "B": _Look(
        background=(30, 62, 72),
        skin=(204, 138, 98),
        shade=(166, 100, 72),
        hair=(70, 34, 96),
        hair_mark=(236, 232, 244),
        lips=(150, 34, 62),
        clothes=(168, 60, 96),
        trim=(250, 172, 96),
        ring=(232, 236, 244),
        jaw=2.4,
        behind=_smooth((-0.29, -0.05), (-0.29, -0.28), (0.0, -0.3), (0.29, -0.28), (0.29, -0.05), (0.0, 0.0)),
        fringe=_smooth(
            (-0.29, 0.0), (-0.35, -0.22), (-0.2, -0.41), (0.2, -0.41), (0.35, -0.22), (0.29, 0.0),
            (0.25, -0.2), (0.1, -0.25), (-0.06, -0.23), (-0.2, -0.27), (-0.25, -0.16),
        ),
        mark=_smooth((-0.31, -0.13), (-0.21, -0.33), (-0.14, -0.3), (-0.25, -0.08)),
    ),
}  # fmt: skip

_INK: Colour = (38, 24, 30)
_WHITE: Colour = (252, 250, 246)
_THROAT: Colour = (92, 18, 30)
HEAD = (0.5, 0.485)  # rest place of the head's middle
_OVERSAMPLE = 4
_SHIFT = 6  # cv2 takes fixed-point coordinates with this many fraction bits


class _Canvas:
    """An RGB picture drawn larger than wanted and averaged down; `place` sets where outlines land."""

    def __init__(self, size: int, background: Colour) -> None:
        self.size, self.side = size, size * _OVERSAMPLE
        self.picture = np.empty((self.side, self.side, 3), np.uint8)
        self.picture[:] = np.tile(np.array(background, np.uint8), (self.side, 1))  # a row at a time is far quicker
        self.place(0.0, 0.0, 0.0)

    def place(self, x: float, y: float, tilt: float) -> None:
        """Later outlines are turned by `tilt` degrees about their origin, which lies at (x, y) of the unit picture."""
        cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
        self._turn, self._origin = np.array([[cosine, sine], [-sine, cosine]]), np.array([x, y])

    def _fixed_point(self, outline: np.ndarray) -> np.ndarray:
        # Pixel centres lie at integers for cv2, hence the half pixel.
        pixels = (outline @ self._turn + self._origin) * self.side - 0.5
        return np.rint(pixels * (1 << _SHIFT)).astype(np.int32)

    def fill(self, outline: np.ndarray, colour: Colour) -> None:
        cv2.fillPoly(self.picture, [self._fixed_point(outline)], colour, cv2.LINE_8, _SHIFT)

    def stroke(self, line: np.ndarray, colour: Colour, width: float, closed: bool = False) -> None:
        thickness = max(1, round(width * self.side))
        cv2.polylines(self.picture, [self._fixed_point(line)], closed, colour, thickness, cv2.LINE_8, _SHIFT)

    def finished(self) -> np.ndarray:
        return cv2.resize(self.picture, (self.size, self.size), interpolation=cv2.INTER_AREA)


def _draw_body(canvas: _Canvas, look: _Look, pose: Pose) -> None:
    canvas.place(HEAD[0] + 0.5 * pose.x, 1.0 + 0.5 * pose.y, 0.0)
    canvas.fill(_oval(0, 0.16, 0.43, 0.27, 2.6), look.clothes)
    canvas.fill(_oval(0, -0.1, 0.17, 0.07), look.trim)
    canvas.fill(_oval(0, -0.13, 0.115, 0.075), look.shade)
    canvas.fill(np.array([[-0.1, -0.3], [0.1, -0.3], [0.115, -0.12], [-0.115, -0.12]]), look.shade)


def _draw_eyes(canvas: _Canvas, look: _Look, pose: Pose) -> None:
    for side in (-1, 1):
        x, y, opening = side * 0.12, -0.045, 0.075 * pose.eyes
        canvas.fill(_oval(x, y, 0.078, opening), _WHITE)
        canvas.fill(_oval(x, y, 0.038, min(0.05, opening)), _INK)
        arc = np.linspace(-1, 1, 9)
        sag = 0.02 * (1 - pose.eyes)
        lid = np.stack([x + 0.08 * arc, y - (opening - sag) * np.sqrt(1 - arc**2)], axis=1)
        canvas.stroke(lid, _INK, 0.018)
        # Raised brows are arched, lowered ones slope down to the nose.
        height = -0.16 - 0.042 * pose.brows
        slope = 0.014 * (0.2 - pose.brows) * -side
        brow = np.stack([x + 0.078 * arc, height + 0.022 * arc**2 + slope * arc], axis=1)
        canvas.stroke(brow, look.hair, 0.036)


def _draw_mouth(canvas: _Canvas, look: _Look, pose: Pose) -> None:
    along = np.linspace(-1, 1, 17)
    x = (0.135 + 0.02 * pose.smile - 0.02 * pose.mouth) * along
    bend = 0.155 - 0.06 * pose.smile * (along**2 - 0.4)
    arch = np.sqrt(1 - along**2)
    upper, lower = bend - 0.04 * pose.mouth * arch, bend + 0.14 * pose.mouth * arch
    outline = np.concatenate([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]])
    canvas.fill(outline, _THROAT)
    teeth = np.minimum(lower, upper + 0.05 * pose.mouth)
    canvas.fill(np.concatenate([np.stack([x, upper], 1), np.stack([x, teeth], 1)[::-1]]), _WHITE)
    canvas.stroke(outline, look.lips, 0.03, closed=True)


def draw(pose: Pose, look: LookName, size: int) -> np.ndarray:
    """The character in this pose: (size, size, 3) uint8 RGB. Same bytes every time, same picture at any size."""
    style = _LOOKS[look]
    canvas = _Canvas(size, style.background)
    head = (HEAD[0] + pose.x, HEAD[1] + pose.y, pose.tilt)
    canvas.place(*head)
    canvas.fill(style.behind, style.hair)
    _draw_body(canvas, style, pose)
    canvas.place(*head)
    chin = 0.03 * pose.mouth
    for side in (-1, 1):
        canvas.fill(_oval(side * 0.275, 0.0, 0.045, 0.06), style.shade)
    face = _oval(0, 0, 0.27, 0.315, style.jaw)
    face[:, 1] *= np.where(face[:, 1] > 0, 1 + chin / 0.315, 1)  # the jaw drops, the rest stays
    canvas.fill(face, style.skin)
    canvas.fill(_oval(0, 0.06, 0.03, 0.035), style.shade)
    _draw_eyes(canvas, style, pose)
    _draw_mouth(canvas, style, pose)
    canvas.fill(style.fringe, style.hair)
    canvas.fill(style.mark, style.hair_mark)
    canvas.fill(_oval(0.29, 0.1, 0.038, 0.042), style.ring)
    return canvas.finished()
