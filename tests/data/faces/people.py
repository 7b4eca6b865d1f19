"""People that no camera saw: each with a face and an appearance of their own."""

import numpy as np

from data.faces.align import FACE_WIDTH, TEMPLATE
from data.faces.detection import Detection

ANN, BOB, EVE = np.eye(3, 8, dtype=np.float32)


def seen(who: np.ndarray, x: float, y: float = 100, width: float = 60, score: float = 0.9) -> Detection:
    """A face centred at x, y."""
    points = (TEMPLATE - [0.5, 0.55]) * width / FACE_WIDTH + [x, y]
    return Detection((x - width / 2, y - 0.7 * width, x + width / 2, y + 0.7 * width), score, points, who)
