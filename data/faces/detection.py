"""One face in one picture, and what every backend that finds faces does."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
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
    """

    box: tuple[float, float, float, float]
    score: float
    points: np.ndarray
    appearance: np.ndarray | None = None

    def to_json(self) -> dict:
        """Plain JSON values; coordinates to 1/100 px, the appearance in 8 bits a number."""
        record: dict = {
            "box": [round(float(v), 2) for v in self.box],
            "score": round(float(self.score), 3),
            "points": np.round(self.points, 2).tolist(),
        }
        if self.appearance is not None:
            record["appearance"] = base64.b64encode(np.rint(self.appearance * 127).astype(np.int8).tobytes()).decode()
        return record

    @staticmethod
    def from_json(record: dict) -> "Detection":
        """What `to_json` wrote."""
        appearance = None
        if "appearance" in record:
            values = np.frombuffer(base64.b64decode(record["appearance"]), np.int8).astype(np.float32)
            appearance = values / max(float(np.linalg.norm(values)), 1e-9)
        x0, y0, x1, y1 = record["box"]
        return Detection((x0, y0, x1, y1), record["score"], np.array(record["points"], np.float64), appearance)


class Backend(Protocol):
    """What every aligner does. Pictures are (H, W, 3) uint8 RGB with square pixels.

    early: the landmarks are the detection's own points, so they are known for the whole clip before any picture is
        read again, and can be smoothed with knowledge of the future.
    minimum_cutoff_hz, beta: for `data.faces.smooth`, chosen for the size of this backend's jitter.
    """

    name: str
    early: bool
    minimum_cutoff_hz: float
    beta: float

    def find(self, rgb: np.ndarray) -> list[Detection]:
        """Every face, the most certain first."""

    def landmarks(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        """(5, 2) or (68, 2) float64 points of one face."""


def most_certain_first(detections: Iterable[Detection]) -> list[Detection]:
    """In the order that backends give them in."""
    return sorted(detections, key=lambda detection: -detection.score)
