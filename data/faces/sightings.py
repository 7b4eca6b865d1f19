"""What was seen in a clip: a line a frame in a file that grows while the clip is looked through, and is never redone.

A look that was stopped, by a kill too, goes on with the next frame: frames before it are decoded again for the cuts
between shots, but no face is looked for in them twice.
"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from data.disk import make_folder, output_errors
from data.domain.pictures import resize
from data.domain.sources import Source
from data.errors import NotAVideoError, PictureError, SettingsError
from data.faces.detection import Backend, Detection
from data.faces.motion import MotionFinder
from data.faces.recognise import Recogniser
from data.faces.tracks import overlap
from data.stages import Line
from data.video.frame import Glance
from data.video.shots import ShotFinder
from data.watching import watched
from durable.growing import Growing, growing

LONGEST_PX = 640
"""Of the pictures that faces are looked for in."""
MOST_FACES = 8
"""Of one frame that are followed by motion and recognised: the largest."""
LEAST_CLEAR_PX, LEAST_CLEAR_SCORE, LEAST_CLEAR_EYES = 24, 0.7, 0.55
"""Of a face that is recognised: width, score, and the eyes' distance over that from eyes to mouth, 0.9 from the front.
Profiles of different people resemble each other more than they do their own front."""
_KNOWN_OVERLAP = 0.3
_LOST_SPREAD = 0.05  # of a face's width: what moved so unevenly may be someone else after a cut


@dataclass(frozen=True)
class Sightings:
    """path: of the file. times: of each frame in seconds, exact. cuts: first frames of the shots after the first.

    repeats: numbers of the frames that show the same as the one before. reshaped: of those where the picture changes
    its shape.
    """

    path: Path
    times: list[Fraction]
    cuts: list[int]
    repeats: frozenset[int]
    reshaped: tuple[int, ...]

    def faces(self) -> Iterator[list[Detection]]:
        """Of each frame, in pixels of the frame with square pixels."""
        with self.path.open() as lines:
            for line in lines:
                faces = json.loads(line).get("faces")
                if faces is not None:
                    yield [Detection.from_json(face) for face in faces]


def see(source: Source, finder: Backend | None, recogniser: Recogniser | None, path: Path) -> Sightings:
    """What is in the file at `path`, which is made, or gone on with where it ends.

    finder: None where no face is looked for. recogniser: None where nobody asks who a face is.
    Raises NotAVideoError, PictureError, SettingsError, and leaves nothing; OutputError.
    """
    make_folder(path.parent)
    try:
        with output_errors(path), growing(path) as log:
            if not (log.last and "cuts" in json.loads(log.last)):
                _Look(source, finder, recogniser).go_on(log)
    except (NotAVideoError, PictureError, SettingsError):
        path.unlink(missing_ok=True)
        raise
    times, repeats, reshaped = [], [], []
    with path.open() as lines:
        for number, line in enumerate(map(json.loads, lines)):
            if "cuts" in line:
                break
            times.append(Fraction(line["time"]))
            repeats += [number] if line.get("repeats") else []
            reshaped += [number] if line.get("reshaped") else []
    return Sightings(path, times, line["cuts"], frozenset(repeats), tuple(reshaped))


class _Look:
    def __init__(self, source: Source, finder: Backend | None, recogniser: Recogniser | None) -> None:
        self._source, self._finder, self._recogniser = source, finder, recogniser
        self._motion = MotionFinder()
        self._shots = ShotFinder() if source.shot_frames is None else None
        self._every = max(1, round(source.info.rate)) if source.shot_frames is None else 1

    def go_on(self, log: Growing) -> None:
        shape, begun = 0, log.lines
        before = [Detection.from_json(face) for face in json.loads(log.last).get("faces", ())] if log.last else []
        with Line() as stages:
            glances = stages.made("look", self._source.glances(LONGEST_PX))
            # Here, not ahead: what a kill loses is one frame's look.
            found = stages.last("find", lambda glance: self._find(glance, begun), glances)
            for glance, faces in watched(found, "looking", self._source.info.frames):
                line: dict[str, Any] = {"time": str(glance.seconds)}
                if glance.shape != shape:
                    shape, line["reshaped"] = glance.shape, True
                new_shape = line.get("reshaped", False)
                if self._shots and self._shots.feed(glance.rgb, glance.seconds, new_shape=new_shape):
                    line["repeats"] = True
                if glance.number < log.lines - 1:
                    continue
                if self._finder is not None:
                    self._motion.feed(glance.rgb)
                if glance.number < log.lines:
                    continue
                if self._finder is not None:
                    before = self._faces(glance, faces, before)
                    line["faces"] = [face.to_json() for face in before]
                log.add(json.dumps(line, separators=(",", ":")))
        known = self._source.known_shots(log.lines)
        cuts = known if known is not None else self._shots.finish() if self._shots else []
        log.add(json.dumps({"cuts": [cut for cut in cuts if cut < log.lines]}))

    def _find(self, glance: Glance, begun: int) -> tuple[Glance, list[Detection]]:
        """The faces, in pixels of the glance; none in the `begun` first frames, which have been looked at."""
        return glance, self._finder.find(glance.rgb) if self._finder and glance.number >= begun else []

    def _faces(self, glance: Glance, found: list[Detection], before: Sequence[Detection]) -> list[Detection]:
        """The frame's faces, in its own pixels, with what is asked of the largest."""
        grow = [whole / small for whole, small in zip(glance.size, glance.rgb.shape[1::-1], strict=True)]
        largest = sorted(range(len(found)), key=lambda place: -found[place].width)[:MOST_FACES]
        faces, whole = [], None
        for place, face in enumerate(found):
            if place in largest and self._source.shot_frames is None:
                motion, spread = self._motion.of(face.box) or (None, 0.0)
                face = dataclasses.replace(face, motion=motion, spread=spread)
            face = face.enlarged(*grow)
            if self._recogniser and place in largest and self._to_recognise(glance.number, face, before):
                whole = resize(glance.whole(), glance.size) if whole is None else whole
                face = dataclasses.replace(face, vector=self._recogniser.vector(whole, face))
            faces.append(face)
        return faces

    def _to_recognise(self, number: int, face: Detection, before: Sequence[Detection]) -> bool:
        """Once a second, and where the face may be another than the one in its place a frame before."""
        if not is_clear(face) or (self._recogniser and self._recogniser.by_looks):
            return False
        known = face.motion is not None and face.spread < _LOST_SPREAD * face.width
        known = known and any(overlap(face, other) >= _KNOWN_OVERLAP for other in before)
        return not known or number % self._every == 0


def is_clear(face: Detection) -> bool:
    """Whether who it is can be told: large, certain and frontal enough."""
    right_eye, left_eye, _, right_corner, left_corner = face.points
    eyes = np.linalg.norm(left_eye - right_eye)
    height = np.linalg.norm((right_eye + left_eye - right_corner - left_corner) / 2)
    frontal = eyes >= LEAST_CLEAR_EYES * height
    return bool(face.width >= LEAST_CLEAR_PX and face.score >= LEAST_CLEAR_SCORE and frontal)
