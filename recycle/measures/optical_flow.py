"""Optical flow between two frames, which of it can be trusted, and frames fetched along it.

A flow is (H, W, 2) float32: pixel (x, y) of the first frame is at (x + flow[y, x, 0], y + flow[y, x, 1]) of the second.
Frames are (H, W, 3) uint8 RGB.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from recycle.networks.pretrained import find_weights, fitting, read_weights, torchvision_models

FlowFinder = Callable[[np.ndarray, np.ndarray], np.ndarray]

SMALL_PX = 256
"""Up to this shorter side DIS is refined at full resolution: there a pixel is much of what moves."""
SMALLEST_PX = 16
"""Smaller sides are padded by their last row for DIS, which cannot look at less."""
RAFT_MULTIPLE, RAFT_SMALLEST_PX = 8, 128
"""RAFT looks at an eighth of the size, and pools that three times."""


class Dis:
    """Dense inverse search (Kroeger et al. 2016) as OpenCV has it, preset medium. The same on any number of threads."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The flow from `first` to `second`."""
        self._dis.setFinestScale(0 if min(first.shape[:2]) <= SMALL_PX else 1)
        height, width = first.shape[:2]
        before, after = (self._grey(frame) for frame in (first, second))
        flow = self._dis.calc(before, after, np.zeros((*before.shape, 2), np.float32))
        return np.asarray(flow)[:height, :width]

    def _grey(self, rgb: np.ndarray) -> np.ndarray:
        below, right = (max(0, SMALLEST_PX - side) for side in rgb.shape[:2])
        return np.pad(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), ((0, below), (0, right)), mode="edge")


class Raft:
    """RAFT (Teed and Deng 2020), the small network of torchvision."""

    def __init__(self, network: nn.Module, device: str = "cpu") -> None:
        self._network, self._device = network.eval().to(device), device

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The flow from `first` to `second`. Small frames are enlarged first, odd sides padded by their last row."""
        height, width = first.shape[:2]
        grow = max(1.0, RAFT_SMALLEST_PX / min(height, width))
        size = round(width * grow), round(height * grow)
        pictures = torch.stack([self._picture(cv2.resize(frame, size)) for frame in (first, second)])
        right, below = (-side % RAFT_MULTIPLE for side in size)
        pictures = nn.functional.pad(pictures, (0, right, 0, below), mode="replicate")
        with torch.inference_mode():
            flow = self._network(pictures[:1], pictures[1:])[-1][0, :, : size[1], : size[0]]
        flow = flow.permute(1, 2, 0).float().cpu().numpy()
        return cv2.resize(flow, (width, height)) / np.array([size[0] / width, size[1] / height], np.float32)

    def _picture(self, rgb: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(rgb).permute(2, 0, 1).to(self._device).float().div_(127.5).sub_(1)


def load_raft(path: Path | None, device: str = "cpu") -> Raft:
    """torchvision's small RAFT with the weights in `path`, or with those where torchvision keeps them.

    Raises WeightsError.
    """
    flows = torchvision_models("RAFT").optical_flow
    network = flows.raft_small(weights=None)
    path = path or find_weights(flows.Raft_Small_Weights.C_T_V2.url, "--flow-weights", "leave --flow raft away")
    network.load_state_dict(fitting(read_weights(path), network.state_dict(), path))
    return Raft(network, device)


def fetched(second: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Each pixel of the first frame as the second one has it: second(p + flow(p)), bilinear, replicated at the border.

    second: (H, W) or (H, W, C), float32 or uint8.

    >>> second = np.array([[0, 10, 20, 30]], np.float32)
    >>> flow = np.full((1, 4, 2), (1.5, 0), np.float32)
    >>> fetched(second, flow)
    array([[15., 25., 30., 30.]], dtype=float32)
    """
    x, y = _targets(flow)
    return cv2.remap(second, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def visible(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of the first frame that the second one shows, and that do not lie on the edge of a motion.

    forward: from the first frame to the second; backward: back again. The two thresholds are Sundaram et al. 2010, as
    Ruder et al. 2016 (eq. 5 and 6) and Lai et al. 2018 use them; what leaves the picture is not visible either.

    All goes 2 px to the right and comes back: two columns leave the picture. Where the way back does not agree,
    something else is in the place.

    >>> right, left = (np.full((1, 6, 2), (step, 0), np.float32) for step in (2, -2))
    >>> visible(right, left).astype(int)
    array([[1, 1, 1, 1, 0, 0]])
    >>> bool(visible(right, right).any())
    False
    """
    height, width = forward.shape[:2]
    x, y = _targets(forward)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    there, back = forward, fetched(backward, forward)
    lengths = (there**2).sum(-1) + (back**2).sum(-1)
    # occluded: |w(p) + ŵ(p + w(p))|² > 0.01 (|w|² + |ŵ|²) + 0.5
    occluded = ((there + back) ** 2).sum(-1) > 0.01 * lengths + 0.5
    # on the edge of a motion: |∇u|² + |∇v|² > 0.01 |w|² + 0.002
    steepness = np.zeros((height, width), np.float32)
    for axis in (0, 1):
        if there.shape[axis] > 1:
            steepness += (np.gradient(there, axis=axis) ** 2).sum(-1)
    edge = steepness > 0.01 * (there**2).sum(-1) + 0.002
    return inside & ~occluded & ~edge


def _targets(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel goes: x and y, (H, W) float32 each."""
    height, width = flow.shape[:2]
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    return columns + flow[..., 0], rows + flow[..., 1]
