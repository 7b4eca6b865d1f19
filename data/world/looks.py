"""More of the plain world: ten looks of its first character, and what every pixel of a drawing shows.

A look is its colours: hair, clothes, lips and wall, whose hues go round the circle. Outlines are the first character's.
"""

import colorsys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from data.disk import make_folder, write_bytes, write_json
from data.world.canvas import Colour
from data.world.characters import LOOKS, Look, LookName, Pose, draw, on_canvas
from data.world.clips import write_pictures
from data.world.movement import motion
from data.world.puppets import tone
from data.world.worlds import RATE

MOST_LOOKS = 10
LABELS: dict[str, Colour] = {
    "background": (70, 130, 180),
    "skin": (220, 20, 60),
    "hair": (107, 142, 35),
    "eyes": (250, 250, 30),
    "mouth": (119, 11, 32),
    "clothes": (128, 64, 128),
}
"""Classes of a drawing and their colours in its label maps."""
_PARTS = {
    "background": ("background",),
    "skin": ("skin", "shade", "ring"),
    "hair": ("hair", "hair_mark"),
    "eyes": ("white", "ink"),
    "mouth": ("lips", "throat", "teeth"),
    "clothes": ("clothes", "trim"),
}
"""Colours of a look that each class has. Brows are hair."""


def look_of(number: int) -> Look:
    """Look 0 to MOST_LOOKS - 1."""
    hue = number / MOST_LOOKS
    return replace(
        LOOKS["A"],
        hair=_colour(hue, 0.8, 0.75),
        hair_mark=_colour(hue + 0.5, 0.5, 0.95),
        clothes=_colour(hue + 0.35, 0.7, 0.7),
        lips=_colour(hue + 0.6, 0.8, 0.8),
        background=_colour(hue + 0.15, 0.35, 0.9 - 0.5 * (number % 2)),
    )


def draw_look(pose: Pose, number: int, size: int) -> np.ndarray:
    """The first character in look `number`: (size, size, 3) uint8 RGB."""
    return on_canvas(pose, look_of(number), size).finished()


def draw_labels(pose: Pose, look: LookName, size: int) -> np.ndarray:
    """What each pixel of `draw` shows, by LABELS: (size, size, 3) uint8 RGB."""
    parts = {part: LABELS[name] for name, kind in _PARTS.items() for part in kind}
    flat = replace(LOOKS[look], **parts)  # type: ignore[arg-type]
    return on_canvas(pose, flat, size).middles()


def write_looks(folder: Path, looks: int, seed: int, frames: int, test: list[Pose], size: int) -> None:
    """look-K.mp4, `frames` each in motions of their own, and truth-look-K.mp4, the test clip in that look.

    Raises OutputError.
    """
    for number in range(looks):
        poses = motion(1000 * (seed + 1) + number, frames, RATE)
        for name, shown in ((f"look-{number}", poses), (f"truth-look-{number}", test)):
            pictures = (draw_look(pose, number, size) for pose in shown)
            write_pictures(folder / f"{name}.mp4", pictures, size, RATE, tone(shown, RATE))


def write_labelled(folder: Path, look: LookName, poses: list[Pose], size: int) -> None:
    """images/, labels/ of the same names, and palette.json, as `retarget adapt` reads them. Raises OutputError."""
    for part, drawing in (("images", draw), ("labels", draw_labels)):
        make_folder(folder / part)
        for number, pose in enumerate(poses):
            _, content = cv2.imencode(".png", drawing(pose, look, size)[..., ::-1])
            write_bytes(folder / part / f"{number:06d}.png", content.tobytes())
    write_json(folder / "palette.json", {name: list(colour) for name, colour in LABELS.items()})


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))
    return red, green, blue
