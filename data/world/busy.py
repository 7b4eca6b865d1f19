"""Two more characters, before a background that moves, in a light that changes; see data/world/worlds.py.

They share the parameters of the face with the plain world and differ from each other more than its two do: hair,
glasses, beard and the outline of the head. Background and light are parameters too: both looks show the same
background, moved alike, in other colours, and the same light in another tint, so that a right translation exists.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from data.world.canvas import Canvas, Colour, oval, smooth
from data.world.characters import RANGES, LookName, Pose

BUSY_HEAD = (0.5, 0.5)  # rest place of the head's middle


@dataclass(frozen=True)
class BusyPose(Pose):
    """The hidden parameters of one frame; see BUSY_RANGES.

    light: where it comes from, -1 left to 1 right. bright: 0 dim to 1 bright. drift_x, drift_y: how far the background
    has moved, as a fraction of the picture's side.
    """

    light: float = 0.0
    bright: float = 0.5
    drift_x: float = 0.0
    drift_y: float = 0.0


BUSY_RANGES: dict[str, tuple[float, float]] = RANGES | {
    "light": (-1.0, 1.0),
    "bright": (0.0, 1.0),
    "drift_x": (-0.1, 0.1),
    "drift_y": (-0.1, 0.1),
}


@dataclass(frozen=True)
class _Look:
    """Colours (RGB) and outlines of a character; outlines in sides of the picture about the head's middle."""

    wall: tuple[Colour, Colour, Colour, Colour]
    tint: tuple[float, float, float]
    skin: Colour
    shade: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    clothes: Colour
    glasses: Colour
    jaw: float
    width: float
    rims: float
    behind: tuple[np.ndarray, ...]
    fringe: np.ndarray
    beard: np.ndarray | None


def _curls(count: int, radius: float, curl: float, start: float, end: float) -> tuple[np.ndarray, ...]:
    angles = np.radians(np.linspace(start, end, count))
    return tuple(oval(radius * np.cos(a), radius * np.sin(a) - 0.05, curl, curl) for a in angles)


_LOOKS: dict[str, _Look] = {
    "A": _Look(
        wall=((196, 186, 160), (150, 170, 142), (214, 148, 116), (120, 138, 150)),
        tint=(1.0, 0.98, 0.94),
        skin=(232, 190, 160),
        shade=(204, 148, 122),
        hair=(58, 40, 34),
        iris=(70, 120, 90),
        lips=(188, 62, 80),
        clothes=(224, 176, 60),
        glasses=(160, 30, 44),
        jaw=2.1,
        width=0.245,
        rims=2.0,
        behind=(
            smooth((-0.29, 0.36), (-0.33, -0.1), (-0.24, -0.36), (0.24, -0.36), (0.33, -0.1), (0.29, 0.36), (0.0, 0.2)),
            oval(0.12, -0.37, 0.12, 0.1),
        ),
        fringe=smooth(
            (-0.27, 0.02), (-0.31, -0.2), (-0.18, -0.36), (0.18, -0.36), (0.31, -0.2), (0.27, 0.02),
            (0.24, -0.13), (0.16, -0.24), (-0.08, -0.29), (-0.2, -0.2), (-0.25, -0.1),
        ),
        beard=None,
    ),
    "B": _Look(
        wall=((54, 60, 96), (88, 54, 92), (40, 96, 112), (112, 92, 140)),
        tint=(0.92, 0.98, 1.06),
        skin=(146, 98, 70),
        shade=(112, 70, 50),
        hair=(206, 198, 190),
        iris=(60, 40, 30),
        lips=(186, 66, 74),
        clothes=(66, 110, 176),
        glasses=(236, 214, 120),
        jaw=2.7,
        width=0.265,
        rims=4.5,
        behind=_curls(13, 0.25, 0.1, 165, 375),
        fringe=smooth(
            (-0.28, -0.1), (-0.3, -0.24), (-0.16, -0.38), (0.16, -0.38), (0.3, -0.24), (0.28, -0.1),
            (0.24, -0.23), (0.1, -0.27), (-0.1, -0.24), (-0.24, -0.25),
        ),
        beard=smooth(
            (-0.27, 0.02), (-0.27, 0.24), (-0.12, 0.36), (0.12, 0.36), (0.27, 0.24), (0.27, 0.02),
            (0.22, 0.08), (0.16, 0.24), (0.0, 0.27), (-0.16, 0.24), (-0.22, 0.08),
        ),
    ),
}  # fmt: skip

_INK: Colour = (30, 22, 28)
_WHITE: Colour = (246, 244, 240)
_THROAT: Colour = (70, 16, 26)
_MARGIN = 0.25  # of the side, that the background reaches beyond the picture on each side
_SHAPES, _WALL_SEED = 60, 20
_SIDE_LIGHT, _DIMMEST = 0.32, 0.7


@lru_cache(maxsize=8)
def _wall(look: LookName, side: int) -> np.ndarray:
    """The whole background: discs and bars of three colours on a fourth, in the same places for both looks."""
    generator = np.random.default_rng(_WALL_SEED)
    colours, whole = _LOOKS[look].wall, round(side * (1 + 2 * _MARGIN))
    picture = np.full((whole, whole, 3), colours[0], np.uint8)
    for number in range(_SHAPES):
        middle, extent = generator.uniform(0, whole, 2), generator.uniform(0.02, 0.09) * side
        box = (middle.tolist(), (2 * extent, extent * generator.uniform(0.8, 3)), generator.uniform(0, 180))
        draw_shape = cv2.ellipse if number % 2 else _bar
        draw_shape(picture, box, colours[1 + number % 3], -1)
    # The camera looks at the character: what is behind is a little out of focus.
    return cv2.GaussianBlur(picture, (0, 0), 0.008 * side)


