"""The first look over a clip: where the camera cuts, and where the followed face is in every frame.

What is found goes to a file as it is found, so that a long look is not lost, and pictures are never kept in memory:
only a small record a frame is.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.disk import output_errors, put_in_place
from data.domain.pictures import read_picture, resize
from data.domain.sources import Source
from data.errors import FaceChoiceError, NoFaceError
from data.faces import align
from data.faces.align import crop_matrix
from data.faces.detection import Backend, Detection
from data.faces.follow import Choice, Identity, each_its_own, follow, steady
from data.faces.smooth import OneEuro
from data.video.frame import Frame, VideoInfo
from data.video.shots import ShotFinder
from durable.files import partial_path

SEGMENT_FRAMES = 250
"""A shot longer than this is rendered in several segments: what an interruption can cost."""
_MISS_SECONDS = Fraction(1, 5)
"""Misses of a face up to this long are filled in."""


@dataclass(frozen=True)
class Analysis:
    """What was found in a clip.

    times: presentation time of each frame in seconds, exact. shot_starts: first frames of the shots after the first.
    choices: the followed face in each frame, steadied; None where it is not, for the reason in `reasons`; both None
    for whole frames. identity: for the person's next clip. repeats: numbers of the frames that show the same as the one
    before. reshaped: of those where the picture changes its shape.
    """

    times: list[Fraction]
    shot_starts: list[int]
    choices: list[Choice | None] | None
    reasons: list[str] | None
    identity: Identity | None
    repeats: frozenset[int] = frozenset()
    reshaped: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        return len(self.times)

    @property
    def faceless(self) -> bool:
        """A face was looked for in every frame, and none was found."""
        return self.choices is not None and not any(self.choices)

    def note_on_shapes(self, source: Source) -> str | None:
        """A line for the user where the source changes its shape midway."""
        if not self.reshaped:
            return None
        times = ", ".join(f"{float(self.times[number]):.2f}" for number in self.reshaped[:5])
        more = ", ..." if len(self.reshaped) > 5 else ""
        size = f"{source.info.width}x{source.info.height}"
        return f"{source.path.name}: its picture changes shape at {times}{more} s: fitted into {size} with bars"

    def segment_of(self, frame: Frame) -> tuple[int, int]:
        """A shot, or part of a long shot: frames with the same answer are rendered together."""
        shot = self.shot_of(frame.number)
        start = self.shot_starts[shot - 1] if shot else 0
        return shot, (frame.number - start) // SEGMENT_FRAMES

    def shot_of(self, number: int) -> int:
        """Which shot a frame is in, from 0."""
        return int(np.searchsorted(self.shot_starts, number, side="right"))


def analyse(
    source: Source, backend: Backend | None, spool: Path, *, face: str = "largest", identity: Identity | None = None
) -> Analysis:
    """Looks through a clip; `spool` keeps what was found and is read instead where it is already there.

    backend: what finds faces; None for whole frames. face: as `whom` takes it; of single pictures, "largest" is each
    one's own. identity: the person as known from an earlier clip, who is then followed where `face` says nothing else.
    Raises NotAVideoError, NoFaceError, SettingsError, OutputError.
    """
    if not spool.exists():
        _look(source, backend, spool)
    times, repeats, reshaped = [], [], []
    with spool.open() as lines:
        for number, line in enumerate(map(json.loads, lines)):
            times.append(Fraction(line["time"]))
            repeats += [number] if line.get("repeats") else []
            reshaped += [number] if line.get("reshaped") else []
    same = frozenset(repeats), tuple(reshaped)
    found = json.loads(spool.with_suffix(".shots.json").read_text())
    known = source.known_shots(len(times))
    shot_starts = [number for number in (found if known is None else known) if number < len(times)]
    if backend is None:
        return Analysis(times, shot_starts, None, None, None, *same)
    asked = identity if identity is not None and face == "largest" else whom(face, backend)
    gap_frames = max(1, round(_MISS_SECONDS * source.info.rate)) if source.info.rate else 5
    if source.shot_frames == 1 and asked == "largest":
        followed = each_its_own(_detections(spool))
    else:
        followed = follow(_detections(spool), shot_starts, face=asked, gap_frames=gap_frames)
    choices = steady(followed.choices, [float(time) for time in times], backend)
    return Analysis(times, shot_starts, choices, followed.reasons, followed.identity, *same)


def whom(face: str, backend: Backend) -> str | int | Identity:
    """Whom a user means by `face`: largest, a number from the left, or a picture of the person.

    Raises FaceChoiceError, MissingInputError, PictureError, NoFaceError.
    """
    if face == "largest":
        return face
    if face.isdigit():
        return int(face)
    path = Path(face)
    if not path.suffix:
        raise FaceChoiceError(face)
    try:
        return Identity.of_picture(read_picture(path), backend)
    except NoFaceError as error:
        raise NoFaceError(f"{face}: {error}") from error


def square_pixels(rgb: np.ndarray, info: VideoInfo) -> np.ndarray:
    """A stored frame as it is seen: stretched where its pixels are not square."""
    return rgb if info.sample_aspect == 1 else resize(rgb, info.display_size)


@dataclass(frozen=True)
class Place:
    """Where the followed face is. landmarks: (n, 2) in the frame with square pixels. transform: (2, 3), to the crop."""

    track: int
    landmarks: np.ndarray
    transform: np.ndarray


class Cropper:
    """Second pass over a clip: from each frame to the followed face's crop of `size` pixels, and back."""

    def __init__(self, backend: Backend, analysis: Analysis, info: VideoInfo, size: int) -> None:
        self._backend, self._analysis, self._info, self.size = backend, analysis, info, size
        width, height = info.display_size
        self.scale = (info.width / width, info.height / height)
        self._smooth = OneEuro(backend.minimum_cutoff_hz, backend.beta)
        self._last: tuple[int, int] | None = None

    def place(self, frame: Frame) -> Place | None:
        """Where the face is, or None where it is not in this frame.

        Frames are given in order; landmarks that only this pass can see are smoothed as they come.
        """
        assert self._analysis.choices is not None
        choice = self._analysis.choices[frame.number] if frame.number < self._analysis.frames else None
        if choice is None:
            return None
        if self._backend.early:
            points = choice.detection.points
        else:
            points = self._backend.landmarks(square_pixels(frame.rgb, self._info), choice.detection)
            if self._last != (choice.track, frame.number - 1):
                self._smooth.reset()
            self._last = choice.track, frame.number
            points = self._smooth(points, float(frame.seconds))
        return Place(choice.track, points, crop_matrix(points, self.size))

    def crop(self, frame: Frame, place: Place) -> np.ndarray:
        """(size, size, 3) uint8 around the face."""
        return align.crop(frame.rgb, place.transform, self.size, scale=self.scale)

    def paste(self, frame: Frame, picture: np.ndarray, place: Place, mask: np.ndarray) -> np.ndarray:
        """The frame's pixels with a changed crop laid back where it was cut."""
        return align.paste(frame.rgb, picture, place.transform, mask, scale=self.scale)


