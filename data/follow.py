"""One person through a clip: detections linked to tracks within each shot, tracks matched to one identity.

Works on the small records of a first pass over the pictures; no picture is needed here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from data.errors import NoFaceError
from data.faces import Backend, Detection
from data.smooth import smooth_track

# A face is linked to the last place of a track where the boxes overlap this much and the looks do not contradict it,
# or where it is within one face width and looks alike.
_LEAST_OVERLAP = 0.3
_CONTRADICTION = 0.4
# Similarities (data.appearance) between tracks of eight real clips, YuNet or cascade alike: the same person in another
# shot of one recording 0.96, in another recording of one studio 0.89 to 0.91, in another year's portrait 0.72;
# different people in one studio and pose 0.59 to 0.77 (median 0.62), elsewhere 0.1 to 0.6. A film's faces that turn
# by 90 degrees between tracks reach 0.65 to 0.79: some of those are given up rather than another person taken.
SAME_PERSON = 0.78
# A picture or another clip that the user says shows the person: other light and cameras must be forgiven, so the best
# track of the clip is taken from here on; unrelated people have about 0.4.
SAME_PERSON_BY_WORD = 0.5
_SURE = 0.88  # the identity learns new looks only from tracks that are beyond doubt
_SOLID_FRAMES = 5
_SOLID_SCORE = 0.7
_DIFFERENT_LOOK = 0.92
_MOST_LOOKS = 12


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
        found = [d for d in backend.find(rgb) if d.appearance is not None]
        if not found:
            raise NoFaceError(f"no face found in the reference picture by {backend.name}; choose another picture")
        best = max(found, key=_weight)
        return Identity(np.stack([best.appearance]), np.zeros((0, len(best.appearance)), np.float32))


@dataclass(frozen=True)
class Followed:
    """choices: one a frame. reasons: why a frame has none: "no face", "someone else", or "" where it has one.

    identity: for the next clip of the same person; None where the clip has no face at all and none was given.
    """

    choices: list[Choice | None]
    reasons: list[str]
    identity: Identity | None


@dataclass
class _Track:
    detections: dict[int, Detection] = field(default_factory=dict)  # frame -> detection, appearance dropped
    looks: list[np.ndarray] = field(default_factory=list)
    last: Detection | None = None
    weight: float = 0.0
    solid: bool = False

    def add(self, frame: int, detection: Detection) -> None:
        self.detections[frame] = replace(detection, appearance=None)
        self.last = detection
        self.weight += _weight(detection)
        look = detection.appearance
        if len(self.looks) < _MOST_LOOKS and all(float(look @ known) < _DIFFERENT_LOOK for known in self.looks):
            self.looks.append(look)

    @property
    def first_frame(self) -> int:
        return next(iter(self.detections))

    @property
    def last_frame(self) -> int:
        return next(reversed(self.detections))

    def filled(self) -> dict[int, tuple[Detection, bool]]:
        """frame -> (detection, interpolated), without holes: box and points move linearly over a miss."""
        frames = list(self.detections)
        whole = {frame: (detection, False) for frame, detection in self.detections.items()}
        for before, after in zip(frames, frames[1:], strict=False):
            for frame in range(before + 1, after):
                share = (frame - before) / (after - before)
                whole[frame] = (_between(self.detections[before], self.detections[after], share), True)
        return dict(sorted(whole.items()))


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
    Raises NoFaceError when N or the given identity is never in view.
    """
    shots, length = _link_shots(frames, set(shot_starts), gap_frames)
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


def _link_shots(frames: Iterable[list[Detection]], starts: set[int], gap_frames: int) -> tuple[list[list[_Track]], int]:
    """Tracks of each shot, and how many frames there are."""
    shots: list[list[_Track]] = []
    begins: list[int] = []
    length = 0
    for number, detections in enumerate(frames):
        if number in starts or not shots:
            shots.append([])
            begins.append(number)
        length = number + 1
        active = [t for t in shots[-1] if number - t.last_frame <= gap_frames + 1]
        for detection, track in _linked(detections, active, number):
            if track is None:
                track = _Track()
                shots[-1].append(track)
            track.add(number, detection)
    for tracks, begin, end in zip(shots, begins, [*begins[1:], length], strict=False):
        for track in tracks:
            peak = max(d.score for d in track.detections.values())
            track.solid = len(track.detections) >= min(_SOLID_FRAMES, end - begin) and peak >= _SOLID_SCORE
    return shots, length


def _linked(detections: list[Detection], active: list[_Track], frame: int) -> list[tuple[Detection, _Track | None]]:
    """Each detection with the track it continues, or None; the surest pairs first."""
    pairs = []
    for i, detection in enumerate(detections):
        for j, track in enumerate(active):
            assert track.last is not None
            overlap, alike = _overlap(detection, track.last), float(detection.appearance @ track.last.appearance)
            near = _distance(detection, track.last) <= 1 + 0.2 * (frame - track.last_frame - 1)
            if (overlap >= _LEAST_OVERLAP and alike >= _CONTRADICTION) or (near and alike >= SAME_PERSON):
                pairs.append((overlap + alike, i, j))
    taken: dict[int, _Track] = {}
    used: set[int] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if i not in taken and j not in used:
            taken[i] = active[j]
            used.add(j)
    return [(detection, taken.get(i)) for i, detection in enumerate(detections)]


