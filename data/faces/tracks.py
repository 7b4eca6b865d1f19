"""Detections of one clip linked to tracks: one face from its first to its last sight within a shot."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from data.faces.appearance import similarity
from data.faces.detection import Detection

# A face is linked to the last place of a track where the boxes overlap this much and the looks do not contradict it,
# or where it is within one face width and looks alike.
_LEAST_OVERLAP = 0.3
_CONTRADICTION = 0.4
_ALIKE = 0.78
# A track becomes somebody when it is this long (or as long as its shot) and once this certain.
_SOLID_FRAMES = 5
_SOLID_SCORE = 0.7
# Looks further apart than this are kept side by side, up to so many a track.
_DIFFERENT_LOOK = 0.92
MOST_LOOKS = 12


@dataclass(eq=False)
class Track:
    """A face through a shot. looks: distinct descriptions of it, (n,) float32 each; weight: sum of area x score.

    vectors: frame -> who it is by the recogniser, where that was asked. shot: its number. solid: long and certain
    enough to be somebody.
    """

    shot: int = 0
    detections: dict[int, Detection] = field(default_factory=dict)  # frame -> detection, appearance dropped
    looks: list[np.ndarray] = field(default_factory=list)
    vectors: dict[int, np.ndarray] = field(default_factory=dict)
    last: Detection | None = None
    weight: float = 0.0
    solid: bool = False

    def add(self, frame: int, detection: Detection) -> None:
        self.detections[frame] = replace(detection, appearance=None, vector=None)
        if detection.vector is not None:
            self.vectors[frame] = detection.vector
        self.last = detection
        self.weight += weight(detection)
        look = look_of(detection)
        if len(self.looks) < MOST_LOOKS and all(float(look @ known) < _DIFFERENT_LOOK for known in self.looks):
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
        for before, after in itertools.pairwise(frames):
            for frame in range(before + 1, after):
                share = (frame - before) / (after - before)
                whole[frame] = (_between(self.detections[before], self.detections[after], share), True)
        return dict(sorted(whole.items()))


def link_shots(frames: Iterable[list[Detection]], starts: set[int], gap_frames: int) -> tuple[list[list[Track]], int]:
    """Tracks of each shot, and how many frames there are. A miss of more than `gap_frames` ends a track.

    frames: the detections of each frame, read once, in order. starts: first frames of the shots after the first.
    """
    shots: list[list[Track]] = []
    begins: list[int] = []
    active: list[Track] = []
    length = 0
    for number, detections in enumerate(frames):
        if number in starts or not shots:
            shots.append([])
            begins.append(number)
            active = []
        length = number + 1
        active = [t for t in active if number - t.last_frame <= gap_frames + 1]
        for detection, track in _linked(detections, active, number):
            if track is None:
                track = Track(len(shots) - 1)
                shots[-1].append(track)
                active.append(track)
            track.add(number, detection)
    for tracks, begin, end in zip(shots, begins, [*begins[1:], length], strict=False):
        for track in tracks:
            peak = max(d.score for d in track.detections.values())
            track.solid = len(track.detections) >= min(_SOLID_FRAMES, end - begin) and peak >= _SOLID_SCORE
    return shots, length


def _linked(detections: list[Detection], active: list[Track], frame: int) -> list[tuple[Detection, Track | None]]:
    """Each detection with the track it continues, or None; the surest pairs first."""
    pairs = []
    for i, detection in enumerate(detections):
        for j, track in enumerate(active):
            assert track.last is not None
            covered = overlap(detection, track.last)
            likeness = similarity(look_of(detection), look_of(track.last))
            near = _distance(detection, track.last) <= 1 + 0.2 * (frame - track.last_frame - 1)
            if (covered >= _LEAST_OVERLAP and likeness >= _CONTRADICTION) or (near and likeness >= _ALIKE):
                pairs.append((covered + likeness, i, j))
    taken: dict[int, Track] = {}
    used: set[int] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if i not in taken and j not in used:
            taken[i] = active[j]
            used.add(j)
    return [(detection, taken.get(i)) for i, detection in enumerate(detections)]


def look_of(detection: Detection) -> np.ndarray:
    """The appearance, which every detection has before it is added to a track."""
    assert detection.appearance is not None
    return detection.appearance


def together(a: Track, b: Track) -> bool:
    """Seen in the same frames, so two people."""
    return min(a.last_frame, b.last_frame) >= max(a.first_frame, b.first_frame)


def weight(detection: Detection) -> float:
    """Area in square pixels times score."""
    x0, y0, x1, y1 = detection.box
    return (x1 - x0) * (y1 - y0) * detection.score


def overlap(a: Detection, b: Detection) -> float:
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
    return Detection((x0, y0, x1, y1), min(a.score, b.score), points)  # how it moved is not known