def _bar(picture: np.ndarray, box: tuple, colour: Colour, _: int) -> None:
    cv2.fillPoly(picture, [np.rint(cv2.boxPoints(box)).astype(np.int32)], colour)


def _lit(picture: np.ndarray, look: LookName, pose: BusyPose) -> np.ndarray:
    """uint8: brighter towards the light, evenly so from edge to edge."""
    across = (np.arange(len(picture), dtype=np.float32) + 0.5) / len(picture) * 2 - 1
    gain = (_DIMMEST + (1 - _DIMMEST) * pose.bright) * (1 + _SIDE_LIGHT * pose.light * across)
    lit = picture * (gain[None, :, None] * np.array(_LOOKS[look].tint, np.float32))
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def _draw_eyes(canvas: Canvas, look: _Look, pose: Pose) -> None:
    arc = np.linspace(-1, 1, 9)
    for side in (-1, 1):
        x, y, opening = side * 0.115, -0.035, 0.066 * pose.eyes
        canvas.fill(oval(x, y, 0.07, opening), _WHITE)
        canvas.fill(oval(x, y, 0.036, min(0.045, opening)), look.iris)
        canvas.fill(oval(x, y, 0.018, min(0.022, opening)), _INK)
        sag = 0.02 * (1 - pose.eyes)
        canvas.stroke(np.stack([x + 0.074 * arc, y - (opening - sag) * np.sqrt(1 - arc**2)], 1), _INK, 0.016)
        height, slope = -0.168 - 0.042 * pose.brows, 0.016 * (0.2 - pose.brows) * -side
        canvas.stroke(np.stack([x + 0.07 * arc, height + 0.02 * arc**2 + slope * arc], 1), look.hair, 0.034)
        canvas.stroke(oval(x, y + 0.005, 0.1, 0.088, look.rims), look.glasses, 0.014, closed=True)
        canvas.stroke(np.array([[side * 0.215, y], [side * look.width, y - 0.01]]), look.glasses, 0.014)
    canvas.stroke(np.array([[-0.018, -0.045], [0.018, -0.045]]), look.glasses, 0.014)


def _draw_mouth(canvas: Canvas, look: _Look, pose: Pose) -> None:
    along = np.linspace(-1, 1, 17)
    x, arch = (0.12 + 0.02 * pose.smile - 0.015 * pose.mouth) * along, np.sqrt(1 - along**2)
    bend = 0.165 - 0.055 * pose.smile * (along**2 - 0.4)
    upper, lower = bend - 0.035 * pose.mouth * arch, bend + 0.125 * pose.mouth * arch
    outline = np.concatenate([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]])
    canvas.fill(outline, _THROAT)
    teeth = np.minimum(lower, upper + 0.04 * pose.mouth)
    canvas.fill(np.concatenate([np.stack([x, upper], 1), np.stack([x, teeth], 1)[::-1]]), _WHITE)
    canvas.stroke(outline, look.lips, 0.03, closed=True)


def busy_face_of(pose: BusyPose, look: LookName, size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: how much of each pixel of `draw_busy` is face, with its beard."""
    style = _LOOKS[look]
    canvas = Canvas(size, (0, 0, 0))
    canvas.place(BUSY_HEAD[0] + pose.x, BUSY_HEAD[1] + pose.y, pose.tilt)
    canvas.fill(_face(style, pose), (255, 255, 255))
    canvas.fill(style.fringe, (0, 0, 0))
    return canvas.finished()[..., 0].astype(np.float32) / 255


def _face(look: _Look, pose: Pose) -> np.ndarray:
    face = oval(0, 0, look.width, 0.32, look.jaw)
    face[:, 1] *= np.where(face[:, 1] > 0, 1 + 0.03 * pose.mouth / 0.32, 1)  # the jaw drops, the rest stays
    return face


def draw_busy(pose: BusyPose, look: LookName, size: int) -> np.ndarray:
    """The character in this pose, background and light: (size, size, 3) uint8 RGB. Same bytes every time."""
    style = _LOOKS[look]
    canvas = Canvas(size, style.wall[0])
    middle = (0.5 + _MARGIN - np.array([pose.drift_x, pose.drift_y])) * canvas.side - 0.5
    canvas.picture[:] = cv2.getRectSubPix(_wall(look, canvas.side), (canvas.side, canvas.side), middle.tolist())
    head = (BUSY_HEAD[0] + pose.x, BUSY_HEAD[1] + pose.y, pose.tilt)
    canvas.place(*head)
    for outline in style.behind:
        canvas.fill(outline, style.hair)
    canvas.place(BUSY_HEAD[0] + 0.5 * pose.x, 1.0 + 0.5 * pose.y, 0.0)
    canvas.fill(oval(0, 0.17, 0.4, 0.25, 3.0), style.clothes)
    canvas.fill(np.array([[-0.1, -0.3], [0.1, -0.3], [0.12, -0.05], [0.0, 0.03], [-0.12, -0.05]]), style.shade)
    canvas.place(*head)
    for side in (-1, 1):
        canvas.fill(oval(side * (style.width + 0.015), 0.0, 0.05, 0.075), style.shade)
    canvas.fill(_face(style, pose), style.skin)
    if style.beard is not None:
        canvas.fill(style.beard, style.hair)
    canvas.stroke(np.array([[0.0, -0.02], [0.03, 0.07], [-0.015, 0.075]]), style.shade, 0.022)
    _draw_mouth(canvas, style, pose)
    canvas.fill(style.fringe, style.hair)
    _draw_eyes(canvas, style, pose)
    canvas.fill(oval(0.29, 0.09, 0.03, 0.034), style.glasses)
    return _lit(canvas.finished(), look, pose)
