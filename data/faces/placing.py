"""Where the followed face is in every frame of a clip: looked for once, kept on disk, the same for every command."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from data.domain.pictures import read_picture, resize
from data.domain.sources import Source
from data.errors import FaceChoiceError, NoFaceError
from data.faces.align import crop_matrix
from data.faces.detection import Backend
from data.faces.follow import Choice, each_its_own, follow
from data.faces.hidden import hidden
from data.faces.landmarks import landmarks
from data.faces.people import Identity, Person, people
from data.faces.recognise import Recogniser
from data.faces.sightings import Sightings, see
from data.faces.smooth import smooth_track
from data.faces.tracks import link_shots
from data.video.frame import VideoInfo

LOOKS = ".looks"
"""The folder, beside the domains, of what was seen in clips. It can be deleted; then they are looked through again."""
FORMAT = 2
SEGMENT_FRAMES = 250
"""A shot longer than this is rendered in several segments: what an interruption can cost."""
_MISS_SECONDS = Fraction(1, 5)
"""Misses of a face up to this long are filled in."""
_GUESS = 4.0  # by how many times the jitter a place is uncertain that was only filled in


@dataclass(frozen=True)
class Place:
    """Where the followed face is in a frame.

    track: from 0 over the clip; a new number after every gap and cut. landmarks: (n, 2) in the frame with square
    pixels. transform: (2, 3), to a crop, at first of size 1. box: as a `Detection` has it. interpolated: it was not
    seen here, but shortly before and after. likeness: to the person followed; None where it is not known. hidden:
    something is before the face, as far as its looks tell.
    """

    track: int
    landmarks: np.ndarray
    transform: np.ndarray
    box: tuple[float, float, float, float]
    interpolated: bool = False
    likeness: float | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Placing:
    """What was found in a clip.

    times: presentation time of each frame in seconds, exact. shot_starts: first frames of the shots after the first.
    places: the followed face in each frame; None where it is not, for the reason in `reasons`; both None for whole
    frames. identity: for the person's next clip. repeats: numbers of the frames that show the same as the one before.
    reshaped: of those where the picture changes its shape.
    """

    times: list[Fraction]
    shot_starts: list[int]
    places: list[Place | None] | None
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
        return self.places is not None and not any(self.places)

    def place(self, number: int) -> Place | None:
        """Where the face is in the frame of that number; None where it is not, or beyond the last one."""
        return self.places[number] if self.places is not None and number < self.frames else None

    def without_hidden(self) -> "Placing":
        """The same, but that the face is not there where something hides it."""
        if self.places is None or self.reasons is None:
            return self
        out = [place is not None and place.hidden for place in self.places]
        places = [None if hide else place for hide, place in zip(out, self.places, strict=True)]
        reasons = ["hidden" if hide else reason for hide, reason in zip(out, self.reasons, strict=True)]
        return replace(self, places=places, reasons=reasons)

    def note_on_shapes(self, source: Source) -> str | None:
        """A line for the user where the source changes its shape midway."""
        if not self.reshaped:
            return None
        times = ", ".join(f"{float(self.times[number]):.2f}" for number in self.reshaped[:5])
        more = ", ..." if len(self.reshaped) > 5 else ""
        size = f"{source.info.width}x{source.info.height}"
        return f"{source.path.name}: its picture changes shape at {times}{more} s: fitted into {size} with bars"

    def segment_of(self, number: int) -> tuple[int, int]:
        """A shot, or part of a long shot: frames whose numbers have the same answer are rendered together."""
        shot = self.shot_of(number)
        start = self.shot_starts[shot - 1] if shot else 0
        return shot, (number - start) // SEGMENT_FRAMES

    def shot_of(self, number: int) -> int:
        """Which shot a frame is in, from 0."""
        return int(np.searchsorted(self.shot_starts, number, side="right"))


def look(
    source: Source,
    aligner: Backend | None,
    person: str | int | Identity,
    folder: Path,
    recogniser: Recogniser | None = None,
) -> Placing:
    """Where `person` is in every frame of a clip. What is found is kept in `folder`, frame by frame as it is found, and
    read from there wherever the same is asked again.

    aligner: None for whole frames. person: "largest", the number of a person, or an identity; of single pictures,
    "largest" is each one's own. recogniser: tells people apart; not needed for whole frames.
    Raises NotAVideoError, PictureError, NoFaceError, OutputError.
    """
    whoever = source.shot_frames == 1 and person == "largest"
    seen = _seen(source, aligner, None if aligner is None or whoever else recogniser, folder)
    if aligner is None:
        return Placing(seen.times, seen.cuts, None, None, None, seen.repeats, seen.reshaped)
    if whoever:
        followed = each_its_own(seen.faces())
    else:
        assert recogniser is not None
        followed = follow(seen.faces(), seen.cuts, recogniser, face=person, gap_frames=_gap_frames(source))
    points = _points(source, aligner, followed.choices, seen)
    places = _placed(followed.choices, points, _looks(followed.choices, seen), aligner)
    return Placing(seen.times, seen.cuts, places, followed.reasons, followed.identity, seen.repeats, seen.reshaped)


def everybody(source: Source, aligner: Backend, recogniser: Recogniser, folder: Path) -> list[Person]:
    """The people of a clip by their numbers, from 1 on: the most seen first. What is found is kept as `look` keeps it.

    Raises NotAVideoError, PictureError, OutputError.
    """
    seen = _seen(source, aligner, recogniser, folder)
    return people(link_shots(seen.faces(), set(seen.cuts), _gap_frames(source))[0], recogniser)


def _seen(source: Source, aligner: Backend | None, recogniser: Recogniser | None, folder: Path) -> Sightings:
    return see(source, aligner, recogniser, folder / f"{_key(source, aligner, recogniser)}.jsonl")


def _gap_frames(source: Source) -> int:
    """Misses of a face that are filled in."""
    return max(1, round(_MISS_SECONDS * source.info.rate)) if source.info.rate else 5


def _key(source: Source, aligner: Backend | None, recogniser: Recogniser | None) -> str:
    """The name of all that decides what is seen in a clip."""
    tools = [[tool.name, tool.version] if tool else None for tool in (aligner, recogniser)]
    decided = [FORMAT, source.content(), tools, av.__version__, cv2.__version__]
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:24]


def _points(
    source: Source, aligner: Backend, choices: Sequence[Choice | None], seen: Sightings
) -> dict[int, np.ndarray]:
    """The landmarks of the chosen face in each frame that has one, as they were found."""
    chosen = {frame: choice.detection for frame, choice in enumerate(choices) if choice is not None}
    if not aligner.dense:
        return {frame: detection.points for frame, detection in chosen.items()}
    return landmarks(source, aligner, chosen, seen.path)


def _looks(choices: Sequence[Choice | None], seen: Sightings) -> dict[int, np.ndarray]:
    """What the chosen face looks like in each frame where it was seen."""
    looks = {}
    for frame, (choice, faces) in enumerate(zip(choices, seen.faces(), strict=True)):
        for face in faces:
            if choice is not None and face.box == choice.detection.box and face.appearance is not None:
                looks[frame] = face.appearance.astype(np.float16)
    return looks


def _placed(
    choices: Sequence[Choice | None], points: dict[int, np.ndarray], looks: dict[int, np.ndarray], aligner: Backend
) -> list[Place | None]:
    """The places, with the landmarks of each track smoothed over all of it."""
    tracks: dict[int, list[int]] = {}
    for frame, choice in enumerate(choices):
        if choice is not None:
            tracks.setdefault(choice.track, []).append(frame)
    places: list[Place | None] = [None] * len(choices)
    for frames in tracks.values():
        track = [choice for frame in frames if (choice := choices[frame]) is not None]
        jitter = aligner.jitter * np.array([_GUESS if choice.interpolated else 1.0 for choice in track])
        spread = np.array([choice.detection.spread / max(choice.detection.width, 1e-9) for choice in track])
        motions = [choice.detection.motion for choice in track]
        smooth = smooth_track(np.stack([points[frame] for frame in frames]), motions, jitter, spread)
        found = [choice.detection for choice in track]
        marks = hidden([looks.get(frame) for frame in frames], [d.points for d in found], [d.score for d in found])
        for frame, choice, calm, mark in zip(frames, track, smooth, marks, strict=True):
            box, unit = choice.detection.box, crop_matrix(calm, 1)
            places[frame] = Place(choice.track, calm, unit, box, choice.interpolated, choice.likeness, bool(mark))
    return places


def whom(face: str, aligner: Backend, recogniser: Recogniser) -> str | int | Identity:
    """Whom a user means by `face`: largest, the number of a person, or a picture of them.

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
        return Identity.of_picture(read_picture(path), aligner, recogniser)
    except NoFaceError as error:
        raise NoFaceError(f"{face}: {error}") from error


def square_pixels(rgb: np.ndarray, info: VideoInfo) -> np.ndarray:
    """A stored frame as it is seen: stretched where its pixels are not square."""
    return rgb if info.sample_aspect == 1 else resize(rgb, info.display_size)
