"""The two characters of the drawn world and how a pose looks on each: see data/world/puppets.py."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.world.canvas import Canvas, Colour, oval, smooth

LookName = Literal["A", "B"]


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


@dataclass(frozen=True)
class Look:
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
    ink: Colour = (38, 24, 30)
    white: Colour = (252, 250, 246)
    teeth: Colour = (252, 250, 246)
    throat: Colour = (92, 18, 30)


LOOKS: dict[str, Look] = {
    "A": Look(
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
        behind=smooth((-0.30, -0.05), (-0.30, -0.30), (0.0, -0.36), (0.30, -0.30), (0.30, -0.05), (0.0, 0.0)),
        fringe=smooth(
            (-0.27, 0.06), (-0.34, -0.2), (-0.2, -0.4), (0.2, -0.4), (0.34, -0.2), (0.27, 0.06),
            (0.25, -0.19), (0.06, -0.22), (-0.13, -0.34), (-0.15, -0.2), (-0.25, -0.14),
        ),
        mark=smooth((-0.31, -0.13), (-0.19, -0.26), (-0.15, -0.22), (-0.27, -0.08)),
    ),
    "B": Look(
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
        behind=smooth((-0.29, -0.05), (-0.29, -0.28), (0.0, -0.3), (0.29, -0.28), (0.29, -0.05), (0.0, 0.0)),
        fringe=smooth(
            (-0.29, 0.0), (-0.35, -0.22), (-0.2, -0.41), (0.2, -0.41), (0.35, -0.22), (0.29, 0.0),
            (0.25, -0.2), (0.1, -0.25), (-0.06, -0.23), (-0.2, -0.27), (-0.25, -0.16),
        ),
        mark=smooth((-0.31, -0.13), (-0.21, -0.33), (-0.14, -0.3), (-0.25, -0.08)),
    ),
}  # fmt: skip

HEAD = (0.5, 0.485)  # rest place of the head's middle


def _draw_body(canvas: Canvas, look: Look, pose: Pose) -> None:
    canvas.place(HEAD[0] + 0.5 * pose.x, 1.0 + 0.5 * pose.y, 0.0)
    canvas.fill(oval(0, 0.16, 0.43, 0.27, 2.6), look.clothes)
    canvas.fill(oval(0, -0.1, 0.17, 0.07), look.trim)
    canvas.fill(oval(0, -0.13, 0.115, 0.075), look.shade)
    canvas.fill(np.array([[-0.1, -0.3], [0.1, -0.3], [0.115, -0.12], [-0.115, -0.12]]), look.shade)


def _draw_eyes(canvas: Canvas, look: Look, pose: Pose) -> None:
    for side in (-1, 1):
        x, y, opening = side * 0.12, -0.045, 0.075 * pose.eyes
        canvas.fill(oval(x, y, 0.078, opening), look.white)
        canvas.fill(oval(x, y, 0.038, min(0.05, opening)), look.ink)
        arc = np.linspace(-1, 1, 9)
        sag = 0.02 * (1 - pose.eyes)
        lid = np.stack([x + 0.08 * arc, y - (opening - sag) * np.sqrt(1 - arc**2)], axis=1)
        canvas.stroke(lid, look.ink, 0.018)
        # Raised brows are arched, lowered ones slope down to the nose.
        height = -0.16 - 0.042 * pose.brows
        slope = 0.014 * (0.2 - pose.brows) * -side
        brow = np.stack([x + 0.078 * arc, height + 0.022 * arc**2 + slope * arc], axis=1)
        canvas.stroke(brow, look.hair, 0.036)


def _draw_mouth(canvas: Canvas, look: Look, pose: Pose) -> None:
    along = np.linspace(-1, 1, 17)
    x = (0.135 + 0.02 * pose.smile - 0.02 * pose.mouth) * along
    bend = 0.155 - 0.06 * pose.smile * (along**2 - 0.4)
    arch = np.sqrt(1 - along**2)
    upper, lower = bend - 0.04 * pose.mouth * arch, bend + 0.14 * pose.mouth * arch
    outline = np.concatenate([np.stack([x, upper], 1), np.stack([x, lower], 1)[::-1]])
    canvas.fill(outline, look.throat)
    teeth = np.minimum(lower, upper + 0.05 * pose.mouth)
    canvas.fill(np.concatenate([np.stack([x, upper], 1), np.stack([x, teeth], 1)[::-1]]), look.teeth)
    canvas.stroke(outline, look.lips, 0.03, closed=True)


def face_of(pose: Pose, look: LookName, size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1]: how much of each pixel of `draw` is face, which ears and what hair covers are
    not."""
    style = LOOKS[look]
    canvas = Canvas(size, (0, 0, 0))
    canvas.place(HEAD[0] + pose.x, HEAD[1] + pose.y, pose.tilt)
    canvas.fill(_face(style, pose), (255, 255, 255))
    canvas.fill(style.fringe, (0, 0, 0))
    canvas.fill(style.mark, (0, 0, 0))
    return canvas.finished()[..., 0].astype(np.float32) / 255


def _face(look: Look, pose: Pose) -> np.ndarray:
    face = oval(0, 0, 0.27, 0.315, look.jaw)
    face[:, 1] *= np.where(face[:, 1] > 0, 1 + 0.03 * pose.mouth / 0.315, 1)  # the jaw drops, the rest stays
    return face


def draw(pose: Pose, look: LookName, size: int) -> np.ndarray:
    """The character in this pose: (size, size, 3) uint8 RGB. Same bytes every time, same picture at any size."""
    return on_canvas(pose, LOOKS[look], size).finished()


def on_canvas(pose: Pose, style: Look, size: int) -> Canvas:
    """A character of this look in this pose."""
    canvas = Canvas(size, style.background)
    head = (HEAD[0] + pose.x, HEAD[1] + pose.y, pose.tilt)
    canvas.place(*head)
    canvas.fill(style.behind, style.hair)
    _draw_body(canvas, style, pose)
    canvas.place(*head)
    for side in (-1, 1):
        canvas.fill(oval(side * 0.275, 0.0, 0.045, 0.06), style.shade)
    canvas.fill(_face(style, pose), style.skin)
    canvas.fill(oval(0, 0.06, 0.03, 0.035), style.shade)
    _draw_eyes(canvas, style, pose)
    _draw_mouth(canvas, style, pose)
    canvas.fill(style.fringe, style.hair)
    canvas.fill(style.mark, style.hair_mark)
    canvas.fill(oval(0.29, 0.1, 0.038, 0.042), style.ring)
    return canvas