def _look(source: Source, backend: Backend | None, spool: Path) -> None:
    """Writes a line a frame: its time and, with a backend, its faces; and the shots into a file beside it."""
    partial = partial_path(spool)
    shots, shape = ShotFinder(), 0
    try:
        with output_errors(spool), partial.open("w") as lines:
            frames = source.frames()
            for frame in tqdm(
                frames, total=source.info.frames, desc="looking", unit="frame", disable=None, leave=False
            ):
                line: dict = {"time": str(frame.seconds)}
                if frame.shape != shape:
                    shape, line["reshaped"] = frame.shape, True
                new_shape = line.get("reshaped", False)
                if source.shot_frames is None and shots.feed(frame.rgb, frame.seconds, new_shape=new_shape):
                    line["repeats"] = True
                if backend is not None:
                    found = backend.find(square_pixels(frame.rgb, source.info))
                    line["faces"] = [detection.to_json() for detection in found]
                lines.write(json.dumps(line, separators=(",", ":")) + "\n")
        with output_errors(spool):
            spool.with_suffix(".shots.json").write_text(json.dumps(shots.finish()))
        put_in_place(partial, spool)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _detections(spool: Path) -> Iterator[list[Detection]]:
    with spool.open() as lines:
        for line in lines:
            yield [Detection.from_json(face) for face in json.loads(line)["faces"]]
