"""Faces by OpenCV's YuNet: a box and five points from a 300 KB file."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from data.faces.align import apply, crop, crop_matrix
from data.faces.appearance import describe
from data.faces.detection import Detection, most_certain_first
from data.faces.warp import invert


class YuNet:
    """OpenCV's YuNet (Wu, Peng and Yu 2023): box and five points.

    Its points underrate a rolled head: it sees 11 degrees where there are 20. So each of the largest faces is looked
    at once more in a crop turned upright by the first points, which brings the roll to within 3 degrees and exposes
    things that are no faces: what is not found again loses score.
    """

    name = "yunet"
    version = f"1, opencv {cv2.__version__}"
    dense, batch = False, 1
    jitter = 0.010

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
        return most_certain_first(
            self._detection(rgb, row, i < self._CLOSER_FACES) for i, row in enumerate(largest_first)
        )

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

    def landmarks(self, pictures: Sequence[np.ndarray], detections: Sequence[Detection]) -> list[np.ndarray]:
        """(5, 2): the points found with the box."""
        return [detection.points for detection in detections]
