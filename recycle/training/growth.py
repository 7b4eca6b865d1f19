"""Pictures that grow: training begins on small ones, where a step costs a fraction, and doubles their side on the way.

Generators and patch discriminators take any side, so their weights go on as they are; predictors and U-Nets halve as
often as the first side allows (`NetworkConfig.first_size`). Networks that grow layer by layer are Karras et al.'s (ICLR
2018); here only pictures do.
"""

from collections.abc import Sequence

from torch import Tensor, nn

GROWN_AT = 0.5
"""Part of the length after which pictures have their full side; what is before is shared evenly by the smaller ones."""


def side_at(progress: float, first: int, full: int) -> int:
    """Side in pixels at a part of the length in [0, 1]: `first`, doubled step by step to `full`, a power of two of it.

    >>> [side_at(part, 64, 256) for part in (0.0, 0.2, 0.25, 0.49, 0.5, 1.0)]
    [64, 64, 128, 128, 256, 256]
    """
    doublings = (full // first).bit_length() - 1
    return first << min(doublings, int(doublings * progress / GROWN_AT))


def shrink(windows: Tensor, side: int) -> Tensor:
    """Square windows (B, T, 3, H, H) as (B, T, 3, side, side), each pixel the mean of those it stands for.

    H is a multiple of `side`; of `side` itself they come back as they are.
    """
    factor = windows.shape[-1] // side
    if factor == 1:
        return windows
    return nn.functional.avg_pool2d(windows.flatten(0, 1), factor).unflatten(0, windows.shape[:2])


class Growth:
    """The side of the pictures of one training run. It never falls, also where a run is made longer afterwards."""

    def __init__(self, first: int | None) -> None:
        """first: side in pixels that training begins at; None for the full one throughout."""
        self.first = first
        self.side = first or 0
        """Of the pictures of the last step."""

    def fit(self, windows: Sequence[Tensor], progress: float) -> Sequence[Tensor]:
        """Windows (B, T, 3, H, H) of every domain at the side that they have at a part of the length."""
        if self.first is None:
            return windows
        self.side = max(self.side, side_at(progress, self.first, windows[0].shape[-1]))
        return [shrink(each, self.side) for each in windows]
