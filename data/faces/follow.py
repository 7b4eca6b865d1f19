"""One person through a clip: detections linked to tracks within each shot, tracks matched to one identity.

Works on the small records of a first pass over the pictures; no picture is needed here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from data.errors import FewFacesError, NoFaceError, UnknownPersonError
from data.faces.detection import Backend, Detection
from data.faces.smooth import smooth_track
from data.faces.tracks import (
    DIFFERENT_LOOK,
    MOST_LOOKS,
    SAME_PERSON,
    Track,
    alike,
    link_shots,
    look_of,
    together,
    weight,
)

# A picture or another clip that the user says shows the person: other light and cameras must be forgiven, so the best
# track of the clip is taken from here on; unrelated people have about 0.4.
SAME_PERSON_BY_WORD = 0.5
_SURE = 0.88  # the identity learns new looks only from tracks that are beyond doubt


@dataclass(frozen=True)
class Choice:
    """The face to translate in one frame. track: from 0 over the clip; a new number after every gap and cut."""

    track: int
    detection: Detection
    interpolated: bool


@dataclass
class Identity:
    """What the person looked like so far, and what people beside them looked like: (k, n) descriptions each."""

    looks: np.ndarray
    others: np.ndarray

    def to_json(self) -> dict:
        """Plain JSON values."""
        return {"looks": np.round(self.looks, 4).tolist(), "others": np.round(self.others, 4).tolist()}

    @staticmethod
    def from_json(record: dict) -> "Identity":
        """What `to_json` wrote."""
        looks = np.array(record["looks"], np.float32)
        return Identity(looks, np.array(record["others"], np.float32).reshape(-1, looks.shape[1]))

    @staticmethod
    def of_picture(rgb: np.ndarray, backend: Backend) -> "Identity":
        """The largest face of a reference picture. Raises NoFaceError."""
        found = backend.find(rgb)
        if not found:
            raise NoFaceError(f"no face found in the reference picture by {backend.name}; choose another picture")
        look = look_of(max(found, key=weight))
        return Identity(look[None], np.zeros((0, len(look)), np.float32))


@dataclass(frozen=True)
class Followed:
    """choices: one a frame. reasons: why a frame has none: "no face", "someone else", or "" where it has one.

    identity: for the next clip of the same person; None where the clip has no face at all and none was given.
    """

    choices: list[Choice | None]
    reasons: list[str]
    identity: Identity | None


def follow(
    frames: Iterable[list[Detection]],
    shot_starts: Sequence[int],
    *,
    face: str | int | Identity = "largest",
    gap_frames: int = 5,
) -> Followed:
    """Choose one person's face in each frame.

    frames: the detections of each frame, read once, in order. shot_starts: first frames of the shots after the first.
    face: "largest": the track with the most area x score in the first shot that has a face; N: the N-th from the left
        in the first frame with N faces; an Identity: from a picture, or from an earlier clip of the same person.
    gap_frames: misses up to this long are filled within a track; after a longer one a new track begins.

    Tracks that are brief or never certain cannot become the identity. In every shot the tracks most similar to the
    identity are taken; where only other people are in view, nobody is.
    Raises NoFaceError when there are faces, but never N at once or none like the given identity.
    """
    shots, length = link_shots(frames, set(shot_starts), gap_frames)
    anchor = _anchor(shots, face)
    choices: list[Choice | None] = [None] * length
    reasons = ["no face"] * length
    if anchor is None:
        return Followed(choices, reasons, face if isinstance(face, Identity) else None)
    identity, chosen = _choose(shots, anchor, face if isinstance(face, Identity) else None)
    for track in (t for tracks in shots for t in tracks if t.solid):
        for frame in track.detections:
            reasons[frame] = "someone else"
    for number, track in enumerate(sorted(chosen, key=lambda t: t.first_frame)):
        for frame, (detection, interpolated) in track.filled().items():
            choices[frame] = Choice(number, detection, interpolated)
            reasons[frame] = ""
    return Followed(choices, reasons, identity)


def each_its_own(frames: Iterable[list[Detection]]) -> Followed:
    """The largest face of every frame, whoever it is: for single pictures, each of which is a track of its own."""
    choices = [
        Choice(number, max(found, key=weight), interpolated=False) if found else None
        for number, found in enumerate(frames)
    ]
    return Followed(choices, ["" if choice else "no face" for choice in choices], None)


def _anchor(shots: list[list[Track]], face: str | int | Identity) -> Track | None:
    """The track that says who is meant; None where nobody is in view at all."""
    solid = [[t for t in tracks if t.solid] for tracks in shots]
    everyone = [t for tracks in solid for t in tracks]
    if not everyone:
        return None
    if isinstance(face, Identity):
        best = max(everyone, key=lambda t: alike(t.looks, face.looks))
        if alike(best.looks, face.looks) < SAME_PERSON_BY_WORD:
            raise UnknownPersonError
        return best
    if face == "largest":
        first = next(tracks for tracks in solid if tracks)
        return max(first, key=lambda t: t.weight)
    wanted = int(face)
    most = 0
    for tracks in solid:
        for frame in sorted({f for t in tracks for f in t.detections}):
            here = [t for t in tracks if frame in t.detections]
            most = max(most, len(here))
            if len(here) >= wanted >= 1:
                return sorted(here, key=lambda t: t.detections[frame].box[0])[wanted - 1]
    raise FewFacesError(wanted, most)


def _choose(shots: list[list[Track]], anchor: Track, given: Identity | None) -> tuple[Identity, list[Track]]:
    """The identity with what was learned of it in this clip, and the tracks that are it."""
    looks = list(anchor.looks) if given is None else [*given.looks, *anchor.looks]
    others = [] if given is None else list(given.others)
    chosen: list[Track] = []
    # The shot with the anchor first: what it teaches helps in all others.
    for tracks in sorted(shots, key=lambda tracks: anchor not in tracks):
        rated = [(alike(t.looks, looks) if t is not anchor else 2.0, t) for t in tracks]
        here: list[Track] = []
        for likeness, track in sorted(rated, key=lambda pair: -pair[0]):
            needed = SAME_PERSON if track.solid else _SURE
            other = alike(track.looks, others) if others else 0.0
            if any(together(track, taken) for taken in here):
                if track.solid:
                    others = _learned(others, track.looks)
            elif track is anchor or (likeness >= needed and likeness > other):
                here.append(track)
                if likeness >= _SURE:
                    looks = _learned(looks, track.looks)
        chosen += here
    size = len(looks[0])
    return Identity(np.stack(looks), np.array(others, np.float32).reshape(-1, size)), chosen


def _learned(known: list[np.ndarray], looks: list[np.ndarray]) -> list[np.ndarray]:
    for look in looks:
        if len(known) < 2 * MOST_LOOKS and all(float(look @ other) < DIFFERENT_LOOK for other in known):
            known = [*known, look]
    return known


def steady(choices: Sequence[Choice | None], seconds: Sequence[float], backend: Backend) -> list[Choice | None]:
    """The choices with each track's points smoothed without lag; as they are where the landmarks come later (FAN).

    seconds: presentation time of each frame.
    """
    steadied = list(choices)
    if not backend.early:
        return steadied
    tracks: dict[int, list[tuple[int, Choice]]] = {}
    for frame, choice in enumerate(choices):
        if choice is not None:
            tracks.setdefault(choice.track, []).append((frame, choice))
    for track in tracks.values():
        points = np.stack([choice.detection.points for _, choice in track])
        times = np.array([float(seconds[frame]) for frame, _ in track])
        smooth = smooth_track(points, times, backend.minimum_cutoff_hz, backend.beta)
        for (frame, choice), calm in zip(track, smooth, strict=True):
            steadied[frame] = replace(choice, detection=replace(choice.detection, points=calm))
    return steadied
