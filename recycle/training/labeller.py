"""Training of a network that labels pixels, on pictures and their label maps: cross entropy, Adam."""

import numpy as np
import torch
from torch import Tensor, nn

from recycle.networks.labelling import LabellerName, build_labeller

RATE = 2e-3
BATCH = 8
VOID = 255
"""In label maps: a pixel of no class."""


def train_labeller(
    pictures: np.ndarray, labels: np.ndarray, classes: int, *, network: LabellerName, steps: int, seed: int
) -> nn.Module:
    """A labeller in evaluation mode. pictures: (N, H, W, 3) uint8; labels: (N, H, W) uint8 below `classes`, or VOID.

    Flips half of the pictures left to right; the rate falls to 0 in a straight line. Raises WeightsError.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        labeller = build_labeller(network, classes).train()
    adam = torch.optim.Adam(labeller.parameters(), lr=RATE)
    draws = np.random.default_rng(seed)
    for step in range(steps):
        adam.param_groups[0]["lr"] = RATE * (1 - step / steps)
        chosen = draws.integers(len(pictures), size=min(BATCH, len(pictures)))
        x, wanted = shown(pictures[chosen]), torch.from_numpy(labels[chosen]).long()
        if draws.random() < 0.5:
            x, wanted = x.flip(-1), wanted.flip(-1)
        adam.zero_grad()
        nn.functional.cross_entropy(labeller(x), wanted, ignore_index=VOID).backward()
        adam.step()
    return labeller.eval()


def labelled(labeller: nn.Module, pictures: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 to the most likely class of each pixel, (N, H, W) uint8."""
    with torch.no_grad():
        parts = [
            labeller(shown(part)).argmax(1).byte() for part in np.array_split(pictures, -(-len(pictures) // BATCH))
        ]
    return torch.cat(parts).numpy()


def shown(pictures: np.ndarray) -> Tensor:
    """(N, H, W, 3) uint8 as (N, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 127.5 - 1
