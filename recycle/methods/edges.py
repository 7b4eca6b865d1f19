"""Pictures whose edges are smoothed away and nothing else: the third kind that CartoonGAN's discriminator sees.

Chen et al., CVPR 2018, section 3.2: edges are found (Canny 1986), made wider, and smoothed by a Gaussian there alone.
The paper gives no numbers; these are what its reproductions commonly use at 256 px.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

CANNY = (100, 200)
"""Lower and upper threshold of the brightness gradient, for 8-bit brightness and a 3x3 Sobel."""
WIDTH_PX = 5
"""Side of the square that edges are dilated by, and of the Gaussian: weights 1 4 6 4 1 of 16 along each axis."""


def smooth_edges(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) float in [-1, 1], red, green, blue, to the same, of the same type and on the same device.

    Works on the CPU. Pixels that are not within reach of an edge keep every bit. Carries no gradient.

    A step from black to white becomes a slope of 4 px, and nothing else changes:

    >>> step = torch.tensor([-1.0] * 8 + [1.0] * 8).expand(1, 3, 16, 16)
    >>> smooth_edges(step)[0, 0, 8, 4:12].tolist()
    [-1.0, -1.0, -0.875, -0.375, 0.375, 0.875, 1.0, 1.0]
    """
    exact = torch.promote_types(pictures.dtype, torch.float32)
    rows = pictures.detach().to("cpu", exact).permute(0, 2, 3, 1).contiguous().numpy()
    smoothed = torch.from_numpy(np.stack([_smoothed(picture) for picture in rows]))
    return smoothed.permute(0, 3, 1, 2).to(pictures)


def _smoothed(picture: np.ndarray) -> np.ndarray:
    """One picture (H, W, 3)."""
    brightness = cv2.cvtColor(np.rint((picture.clip(-1, 1) + 1) * 127.5).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    near_edges = cv2.dilate(cv2.Canny(brightness, *CANNY), np.ones((WIDTH_PX, WIDTH_PX), np.uint8))
    return np.where(near_edges[..., None] > 0, cv2.GaussianBlur(picture, (WIDTH_PX, WIDTH_PX), 0), picture)
