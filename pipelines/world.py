"""`retarget world`: clips where the right answer is known, out of real footage."""

import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from data.disk import make_folder
from data.domain.sources import Source, open_source
from data.errors import TooFewFramesError
from data.faces.aligners import open_aligner
from data.faces.placing import Analysis, analyse, square_pixels
from data.world.clips import World, write_pictures
from data.world.drawnover import WORK_PX, DrawnOver
from pipelines.places import say

SHARES = (0.45, 0.4, 0.15)
"""Of a clip: to learn A from, to learn B from, and to translate."""
GAP_SECONDS = Fraction(1, 2)
LEAST_FRAMES = (20, 20, 10)
FACE_ROOM = 1.4
"""Side of the square around a followed face, in sides of the square that its boxes fill."""


def write_filmed(clip: Path, folder: Path, seed: int, size: int) -> World:
    """Three stretches of a clip, in order: a.mp4 as it is; b.mp4 drawn over; test.mp4 as it is with truth.mp4, which is
    the same stretch drawn over. All cut to one square: around the face that is followed, else the middle.

    Raises RetargetError.
    """
    source = open_source(clip)
    make_folder(folder)
    world = World(*(folder / f"{name}.mp4" for name in World._fields))
    square, frames = _looked(source, folder)
    parts = stretches(frames, source.info.rate or Fraction(25), clip)
    filtered, work = DrawnOver(seed), max(size, WORK_PX)
    cut = [[], [], []]
    for frame in source.frames():
        for part, (first, last) in enumerate(parts):
            if first <= frame.number < last:
                left, top, side = square
                picture = square_pixels(frame.rgb, source.info)[top : top + side, left : left + side]
                how = cv2.INTER_AREA if side > work else cv2.INTER_CUBIC
                cut[part].append(cv2.resize(picture, (work, work), interpolation=how))
    rate = source.info.rate or Fraction(25)
    for path, part, drawn_over in (
        (world.a, 0, False),
        (world.b, 1, True),
        (world.test, 2, False),
        (world.truth, 2, True),
    ):
        pictures = (filtered(picture) if drawn_over else picture for picture in cut[part])
        pictures = (cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in pictures)
        write_pictures(path, pictures, size, rate)
    return world


def stretches(frames: int, rate: Fraction, clip: Path) -> list[tuple[int, int]]:
    """First frame and the one after the last of A, of B, and of what is translated, half a second apart.

    Raises TooFewFramesError.
    """
    gap = round(GAP_SECONDS * rate)
    usable = frames - 2 * gap
    lengths = [int(share * usable) for share in SHARES]
    if any(length < least for length, least in zip(lengths, LEAST_FRAMES, strict=True)):
        least = max(int(np.ceil(least / share)) for least, share in zip(LEAST_FRAMES, SHARES, strict=True)) + 2 * gap
        raise TooFewFramesError(f"{clip}: {frames} frames; three stretches of it need {least} at its rate")
    starts = [sum(lengths[:part]) + part * gap for part in range(3)]
    return [(start, start + length) for start, length in zip(starts, lengths, strict=True)]


def _looked(source: Source, folder: Path) -> tuple[tuple[int, int, int], int]:
    """Left, top and side of the square in the frame with square pixels; and how many frames there are."""
    spool = make_folder(folder / ".looked")
    try:
        analysis = analyse(source, open_aligner("auto", None, say), spool / "faces.jsonl")
    finally:
        shutil.rmtree(spool)
    return _square(analysis, *source.info.display_size), analysis.frames


def _square(analysis: Analysis, width: int, height: int) -> tuple[int, int, int]:
    boxes = np.array([choice.detection.box for choice in analysis.choices or [] if choice is not None])
    if not len(boxes):
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side
    low, high = np.percentile(boxes[:, :2], 5, axis=0), np.percentile(boxes[:, 2:], 95, axis=0)
    side = int(min(FACE_ROOM * max(high - low), width, height))
    left, top = (round(min(max(0, m - side / 2), whole - side)) for m, whole in zip((low + high) / 2, (width, height)))
    return left, top, side