def _anchor(shots: list[list[_Track]], face: str | int | Identity) -> _Track | None:
    """The track that says who is meant."""
    solid = [[t for t in tracks if t.solid] for tracks in shots]
    everyone = [t for tracks in solid for t in tracks]
    if isinstance(face, Identity):
        best = max(everyone, key=lambda t: _alike(t.looks, face.looks), default=None)
        if best is None or _alike(best.looks, face.looks) < SAME_PERSON_BY_WORD:
            raise NoFaceError("nobody in the clip looks like the person asked for; choose with --face 1, 2, ...")
        return best
    if face == "largest":
        first = next((tracks for tracks in solid if tracks), [])
        return max(first, key=lambda t: t.weight, default=None)
    wanted = int(face)
    most = 0
    for tracks in solid:
        for frame in sorted({f for t in tracks for f in t.detections}):
            here = [t for t in tracks if frame in t.detections]
            most = max(most, len(here))
            if len(here) >= wanted >= 1:
                return sorted(here, key=lambda t: t.detections[frame].box[0])[wanted - 1]
    raise NoFaceError(f"--face {face}: at most {most} faces are in view at once; choose 1 to {most} or largest")


def _choose(shots: list[list[_Track]], anchor: _Track, given: Identity | None) -> tuple[Identity, list[_Track]]:
    """The identity with what was learned of it in this clip, and the tracks that are it."""
    looks = list(anchor.looks) if given is None else [*given.looks, *anchor.looks]
    others = [] if given is None else list(given.others)
    chosen: list[_Track] = []
    # The shot with the anchor first: what it teaches helps in all others.
    for tracks in sorted(shots, key=lambda tracks: anchor not in tracks):
        rated = [(_alike(t.looks, looks) if t is not anchor else 2.0, t) for t in tracks]
        here: list[_Track] = []
        for alike, track in sorted(rated, key=lambda pair: -pair[0]):
            needed = SAME_PERSON if track.solid else _SURE
            other = max((float(l @ o) for l in track.looks for o in others), default=0.0)
            if any(_together(track, taken) for taken in here):
                if track.solid:
                    others = _learned(others, track.looks)
            elif track is anchor or (alike >= needed and alike > other):
                here.append(track)
                if alike >= _SURE:
                    looks = _learned(looks, track.looks)
        chosen += here
    size = len(looks[0])
    return Identity(np.stack(looks), np.array(others, np.float32).reshape(-1, size)), chosen


def _learned(known: list[np.ndarray], looks: list[np.ndarray]) -> list[np.ndarray]:
    for look in looks:
        if len(known) < 2 * _MOST_LOOKS and all(float(look @ other) < _DIFFERENT_LOOK for other in known):
            known = [*known, look]
    return known


def _alike(looks: Sequence[np.ndarray], known: Sequence[np.ndarray] | np.ndarray) -> float:
    """Highest similarity between any two looks: a person turns, and only some of the poses are in both."""
    return float((np.stack(list(looks)) @ np.stack(list(known)).T).max())


def _together(a: _Track, b: _Track) -> bool:
    """Seen in the same frames, so two people."""
    return min(a.last_frame, b.last_frame) >= max(a.first_frame, b.first_frame)


def _weight(detection: Detection) -> float:
    x0, y0, x1, y1 = detection.box
    return (x1 - x0) * (y1 - y0) * detection.score


def _overlap(a: Detection, b: Detection) -> float:
    """Intersection over union of the boxes."""
    width = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    height = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((d.box[2] - d.box[0]) * (d.box[3] - d.box[1]) for d in (a, b))
    return width * height / (areas - width * height)


def _distance(a: Detection, b: Detection) -> float:
    """Between the boxes' centres, in widths of the larger."""
    dx, dy = ((a.box[k] + a.box[k + 2] - b.box[k] - b.box[k + 2]) / 2 for k in (0, 1))
    return float(np.hypot(dx, dy)) / max(a.box[2] - a.box[0], b.box[2] - b.box[0], 1e-9)


def _between(a: Detection, b: Detection, share: float) -> Detection:
    box = np.array(a.box) * (1 - share) + np.array(b.box) * share
    x0, y0, x1, y1 = box.tolist()
    points = a.points * (1 - share) + b.points * share
    return Detection((x0, y0, x1, y1), min(a.score, b.score), points)


def steady(choices: Sequence[Choice | None], seconds: Sequence[float], backend: Backend) -> list[Choice | None]:
    """The choices with each track's points smoothed without lag; as they are where the landmarks come later (FAN).

    seconds: presentation time of each frame.
    """
    steadied = list(choices)
    if not backend.early:
        return steadied
    tracks: dict[int, list[int]] = {}
    for frame, choice in enumerate(choices):
        if choice is not None:
            tracks.setdefault(choice.track, []).append(frame)
    for frames in tracks.values():
        points = np.stack([choices[f].detection.points for f in frames])
        times = np.array([float(seconds[f]) for f in frames])
        smooth = smooth_track(points, times, backend.minimum_cutoff_hz, backend.beta)
        for f, p in zip(frames, smooth, strict=True):
            steadied[f] = replace(choices[f], detection=replace(choices[f].detection, points=p))
    return steadied
