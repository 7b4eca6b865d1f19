"""68 landmarks by face-alignment's FAN (Bulat and Tzimiropoulos, ICCV 2017). Imported only where it is used: heavy."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from face_alignment.models import FAN
from face_alignment.utils import CENTER_Y_OFFSET, crop, flip, get_preds_fromhm

from data.errors import MissingModelError
from data.faces.detection import Backend, Detection

# FAN was trained on the boxes of a detector that draws them larger; face-alignment keeps this figure for YuNet's.
_BOX_SCALE = 165.0
_BLOCKS = 4


class Fan:
    """Boxes by another backend, landmarks by FAN: each face and its mirror image, many at once."""

    name, dense = "fan", True
    jitter = 0.006

    def __init__(self, weights: Path, boxes: Backend, device: str | None = None) -> None:
        """`boxes` finds the faces. Raises MissingModelError where the file holds something else than FAN's weights."""
        self._boxes = boxes
        self.version = f"2, face-alignment {version('face-alignment')}, boxes by {boxes.name} {boxes.version}"
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.batch = 16 if self._device.startswith("cuda") else 1  # a CPU gains nothing by more than the two mirrors
        self._type = _half(self._device)
        self._network = FAN(_BLOCKS)
        try:
            # weights_only: tensors, never code.
            self._network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:  # unpickling and state_dict errors have many types
            reason = " ".join(str(error).split())[:200]
            raise MissingModelError(f"model fan: {weights} does not hold FAN's weights ({reason})") from error
        self._network.to(self._device).eval()

    def find(self, rgb: np.ndarray) -> list[Detection]:
        """As the backend that finds the boxes."""
        return self._boxes.find(rgb)

    @torch.inference_mode()
    def landmarks(self, pictures: Sequence[np.ndarray], detections: Sequence[Detection]) -> list[np.ndarray]:
        """(68, 2) float64 in iBUG's order, as face-alignment's `get_landmarks_from_image` gives them."""
        frames = [_frame(detection) for detection in detections]
        crops = np.stack([crop(rgb, *frame) for rgb, frame in zip(pictures, frames, strict=True)])
        faces = torch.from_numpy(crops).permute(0, 3, 1, 2).to(self._device).float().div_(255)
        with torch.autocast(self._device.split(":")[0], self._type, enabled=self._type != torch.float32):
            maps = self._network(torch.cat([faces, flip(faces)]))[-1].float()
        maps = maps[: len(faces)] + flip(maps[len(faces) :], is_label=True)
        found = []
        for heat, (centre, scale) in zip(maps.cpu().numpy(), frames, strict=True):
            _, points, _ = get_preds_fromhm(heat[None], centre, scale)
            found.append(np.asarray(points, np.float64).reshape(68, 2))
        return found


def _half(device: str) -> torch.dtype:
    """Half precision where the hardware computes in it and does not imitate it; else float32."""
    if device.startswith("cuda"):
        return torch.float16
    computes = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if computes else torch.float32


def _frame(detection: Detection) -> tuple[np.ndarray, float]:
    """Centre and scale of the square that face-alignment would cut for a detector with reference scale 165.

    Its own figure is 195: the box is enlarged, the centre where it would be after the lift.
    """
    x0, y0, x1, y1 = detection.box
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2 - CENTER_Y_OFFSET * (y1 - y0)])
    return centre, (x1 - x0 + y1 - y0) / _BOX_SCALE
