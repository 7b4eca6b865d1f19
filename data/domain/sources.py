"""What a clip can be made from: a video, a folder of pictures, of strips, or of pairs. All give `Frame`s."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.domain.pictures import SUFFIXES, read_picture, resize
from data.errors import MissingInputError, PictureError
from data.video.frame import Frame, VideoInfo
from data.video.reader import probe, read_frames

PICTURE_RATE = Fraction(25)
"""Frames a second that a folder of pictures is taken to have."""
STRIP_FRAMES = 3
"""Frames side by side in a strip of the Recycle-GAN authors' data: t, t+1, t+2."""


@dataclass(frozen=True)
class Source:
    """One input of `extract`.

    kind: "video"; "pictures", which follow each other in time; or "strips", which do not: each picture is a shot of
    its own, of the frames that it holds side by side, or of one.
    across: how many lie side by side in a picture, all of one width. part: which of them alone is taken, from 0 at the
    left; None: all, as frames from left to right.
    fit: pictures of other sizes are made to cover the first one's and cut to it; else each keeps its own.
    """

    path: Path
    kind: str
    info: VideoInfo
    across: int = 1
    part: int | None = None
    fit: bool = True

    @property
    def frames_each(self) -> int:
        """Frames that one picture of a folder gives."""
        return self.across if self.part is None else 1

    def frames(self, start: Fraction | None = None) -> Iterator[Frame]:
        """Every frame in order, or those from `start` seconds on. Raises NotAVideoError, PictureError."""
        if self.kind == "video":
            return read_frames(self.path, start=start)
        return (frame for frame in _picture_frames(self) if start is None or frame.seconds >= start)

    def known_shots(self, frames: int) -> list[int] | None:
        """First frames of the shots after the first, where they are known without looking: each strip is a shot."""
        return list(range(self.frames_each, frames, self.frames_each)) if self.kind == "strips" else None

    def sha256(self) -> str:
        """Of the file, or of the names and contents of a folder's pictures."""
        digest = hashlib.sha256()
        for path in [self.path] if self.kind == "video" else pictures_in(self.path):
            if self.kind != "video":
                digest.update(path.name.encode() + b"\0")
            with path.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
        return digest.hexdigest()


def open_source(
    path: Path, strips: str = "auto", *, single: bool = False, half: int | None = None, fit: bool = True
) -> Source:
    """Looks what `path` is. Raises MissingInputError, NotAVideoError, PictureError.

    strips: "yes", "no", or "auto", which takes a folder for one of strips where its first picture is exactly three
    times as wide as high. single: a folder's pictures do not follow each other. half: of pictures that hold a pair side
    by side, take the left (0) or the right (1). fit: as a `Source` has it; without it only pictures that follow each
    other are still made one size.
    """
    if not path.is_dir():
        return Source(path, "video", probe(path))
    pictures = pictures_in(path)
    if not pictures:
        raise MissingInputError(f"{path}: no pictures in this folder ({', '.join(sorted(SUFFIXES))})")
    first = read_picture(pictures[0])
    height, width = first.shape[:2]
    is_strips = half is None and (strips == "yes" or (strips == "auto" and width == STRIP_FRAMES * height))
    kind = "strips" if is_strips or single else "pictures"
    across = 2 if half is not None else STRIP_FRAMES if is_strips else 1
    info = VideoInfo(
        path=str(path),
        width=_cut(first, across, pictures[0])[0].shape[1],
        height=height,
        sample_aspect=Fraction(1),
        rotation=0,
        rate=PICTURE_RATE,
        time_base=1 / PICTURE_RATE,
        frames=len(pictures) * (across if half is None else 1),
        codec="pictures",
        pixel_format="rgb24",
        colour={},
        interlaced=False,
        audio_tracks=0,
    )
    return Source(path, kind, info, across, half, fit or kind == "pictures")


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order: 2.jpg before 10.jpg."""

    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", path.name.lower())]

    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(found, key=natural)


def _picture_frames(source: Source) -> Iterator[Frame]:
    """Pictures as frames; what lies side by side is cut apart first: no later resizing bleeds over the seams."""
    info, number = source.info, 0
    for path in pictures_in(source.path):
        parts = _cut(read_picture(path), source.across, path)
        for part in parts if source.part is None else [parts[source.part]]:
            rgb = _fitted(part, info.width, info.height) if source.fit else part
            yield Frame(rgb=rgb, number=number, pts=number, time_base=info.time_base)
            number += 1


def _cut(rgb: np.ndarray, across: int, path: Path) -> list[np.ndarray]:
    """The pictures that lie side by side in the one at `path`, left to right. Raises PictureError."""
    if rgb.shape[1] % across:
        raise PictureError(
            f"{path}: {rgb.shape[1]} pixels wide, which {across} pictures side by side cannot share; remove it"
        )
    return np.split(rgb, across, axis=1)


def _fitted(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """`rgb` made to cover width x height and cut to it in the middle: pictures of a folder come in many sizes."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    rgb = resize(rgb, (max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale))))
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return rgb[top : top + height, left : left + width]
