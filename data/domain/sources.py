"""What a clip can be made from: a video, or a folder of pictures, of strips or of pairs. All give `Frame`s."""

import dataclasses
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data.disk import file_digest
from data.domain.pictures import cut_apart, fitted, notes_on, pictures_in, resize
from data.domain.reading import PLAIN, SUFFIXES, Reading, bits_used
from data.errors import MissingInputError
from data.video.colour import doubtful_matrix
from data.video.frame import Frame, Glance, VideoInfo, fitted_size
from data.video.reader import probe, read_frames, read_glances

STRIP_FRAMES = 3
"""Frames side by side in a strip of the Recycle-GAN authors' data: t, t+1, t+2."""
HALVES = ("left", "right")
"""Of a picture that holds a pair."""


@dataclass(frozen=True)
class Source(ABC):
    """One input of `extract`. `info` is what its container says, or what a folder is taken to be."""

    path: Path
    info: VideoInfo

    @property
    @abstractmethod
    def kind(self) -> str:
        """What `domain.json` calls it: "video"; "pictures", which follow each other in time; "strips", which do not."""

    @property
    def shot_frames(self) -> int | None:
        """Frames of each shot, where every picture is a shot of its own; None where cuts have to be looked for."""
        return None

    @property
    def sound(self) -> Path | None:
        """The file that has its sound, if it has any; None where it can have none."""
        return None

    @property
    def label(self) -> str:
        """Its name for the user."""
        return self.path.name

    @abstractmethod
    def frames(self, start: Fraction | None = None) -> Iterator[Frame]:
        """Every frame in order, or those from `start` seconds on. Raises NotAVideoError, PictureError."""

    @abstractmethod
    def glances(self, longest_px: int) -> Iterator[Glance]:
        """Every frame in order, made small. Raises as `frames`."""

    def content(self) -> dict[str, Any]:
        """All that decides what its frames show, as plain JSON values."""
        own = {name: v for name, v in dataclasses.asdict(self).items() if name not in ("path", "info")}
        return {n: v for n, v in own.items() if v != PLAIN.background} | {"sha256": self.sha256(), "kind": self.kind}

    @abstractmethod
    def sha256(self) -> str:
        """Over the digest of the file, or over the names and digests of a folder's pictures."""

    @abstractmethod
    def settings(self, strips: str) -> dict[str, Any]:
        """What `domain.json` keeps of how it was taken, where that could be otherwise. strips: as the user has it."""

    def notes(self) -> list[str]:
        """Lines for the user on what is taken of it and how."""
        return []

    def known_shots(self, frames: int) -> list[int] | None:
        """First frames of the shots after the first, of that many frames, where they are known without looking."""
        return None if self.shot_frames is None else list(range(self.shot_frames, frames, self.shot_frames))


@dataclass(frozen=True)
class Video(Source):
    """A video file. background: under what is transparent."""

    background: tuple[int, int, int] = PLAIN.background
    kind = "video"

    @property
    def sound(self) -> Path:
        return self.path

    def frames(self, start: Fraction | None = None) -> Iterator[Frame]:
        return read_frames(self.path, start=start, background=self.background)

    def glances(self, longest_px: int) -> Iterator[Glance]:
        return read_glances(self.path, self.info, longest_px, background=self.background)

    def notes(self) -> list[str]:
        doubtful = doubtful_matrix(self.info.colour, self.info.width, self.info.height)
        wide = "does not say which colours it has; taken for BT.709, as of HD, for it is so wide"
        lies = f"what is transparent lies on #{bytes(self.background).hex()}"
        return [f"{self.label}: {note}" for note in doubtful * [wide] + self.info.transparent * [lies]]

    def sha256(self) -> str:
        return hashlib.sha256(file_digest(self.path)).hexdigest()

    def settings(self, strips: str) -> dict[str, Any]:
        return {} if self.background == PLAIN.background else {"background": list(self.background)}


