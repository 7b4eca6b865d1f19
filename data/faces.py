"""Finding faces in a picture: OpenCV's cascades, YuNet, face-alignment's FAN, behind one shape."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from data.align import apply, crop, crop_matrix, invert
from data.appearance import describe
from data.errors import MissingModelError, SettingsError
from data.models import find_model


@dataclass(frozen=True, eq=False)
class Detection:
    """One face in one picture, in pixels of that picture.

    box: x0, y0, x1, y1 from brows to chin and cheek to cheek, the same for every backend.
    score: 0 to 1; above 0.7 it is rarely wrong.
    points: (5, 2) float64 right eye, left eye, nose tip, right and left corner of the mouth (the subject's right:
        smaller x); where a backend sees only the box, the places they have on an average upright face.
    appearance: (n,) float32 of `data.appearance.describe`; None where it was not asked for or is no longer needed.
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
    minimum_cutoff_hz, beta: for `data.smooth`, chosen for the size of this backend's jitter.
    """

    name: str
    early: bool
    minimum_cutoff_hz: float
    beta: float

    def find(self, rgb: np.ndarray) -> list[Detection]:
        """Every face, the most certain first."""

    def landmarks(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        """(5, 2) or (68, 2) float64 points of one face."""


class Haar:
    """OpenCV's cascade for upright frontal faces (Viola and Jones 2001; `alt2`): in the wheel, always there.

    It finds a square only; of the cascades it was the one without false faces on bookshelves.
    """

    name = "haar"
    early = True
    minimum_cutoff_hz, beta = 0.5, 2.0

    _LONG_SIDE_PX = 512
    _SMALLEST_PX = 24
    _NEIGHBOURS = 3
    # Where YuNet puts its box and points inside the cascade's square: means over five clips of frontal faces, made
    # symmetric; they scatter by 2 % of the square.
    _BOX = np.array([[0.12, -0.035], [0.88, 1.065]])
    _POINTS = np.array([[0.32, 0.38], [0.68, 0.38], [0.50, 0.60], [0.335, 0.762], [0.665, 0.762]])

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(
            str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml")
        )

    def find(self, rgb: np.ndarray) -> list[Detection]:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        shrink = min(1.0, self._LONG_SIDE_PX / max(grey.shape))
        if shrink < 1:
            grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        if min(grey.shape) < self._SMALLEST_PX:
            return []
        squares, _, weights = self._cascade.detectMultiScale3(
            grey, 1.1, self._NEIGHBOURS, minSize=(self._SMALLEST_PX,) * 2, outputRejectLevels=True
        )
        return _sorted(
            self._detection(rgb, np.asarray(square, np.float64) / shrink, float(weight))
            for square, weight in zip(squares, weights, strict=True)
        )

    def _detection(self, rgb: np.ndarray, square: np.ndarray, weight: float) -> Detection:
        corner, side = square[:2], square[2]
        (x0, y0), (x1, y1) = (corner + self._BOX * side).tolist()
        points = corner + self._POINTS * side
        # The last stage's sum of weights: 56-57.5 on faces that anyone sees, 54-55 on chance.
        score = float(np.clip((weight - 53) / 4, 0, 1))
        return Detection((x0, y0, x1, y1), score, points, describe(rgb, points))

    def landmarks(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        """(5, 2): the nominal points."""
        return detection.points


class YuNet:
    """OpenCV's YuNet (Wu, Peng and Yu 2023): box and five points.

    Its points underrate a rolled head: it sees 11 degrees where there are 20. So each of the largest faces is looked
    at once more in a crop turned upright by the first points, which brings the roll to within 3 degrees and exposes
    things that are no faces: what is not found again loses score.
    """

    name = "yunet"
    early = True
    minimum_cutoff_hz, beta = 1.0, 4.0

    _LONG_SIDE_PX = 640  # points of a face shrunk to 30 px jitter no more, relative to the face, than at 150 px
    _SHORT_SIDE_PX = 128  # smaller pictures are enlarged to this: the net halves the picture five times
    _LEAST_SCORE = 0.6
    _OVERLAP = 0.3
    _MOST = 50
    _CLOSER_PX = 128
    _CLOSER_ZOOM = 0.8
    _CLOSER_FACES = 4
    _NOT_AGAIN = 0.8

    def __init__(self, model: Path) -> None:
        options = (self._LEAST_SCORE, self._OVERLAP, self._MOST)
        self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), *options)
        # A second one with a fixed size: changing it costs a new plan of the whole network.
        self._closer = cv2.FaceDetectorYN.create(str(model), "", (self._CLOSER_PX,) * 2, *options)

    def find(self, rgb: np.ndarray) -> list[Detection]:
        height, width = rgb.shape[:2]
        if min(height, width) < 16 or max(height, width) > 16 * min(height, width):
            return []
        factor = max(self._SHORT_SIDE_PX / min(height, width), 1.0)
        factor = min(factor, self._LONG_SIDE_PX / max(height, width))
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        if factor != 1:
            how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            bgr = cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=how)
        self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
        rows = self._net.detect(bgr)[1]
        if rows is None:
            return []
        found = np.array(rows, np.float64)
        found[:, :14] /= factor
        largest_first = sorted(found[np.isfinite(found).all(1)], key=lambda row: -row[2] * row[3])
        return _sorted(self._detection(rgb, row, i < self._CLOSER_FACES) for i, row in enumerate(largest_first))

    def _detection(self, rgb: np.ndarray, row: np.ndarray, look_closer: bool) -> Detection:
        x, y, width, height = row[:4].tolist()
        points, score = row[4:14].reshape(5, 2), float(row[14])
        if look_closer:
            matrix = crop_matrix(points, self._CLOSER_PX, self._CLOSER_ZOOM)
            bgr = cv2.cvtColor(crop(rgb, matrix, self._CLOSER_PX), cv2.COLOR_RGB2BGR)
            again = self._closer.detect(bgr)[1]
            if again is None:
                score *= self._NOT_AGAIN
            else:
                largest = max(again.astype(np.float64), key=lambda face: face[2] * face[3])
                points = apply(invert(matrix), largest[4:14].reshape(5, 2))
        return Detection((x, y, x + width, y + height), score, points, describe(rgb, points))

    def landmarks(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        """(5, 2): the points found with the box."""
        return detection.points


def _sorted(detections: Iterable[Detection]) -> list[Detection]:
    return sorted(detections, key=lambda detection: -detection.score)


def open_aligner(
    name: str, models_folder: Path | None, on_note: Callable[[str], None], device: str | None = None
) -> Backend:
    """The backend called `name`: "fan", "yunet", "haar", or "auto" for the first of these that works.

    `auto` says in one line through `on_note` what it took and what it went without. `device`: where FAN runs
    ("cpu", "cuda"); None takes the GPU where there is one.
    Raises MissingModelError when the one asked for by name lacks its file, SettingsError for an unknown name.
    """
    if name == "haar":
        return Haar()
    if name == "yunet":
        return YuNet(find_model("yunet", models_folder))
    if name == "fan":
        from data.fan import Fan  # torch and face-alignment take seconds to import

        weights = find_model("fan", models_folder)
        return Fan(weights, _box_finder(models_folder), device)
    if name != "auto":
        raise SettingsError(f"--align {name}: choose one of auto, fan, yunet, haar, none")
    without = []
    for candidate in ("fan", "yunet"):
        try:
            backend = open_aligner(candidate, models_folder, on_note, device)
        except MissingModelError as error:
            without.append(str(error))
            continue
        on_note(_choice_note(candidate, without))
        return backend
    on_note(_choice_note("haar", without))
    return Haar()


def _choice_note(chosen: str, without: list[str]) -> str:
    return f"aligner: {chosen}" + "".join(f"; {reason}" for reason in without)


def _box_finder(models_folder: Path | None) -> Backend:
    try:
        return YuNet(find_model("yunet", models_folder))
    except MissingModelError:
        return Haar()
