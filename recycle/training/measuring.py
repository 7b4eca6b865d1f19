"""What a step takes on this machine: a few of them, on random pictures."""

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from recycle.config import TrainingConfig
from recycle.methods.base import Method, Moment
from recycle.training.learner import Learner
from recycle.training.pixels import to_values


@dataclass(frozen=True)
class Taken:
    """seconds: of one step, by the clock. bytes: the most that the process had, or on a GPU what was taken there."""

    seconds: float
    bytes: int
    steps: int


def measure(
    method: Method, config: TrainingConfig, fabric: Fabric, *, side: int, domains: int, seconds: float
) -> Taken:
    """Trains on noise for about so many seconds, at least two steps; the first, which sets up, is not counted.

    side: of the pictures of every one of so many domains, in pixels. Weights are changed, nothing is written. Where
    there are several processes, all have to call it.
    """
    if fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(fabric.device)
    learner = Learner(method, config, fabric)
    windows = _noise(method, config.batch_size, side, domains)
    steps = 0
    began = last = time.monotonic()
    while steps < 2 or last - began < seconds:
        on_device = [to_values(each.to(fabric.device)) for each in windows]
        # Halfway, where every term that grows in has its weight.
        values = learner.step(Moment(steps + 1, 0.5), config.learning_rate, *on_device)
        float(values["generators"])  # so that a GPU is waited for
        steps, last = steps + 1, time.monotonic()
        if steps == 1:
            began = last
    return Taken((last - began) / (steps - 1), _most_bytes(fabric.device), steps - 1)


def _noise(method: Method, batch: int, side: int, domains: int) -> Sequence[Tensor]:
    """Windows of every domain as training gives them: uint8 (batch, T, 3, size, size)."""
    lengths = [method.window * (2 if place and method.companions else 1) for place in range(domains)]
    return [torch.randint(0, 256, (batch, length, 3, side, side), dtype=torch.uint8) for length in lengths]


def _most_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    try:  # of this program alone, not of the one that it was started by
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert found
        return int(found[1]) * 1024
    except (OSError, AssertionError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
