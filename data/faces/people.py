"""The people of a clip: tracks that are one person, over all shots, numbered by how much they are seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from data.errors import NoFaceError
from data.faces.detection import Backend, Detection
from data.faces.recognise import Looks, Recogniser
from data.faces.tracks import MOST_LOOKS, Track, together, weight

_LEAST_NEW = 0.12  # below the recogniser's `sure`: nearer vectors teach nothing


@dataclass
class Identity:
    """Who a person is, and who people beside them are: (k, n) vectors each, of the recogniser of that name."""

    looks: np.ndarray
    others: np.ndarray
    recogniser: str

    def to_json(self) -> dict:
        """Plain JSON values."""
        known = {"looks": np.round(self.looks, 4).tolist(), "others": np.round(self.others, 4).tolist()}
        return {"recogniser": self.recogniser} | known

    @staticmethod
    def from_json(record: dict) -> "Identity":
        """What `to_json` wrote, before there were recognisers, too."""
        looks = np.array(record["looks"], np.float32)
        others = np.array(record["others"], np.float32).reshape(-1, looks.shape[1])
        return Identity(looks, others, record.get("recogniser", "looks"))

    @staticmethod
    def of_picture(rgb: np.ndarray, finder: Backend, recogniser: Recogniser) -> "Identity":
        """The largest face of a reference picture. Raises NoFaceError."""
        found = finder.find(rgb)
        if not found:
            raise NoFaceError(f"no face found in the reference picture by {finder.name}; choose another picture")
        vector = recogniser.vector(rgb, max(found, key=weight))
        return Identity(vector[None], np.zeros((0, len(vector)), np.float32), recogniser.name)


@dataclass(eq=False)
class Person:
    """Somebody in a clip. tracks: in order of time."""

    tracks: list[Track] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """How much they are seen: sum of area x score over their frames."""
        return sum(track.weight for track in self.tracks)

    @property
    def frames(self) -> int:
        return sum(len(track.detections) for track in self.tracks)

    def largest(self) -> tuple[int, Detection]:
        """The frame in which their face is largest and most certain, and the face."""
        faces = ((frame, face) for track in self.tracks for frame, face in track.detections.items())
        return max(faces, key=lambda pair: weight(pair[1]))


def vectors_of(track: Track, recogniser: Recogniser) -> np.ndarray:
    """(k, n) vectors of the recogniser; (0, n) where it was never asked."""
    vectors = track.looks if recogniser.by_looks else list(track.vectors.values())
    return np.stack(vectors) if vectors else np.zeros((0, 1), np.float32)


def alike(some: np.ndarray, others: np.ndarray, recogniser: Recogniser) -> float:
    """Likeness of somebody's vectors (k, n) to those of somebody known (m, n); -1 where there are none.

    Each vector counts by the nearest known one, for a person turns; the middle of them decides, for one may be blurred.
    """
    if not len(some) or not len(others):
        return -1.0
    return float(np.median(recogniser.likeness(some, others).max(axis=1)))


def people(shots: Sequence[Sequence[Track]], recogniser: Recogniser) -> list[Person]:
    """Everybody who is long and certain enough in view, the most seen first."""
    found: list[Person] = []
    tracks = sorted((t for shot in shots for t in shot if t.solid), key=lambda t: -t.weight)
    for track in tracks:
        rated = [(_belongs(track, person, recogniser), person) for person in found]
        likeness, person = max(rated, key=lambda pair: pair[0], default=(-1.0, Person()))
        if likeness < recogniser.same:
            person = Person()
            found.append(person)
        person.tracks.append(track)
    for person in found:
        person.tracks.sort(key=lambda track: track.first_frame)
    return sorted(found, key=lambda person: -person.weight)


def _belongs(track: Track, person: Person, recogniser: Recogniser) -> float:
    """Likeness of a track to a person; -1 where both are in view at once."""
    if any(together(track, other) for other in person.tracks):
        return -1.0
    known = [vectors_of(other, recogniser) for other in person.tracks]
    known = [vectors for vectors in known if len(vectors)]
    vectors = vectors_of(track, recogniser)
    if known and len(vectors):
        return alike(vectors, np.concatenate(known), recogniser)
    return recogniser.same if looks_alike(track, person.tracks) else -1.0


def looks_alike(track: Track, others: Sequence[Track]) -> bool:
    """Whether a track looks as one of the same shot does: enough where nobody was recognised, for light stays."""
    looks = [look for other in others if other.shot == track.shot for look in other.looks]
    return bool(looks) and float((np.stack(track.looks) @ np.stack(looks).T).max()) >= Looks.sure


def learned(known: np.ndarray, vectors: np.ndarray, recogniser: Recogniser) -> np.ndarray:
    """What is known of somebody with what is new in `vectors`, as far as there is room."""
    for vector in vectors:
        if len(known) >= 2 * MOST_LOOKS:
            break
        if not len(known):
            known = vector[None]
        elif recogniser.likeness(vector[None], known).max() < recogniser.sure + _LEAST_NEW:
            known = np.concatenate([known, vector[None]])
    return known
