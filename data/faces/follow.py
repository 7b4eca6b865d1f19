"""One person through a clip: detections linked to tracks within each shot, tracks matched to one identity.

Works on the small records of a first pass over the pictures; no picture is needed here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from data.errors import FewFacesError, UnknownPersonError
from data.faces.detection import Detection
from data.faces.people import Identity, Person, alike, learned, looks_alike, people, vectors_of
from data.faces.recognise import Recogniser
from data.faces.tracks import Track, link_shots, together, weight


@dataclass(frozen=True)
class Choice:
    """The face to translate in one frame. track: from 0 over the clip; a new number after every gap and cut.

    likeness: to the person, by the recogniser; None where there is nobody to be like.
    """

    track: int
    detection: Detection
    interpolated: bool
    likeness: float | None = None


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
    recogniser: Recogniser,
    *,
    face: str | int | Identity = "largest",
    gap_frames: int = 5,
) -> Followed:
    """Choose one person's face in each frame.

    frames: the detections of each frame, read once, in order. shot_starts: first frames of the shots after the first.
    face: "largest": the person with the most area x score over the clip; N: the N-th by that; an Identity: from a
        picture, or from an earlier clip of the same person.
    gap_frames: misses up to this long are filled within a track; after a longer one a new track begins.

    Tracks that are brief or never certain cannot become the identity. In every shot the tracks most similar to the
    identity are taken; where only other people are in view, nobody is.
    Raises FewFacesError where there are people, but not N; UnknownPersonError where nobody is like the given identity.
    """
    shots, length = link_shots(frames, set(shot_starts), gap_frames)
    given = face if isinstance(face, Identity) else None
    choices: list[Choice | None] = [None] * length
    reasons = ["no face"] * length
    present = people(shots, recogniser)
    if not present:
        return Followed(choices, reasons, given)
    person = _asked(present, face, recogniser)
    identity, chosen = _all_of(person, present, shots, recogniser, given)
    for track in (t for tracks in shots for t in tracks if t.solid):
        for frame in track.detections:
            reasons[frame] = "someone else"
    for number, track in enumerate(sorted(chosen, key=lambda t: t.first_frame)):
        likeness = _likeness_in_time(track, identity, recogniser)
        for frame, (detection, interpolated) in track.filled().items():
            choices[frame] = Choice(number, detection, interpolated, likeness(frame))
            reasons[frame] = ""
    # Who was never clearly seen cannot be known again.
    return Followed(choices, reasons, identity if len(identity.looks) else given)


def each_its_own(frames: Iterable[list[Detection]]) -> Followed:
    """The largest face of every frame, whoever it is: for single pictures, each of which is a track of its own."""
    choices = [
        Choice(number, max(found, key=weight), interpolated=False) if found else None
        for number, found in enumerate(frames)
    ]
    return Followed(choices, ["" if choice else "no face" for choice in choices], None)


def _asked(present: list[Person], face: str | int | Identity, recogniser: Recogniser) -> Person:
    """Who is meant. Raises FewFacesError, UnknownPersonError."""
    if isinstance(face, Identity):
        rated = [(max(_like(track, face, recogniser) for track in person.tracks), person) for person in present]
        likeness, person = max(rated, key=lambda pair: pair[0])
        if likeness < recogniser.same:
            raise UnknownPersonError(likeness, recogniser.same, recogniser.name)
        return person
    number = 1 if face == "largest" else int(face)
    if not 1 <= number <= len(present):
        raise FewFacesError(number, len(present))
    return present[number - 1]


def _like(track: Track, identity: Identity, recogniser: Recogniser) -> float:
    return alike(vectors_of(track, recogniser), identity.looks, recogniser)


def _all_of(
    person: Person,
    present: list[Person],
    shots: Sequence[Sequence[Track]],
    recogniser: Recogniser,
    given: Identity | None,
) -> tuple[Identity, list[Track]]:
    """The identity with what was learned of it in this clip, and the tracks that are it.

    To a person's own tracks come those too brief to be somebody that are beyond doubt, and those that look as one of
    the same shot does.
    """
    known = given.looks if given is not None else np.zeros((0, 1), np.float32)
    others = given.others if given is not None else np.zeros((0, 1), np.float32)
    for track in person.tracks:
        vectors = vectors_of(track, recogniser)
        if given is None or alike(vectors, known, recogniser) >= recogniser.sure or not len(known):
            known = learned(known, vectors, recogniser)
    beside = [t for other in present if other is not person for t in other.tracks]
    for track in (t for t in beside if any(together(t, own) for own in person.tracks)):
        others = learned(others, vectors_of(track, recogniser), recogniser)
    chosen = list(person.tracks)
    for track in (t for tracks in shots for t in tracks if t not in chosen):
        vectors = vectors_of(track, recogniser)
        likeness = alike(vectors, known, recogniser)
        needed = recogniser.same if track.solid else recogniser.sure
        same_looks = not (track.solid and len(vectors)) and looks_alike(track, chosen)
        if any(together(track, own) for own in chosen) or likeness <= alike(vectors, others, recogniser) >= 0:
            continue
        if likeness >= needed or same_looks:
            chosen.append(track)
    size = known.shape[1]
    return Identity(known, others if len(others) else np.zeros((0, size), np.float32), recogniser.name), chosen


def _likeness_in_time(track: Track, identity: Identity, recogniser: Recogniser):
    """Gives a frame's likeness: of the vector nearest in time."""
    if recogniser.by_looks or not track.vectors:
        whole = alike(vectors_of(track, recogniser), identity.looks, recogniser)
        return lambda frame: round(whole, 3) if whole >= 0 else None
    frames = np.array(list(track.vectors))
    rated = recogniser.likeness(np.stack(list(track.vectors.values())), identity.looks).max(axis=1)
    return lambda frame: round(float(rated[np.abs(frames - frame).argmin()]), 3)