@dataclass(frozen=True)
class Folder(Source):
    """A folder of pictures. What is taken of each, and whether the next one goes on from it, say the classes below.

    fit: pictures of other sizes are made to cover the first one's and cut to it; else each keeps its own. reading: how
    its files are read.
    """

    fit: bool
    reading: Reading

    def frames(self, start: Fraction | None = None) -> Iterator[Frame]:
        number = 0
        for path in pictures_in(self.path, deep=True):
            for part in self._parts(self.reading.picture(path), path):
                rgb = fitted(part, self.info.width, self.info.height) if self.fit else part
                frame = Frame(rgb=rgb, number=number, pts=number, time_base=self.info.time_base)
                number += 1
                if start is None or frame.seconds >= start:
                    yield frame

    def glances(self, longest_px: int) -> Iterator[Glance]:
        for frame in self.frames():
            height, width = frame.rgb.shape[:2]
            rgb = resize(frame.rgb, fitted_size((width, height), longest_px))
            yield Glance(rgb, frame.number, frame.seconds, 0, (width, height), partial(np.copy, frame.rgb))

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for path in pictures_in(self.path, deep=True):
            digest.update(os.fsencode(path.relative_to(self.path)) + b"\0" + file_digest(path))
        return digest.hexdigest()

    def settings(self, strips: str) -> dict[str, Any]:
        single = {"frames": "single"} if self.shot_frames == 1 else {}
        plain = vars(PLAIN)
        return {"strips": strips} | single | {name: v for name, v in vars(self.reading).items() if v != plain[name]}

    def notes(self) -> list[str]:
        return notes_on(self.path, self.reading)

    @abstractmethod
    def _parts(self, rgb: np.ndarray, path: Path) -> list[np.ndarray]:
        """What is taken of the picture at `path`, in order. Raises PictureError."""


@dataclass(frozen=True)
class Pictures(Folder):
    """Pictures that follow each other in time."""

    kind = "pictures"

    def _parts(self, rgb: np.ndarray, path: Path) -> list[np.ndarray]:
        return [rgb]


@dataclass(frozen=True)
class Strips(Folder):
    """Strips of `across` frames side by side, left to right, or single pictures: each is a shot of its own."""

    kind = "strips"
    across: int

    @property
    def shot_frames(self) -> int:
        return self.across

    def _parts(self, rgb: np.ndarray, path: Path) -> list[np.ndarray]:
        return cut_apart(rgb, self.across, path)


@dataclass(frozen=True)
class Pairs(Folder):
    """Pictures that hold a pair side by side, of which one half is taken: 0 is the left, 1 the right. follow: they
    follow each other in time; else each is a shot of its own."""

    half: int
    follow: bool

    @property
    def kind(self) -> str:  # the half is kept beside it
        return "pictures" if self.follow else "strips"

    @property
    def shot_frames(self) -> int | None:
        return None if self.follow else 1

    @property
    def label(self) -> str:
        return f"{self.path.name}, {HALVES[self.half]} half"

    def settings(self, strips: str) -> dict[str, Any]:
        return super().settings(strips) | {"half": self.half}

    def _parts(self, rgb: np.ndarray, path: Path) -> list[np.ndarray]:
        return [cut_apart(rgb, len(HALVES), path)[self.half]]


def open_source(
    path: Path,
    strips: str = "auto",
    *,
    single: bool = False,
    half: int | None = None,
    fit: bool = True,
    reading: Reading = PLAIN,
    bits: int | None = None,
) -> Source:
    """Looks what `path` is. Raises MissingInputError, NotAVideoError, PictureError.
    strips: "yes", "no", or "auto", which takes a folder for one of strips where its first picture is exactly three
    times as wide as high. single: a folder's pictures do not follow each other. half: of pictures that hold a pair side
    by side, take the left (0) or the right (1). fit: as a `Folder` has it; without it only pictures that follow each
    other are still made one size. reading: how pictures are read. bits: that
    they use of 16; None: as many as the largest value of them all needs.
    """
    if not path.is_dir():
        return Video(path, probe(path), reading.background)
    pictures = pictures_in(path, deep=True)
    if not pictures:
        raise MissingInputError(f"{path}: no pictures in this folder ({', '.join(sorted(SUFFIXES))})")
    reading = dataclasses.replace(reading, bits=bits or bits_used(pictures, reading))
    first = reading.picture(pictures[0])
    height, width = first.shape[:2]
    if half is not None:
        part = cut_apart(first, len(HALVES), pictures[0])[half]
        info = VideoInfo.of_pictures(path, part, len(pictures))
        return Pairs(path, info, fit or not single, reading, half, follow=not single)
    if strips == "yes" or (strips == "auto" and width == STRIP_FRAMES * height):
        part = cut_apart(first, STRIP_FRAMES, pictures[0])[0]
        info = VideoInfo.of_pictures(path, part, STRIP_FRAMES * len(pictures))
        return Strips(path, info, fit, reading, STRIP_FRAMES)
    info = VideoInfo.of_pictures(path, first, len(pictures))
    return Strips(path, info, fit, reading, 1) if single else Pictures(path, info, True, reading)
