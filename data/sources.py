"""What a clip can be made from: a video, a folder of pictures, a folder of strips. All give `Frame`s."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.errors import MissingInputError, PictureError
from data.frame import Frame, VideoInfo
from data.pictures import SUFFIXES, read_picture, resize
from data.video import probe, read_frames

PICTURE_RATE = Fraction(25)
"""Frames a second that a folder of pictures is taken to have."""
STRIP_FRAMES = 3
"""Frames side by side in a strip of the Recycle-GAN authors' data: t, t+1, t+2."""


@dataclass(frozen=True)
class Source:
    """One input of `extract`. kind: "video", "pictures" or "strips"."""

    path: Path
    kind: str
    info: VideoInfo

    def frames(self, start: Fraction | None = None) -> Iterator[Frame]:
        """Every frame in order, or those from `start` seconds on. Raises NotAVideoError, PictureError."""
        if self.kind == "video":
            return read_frames(self.path, start=start)
        frames = _picture_frames(self.path, STRIP_FRAMES if self.kind == "strips" else 1, self.info)
        return (frame for frame in frames if start is None or frame.seconds >= start)

    def known_shots(self, frames: int) -> list[int] | None:
        """First frames of the shots after the first, where they are known without looking: each strip is a shot."""
        return list(range(STRIP_FRAMES, frames, STRIP_FRAMES)) if self.kind == "strips" else None

    def sha256(self) -> str:
        """Of the file, or of the names and contents of a folder's pictures."""
        digest = hashlib.sha256()
        for path in [self.path] if self.kind == "video" else pictures_in(self.path):
            if self.kind != "video":
                digest.update(path.name.encode() + b"\0")
            with path.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
        return digest.hexdigest()


def open_source(path: Path, strips: str = "auto") -> Source:
    """Looks what `path` is. Raises MissingInputError, NotAVideoError, PictureError.

    strips: "yes", "no", or "auto", which takes a folder for one of strips where its first picture is exactly three
    times as wide as high.
    """
    if not path.is_dir():
        return Source(path, "video", probe(path))
    pictures = pictures_in(path)
    if not pictures:
        raise MissingInputError(f"{path}: no pictures in this folder ({', '.join(sorted(SUFFIXES))})")
    height, width = read_picture(pictures[0]).shape[:2]
    is_strips = strips == "yes" or (strips == "auto" and width == STRIP_FRAMES * height)
    width = width // STRIP_FRAMES if is_strips else width
    count = len(pictures) * (STRIP_FRAMES if is_strips else 1)
    info = VideoInfo(
        path=str(path),
        width=width,
        height=height,
        sample_aspect=Fraction(1),
        rotation=0,
        rate=PICTURE_RATE,
        time_base=1 / PICTURE_RATE,
        frames=count,
        codec="pictures",
        pixel_format="rgb24",
        colour={},
        interlaced=False,
        audio_tracks=0,
    )
    return Source(path, "strips" if is_strips else "pictures", info)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order: 2.jpg before 10.jpg."""

    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name.lower())]

    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(found, key=natural)


def _picture_frames(folder: Path, parts: int, info: VideoInfo) -> Iterator[Frame]:
    """Pictures as frames; a strip is cut into its frames first, so that no later resizing bleeds over the seams."""
    number = 0
    for path in pictures_in(folder):
        whole = read_picture(path)
        if whole.shape[1] % parts:
            raise PictureError(f"{path}: {whole.shape[1]} pixels wide, which {parts} frames cannot share; remove it")
        for part in np.split(whole, parts, axis=1):
            yield Frame(rgb=_fitted(part, info.width, info.height), number=number, pts=number, time_base=info.time_base)
            number += 1


def _fitted(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """`rgb` made to cover width x height and cut to it in the middle: pictures of a folder come in many sizes."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    rgb = resize(rgb, (max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale))))
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return rgb[top : top + height, left : left + width]
