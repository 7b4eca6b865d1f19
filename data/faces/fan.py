"""68 landmarks by face-alignment's FAN (Bulat and Tzimiropoulos, ICCV 2017). Imported only where it is used: heavy."""

from pathlib import Path

import numpy as np
import torch
from face_alignment import FaceAlignment, LandmarksType
from face_alignment.models import FAN
from face_alignment.utils import REFERENCE_SCALE

from data.errors import MissingModelError
from data.faces.detection import Backend, Detection

# FAN was trained on the boxes of a detector that draws them larger; face-alignment keeps this figure for YuNet's.
_BOX_SCALE = 165.0
_CENTRE_LIFT = 0.12  # by how much of the box's height face-alignment moves the centre up


class _Network(FaceAlignment):
    """face-alignment with the weights from a file that was verified, and no network access of its own."""

    def __init__(self, weights: Path, device: str) -> None:
        self._weights = weights
        # "folder" is the detector that needs no weights: boxes are handed over. compile=True costs minutes on a CPU.
        super().__init__(LandmarksType.TWO_D, device=device, face_detector="folder", compile=False)

    def _load_native(self, network_name: str, network_size: int, device: str, dtype: torch.dtype) -> torch.nn.Module:
        network = FAN(network_size)
        # weights_only: tensors, never code.
        network.load_state_dict(torch.load(self._weights, map_location=device, weights_only=True))
        return network.to(device, dtype=dtype).eval()


class Fan:
    """Boxes by another backend, landmarks by FAN."""

    name = "fan"
    early = False
    minimum_cutoff_hz, beta = 0.5, 6.0

    def __init__(self, weights: Path, boxes: Backend, device: str | None = None) -> None:
        """`boxes` finds the faces. Raises MissingModelError where the file holds something else than FAN's weights."""
        self._boxes = boxes
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self._network = _Network(weights, device)
        except Exception as error:  # unpickling and state_dict errors have many types
            reason = " ".join(str(error).split())[:200]
            raise MissingModelError(f"model fan: {weights} does not hold FAN's weights ({reason})") from error

    def find(self, rgb: np.ndarray) -> list[Detection]:
        """As the backend that finds the boxes."""
        return self._boxes.find(rgb)

    def landmarks(self, rgb: np.ndarray, detection: Detection) -> np.ndarray:
        """(68, 2) float64 in iBUG's order."""
        x0, y0, x1, y1 = detection.box
        width, height = x1 - x0, y1 - y0
        # The same crop as for a detector with reference scale 165: box enlarged, centre where it was after the lift.
        grow = REFERENCE_SCALE / _BOX_SCALE
        centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2 + _CENTRE_LIFT * (grow - 1) * height
        half_width, half_height = grow * width / 2, grow * height / 2
        box = [centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height]
        found = self._network.get_landmarks_from_image(rgb, detected_faces=[[*box, detection.score]])
        return np.asarray(found[0], np.float64)
