"""Who a face is: the vector of a network made for that, or of its looks, which hold within a shot."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from data.errors import MissingModelError
from data.faces.detection import Detection
from data.models import find_model, on_disk

_DLIB_FILES = ("shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat")
_CHIP_PX, _CHIP_PADDING = 150, 0.25  # what dlib's network was trained on


class Recogniser(Protocol):
    """What says who a face is.

    name, version: what its vectors come from. same: least likeness of two faces of one person. sure: likeness from
    which on there is no doubt. by_looks: it knows looks, not people: other light or another camera is beyond it.
    """

    name: str
    version: str
    same: float
    sure: float
    by_looks: bool

    def vector(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        """(n,) float32 of one face in an (H, W, 3) uint8 RGB picture with square pixels."""

    def likeness(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """(k, n) and (m, n) vectors to (k, m): 1 for the same picture, less the less alike."""


class SFace:
    """OpenCV's SFace (Zhong et al. 2021): cosine of 128 numbers. Threshold: of OpenCV's own documentation."""

    name, by_looks = "sface", False
    same, sure = 0.363, 0.5

    def __init__(self, model: Path) -> None:
        """Raises MissingModelError where the file holds another network."""
        try:
            self._net = cv2.FaceRecognizerSF.create(str(model), "")
        except cv2.error as error:
            raise MissingModelError(f"model sface: {model} cannot be opened by OpenCV") from error
        self.version = f"opencv {cv2.__version__}"

    def vector(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        x0, y0, x1, y1 = detection.box
        row = np.array([x0, y0, x1 - x0, y1 - y0, *detection.points.ravel(), detection.score], np.float32)
        aligned = self._net.alignCrop(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), row)
        return np.asarray(self._net.feature(aligned), np.float32).ravel().copy()

    def likeness(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        return _unit(some) @ _unit(others).T


class Dlib:
    """dlib's recognition network (King 2017), of the extra `identity`: 1 less the distance of 128 numbers.

    On the clips and photos that it was tried on, the same person is at most 0.40 apart, in another year, too, and
    others at least 0.61: the line is drawn in the middle.
    """

    name, by_looks = "dlib", False
    same, sure = 0.48, 0.6

    def __init__(self) -> None:
        """Raises MissingModelError where the extra is not installed."""
        files = _dlib_files()
        if files is None:
            raise MissingModelError("recogniser dlib: not installed; pip install -e '.[identity]'")
        import dlib

        self._points, self._net = dlib.shape_predictor(str(files[0])), dlib.face_recognition_model_v1(str(files[1]))
        self._dlib: Any = dlib
        self.version = dlib.__version__

    def vector(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        # Its own detector's squares: as wide as the box, from above the brows to the chin.
        x0, _, x1, y1 = (float(value) for value in detection.box)
        side, middle = x1 - x0, (detection.box[1] + y1) / 2 + 0.05 * (x1 - x0)
        corners = (x0, middle - side / 2, x1, middle + side / 2)
        box = self._dlib.rectangle(*(round(value) for value in corners))
        whole = np.array(rgb, order="C")
        chip = self._dlib.get_face_chip(whole, self._points(whole, box), _CHIP_PX, _CHIP_PADDING)
        return np.array(self._net.compute_face_descriptor(chip), np.float32)

    def likeness(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        return 1 - np.linalg.norm(np.asarray(some)[:, None] - np.asarray(others)[None], axis=2)


class Looks:
    """What `data.faces.appearance` describes: the same person in another shot of one recording 0.96, in another
    recording of one studio 0.89 to 0.91, in another year 0.72; different people in one studio and pose up to 0.77.
    """

    name, version, by_looks = "looks", "1", True
    same, sure = 0.78, 0.88

    def vector(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        assert detection.appearance is not None
        return detection.appearance

    def likeness(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.asarray(some) @ np.asarray(others).T


def open_recogniser(
    models_folder: Path | None, on_note: Callable[[str], None], wanted: str | None = None
) -> Recogniser:
    """The one called `wanted`, or the first of SFace's file, dlib, SFace's file fetched; else looks alone.

    A line through `on_note` says what it is not. Raises MissingModelError where the wanted one is not to be had.
    """
    if wanted == "looks":
        return Looks()
    if wanted == "dlib" or (wanted is None and on_disk("sface", models_folder) is None and _dlib_files() is not None):
        return Dlib()
    try:
        return SFace(find_model("sface", models_folder))
    except MissingModelError as error:
        if wanted == "sface":
            raise
        on_note(
            f"no face recognition here: people are told apart by their looks, which hold within a shot ({error}; or "
            "pip install -e '.[identity]')"
        )
        return Looks()


def _dlib_files() -> tuple[Path, Path] | None:
    """Of the package's files those that are free to use: not its 68 points."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or spec.origin is None or importlib.util.find_spec("dlib") is None:
        return None
    points, network = (Path(spec.origin).parent / "models" / name for name in _DLIB_FILES)
    return (points, network) if points.is_file() and network.is_file() else None


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
