"""One face in one picture, and what every backend that finds faces does."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Detection:
    """One face in one picture, in pixels of that picture.

    box: x0, y0, x1, y1 from brows to chin and cheek to cheek, the same for every backend.
    score: 0 to 1; above 0.7 it is rarely wrong.
    points: (5, 2) float64 right eye, left eye, nose tip, right and left corner of the mouth (the subject's right:
        smaller x); where a backend sees only the box, the places they have on an average upright face.
    appearance: (n,) float32 of `data.faces.appearance.describe`; None where it was not asked for or is no longer
        needed.
    motion: (2, 3) similarity from the frame before to this one of what is in the box; None where it is not known.
    spread: how far the picture's points leave that motion, in pixels.
    vector: (n,) float32 that says who it is (`data.faces.recognise`), for some frames of a clip.
    """

    box: tuple[float, float, float, float]
    score: float
    points: np.ndarray
    appearance: np.ndarray | None = None
    motion: np.ndarray | None = None
    spread: float = 0.0
    vector: np.ndarray | None = None

    @property
    def width(self) -> float:
        """Of the box."""
        return self.box[2] - self.box[0]

    def enlarged(self, x: float, y: float) -> "Detection":
        """The same in a picture that is so many times as wide and high."""
        grow = np.array([x, y])

        def there(points: np.ndarray) -> np.ndarray:
            return (points + 0.5) * grow - 0.5  # pixel centres lie at whole numbers

        motion = None
        if self.motion is not None:
            turn = self.motion[:, :2]
            motion = np.column_stack([turn, there(self.motion[:, 2] - turn @ [0.5, 0.5]) + turn @ [0.5, 0.5]])
        (x0, y0), (x1, y1) = there(np.reshape(self.box, (2, 2))).tolist()
        return replace(self, box=(x0, y0, x1, y1), points=there(self.points), spread=self.spread * x, motion=motion)

    def to_json(self) -> dict:
        """Plain JSON values; coordinates to 1/100 px, the appearance in 8 bits a number."""
        record: dict = {
            "box": [round(float(v), 2) for v in self.box],
            "score": round(float(self.score), 3),
            "points": np.round(self.points, 2).tolist(),
        }
        if self.appearance is not None:
            record["appearance"] = _packed(np.rint(self.appearance * 127).astype(np.int8))
        if self.motion is not None:
            record["motion"] = np.round(self.motion, 6).tolist()
            record["spread"] = round(float(self.spread), 3)
        if self.vector is not None:
            record["vector"] = _packed(self.vector.astype(np.float32))
        return record

    @staticmethod
    def from_json(record: dict) -> "Detection":
        """What `to_json` wrote."""
        appearance = None
        if "appearance" in record:
            values = np.frombuffer(base64.b64decode(record["appearance"]), np.int8).astype(np.float32)
            appearance = values / max(float(np.linalg.norm(values)), 1e-9)
        vector = np.frombuffer(base64.b64decode(record["vector"]), np.float32) if "vector" in record else None
        motion = np.array(record["motion"], np.float64) if "motion" in record else None
        x0, y0, x1, y1 = record["box"]
        points = np.array(record["points"], np.float64)
        found = Detection((x0, y0, x1, y1), record["score"], points, appearance)
        return replace(found, motion=motion, spread=record.get("spread", 0.0), vector=vector)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


class Backend(Protocol):
    """What every aligner does. Pictures are (H, W, 3) uint8 RGB with square pixels.

    name, version: what its points depend on: program, library, weights. jitter: standard deviation of its points on a
    still, noisy face, in face widths. dense: the landmarks are others than a detection's own points, and take a second
    look. batch: faces that `landmarks` is best given at once.
    """

    name: str
    version: str
    jitter: float
    dense: bool
    batch: int

    def find(self, rgb: np.ndarray) -> list[Detection]:
        """Every face, the most certain first."""

    def landmarks(self, pictures: Sequence[np.ndarray], detections: Sequence[Detection]) -> list[np.ndarray]:
        """(5, 2) or (68, 2) float64 points of one face in each picture."""


def most_certain_first(detections: Iterable[Detection]) -> list[Detection]:
    """In the order that backends give them in."""
    return sorted(detections, key=lambda detection: -detection.score)
