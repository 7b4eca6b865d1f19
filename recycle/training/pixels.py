"""Windows as they come from disk, and as networks take them."""

import torch
from torch import Tensor


def to_values(windows: Tensor) -> Tensor:
    """uint8 of any shape as float32 in [-1, 1], on the same device; what is floating comes back as it is.

    >>> to_values(torch.tensor([0, 255], dtype=torch.uint8))
    tensor([-1.,  1.])
    """
    return windows if windows.is_floating_point() else windows.to(torch.float32).div_(127.5).sub_(1)
