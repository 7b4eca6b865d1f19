"""Drawn motion: smooth random flow, noise, and pictures moved by a flow.

As Wang et al., AAAI 2022, draw them in their code, after Wang et al., Consistent Video Style Transfer via Relaxation
and Regularization, 2020: the options of their scripts, which leave the zoom field off. Their numbers are for pictures
256 px high and grow and shrink with the shorter side here.
"""

import torch
from torch import Tensor, nn

REFERENCE_PX = 256
"""Side that the numbers in pixels are for."""
CELL_PX = 100
"""A coarse field has one vector for each of these along each axis ..."""
MOTION_PX = 8.0
"""... drawn with this standard deviation ..."""
BLUR_PX = 100
"""... and is blurred by a box of this side."""
SHIFT_PX = 10
"""All of it moves by a whole number of pixels up to this, along each axis."""
NOISE = 0.001
"""Least standard deviation of the noise, in pictures from -1 to 1; the largest is twice that."""


def draw_flow(batch: int, height: int, width: int) -> Tensor:
    """A flow for each picture: (batch, 2, height, width) float32 pixels to the right and down, on the CPU.

    Draws from torch's global generator, whatever device the pictures are on.
    """
    scale = min(height, width) / REFERENCE_PX
    rows, columns = (max(1, int(side / (CELL_PX * scale))) for side in (height, width))
    coarse = scale * MOTION_PX * torch.randn(batch, 2, rows, columns)
    shift = scale * torch.randint(-SHIFT_PX, SHIFT_PX + 1, (batch, 2, 1, 1))
    flow = nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False) + shift
    return _box_blur(flow, max(1, round(scale * BLUR_PX)))


def draw_noise(batch: int, height: int, width: int) -> Tensor:
    """Gaussian noise for each picture, of a strength drawn for it: (batch, 3, height, width) float32 on the CPU.

    Draws from torch's global generator.
    """
    deviation = NOISE * (1 + torch.rand(batch, 1, 1, 1))
    return deviation * torch.randn(batch, 3, height, width)


def warp(pictures: Tensor, flow: Tensor) -> Tensor:
    """Pictures (N, C, H, W) moved by a flow (N, 2, H, W) in pixels to the right and down: out(p) = in(p - flow(p)).

    Bilinear; what comes in from outside is the pixel at the border, as in the authors' code. Unlike there, a flow of 0
    changes nothing (their grid and PyTorch's default disagree by up to half a pixel). Float32 at least.

    >>> row = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    >>> warp(row, torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4))  # a pixel to the right
    tensor([[[[1., 1., 2., 3.]]]])
    """
    dtype = torch.promote_types(pictures.dtype, torch.float32)  # bfloat16 could not tell pixel 300 from 301
    height, width = pictures.shape[-2:]
    x = torch.arange(width, device=pictures.device, dtype=dtype) - flow[:, 0].to(dtype)
    y = torch.arange(height, device=pictures.device, dtype=dtype)[:, None] - flow[:, 1].to(dtype)
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    return nn.functional.grid_sample(
        pictures.to(dtype), grid, mode="bilinear", padding_mode="border", align_corners=True
    )


def _box_blur(flow: Tensor, side: int) -> Tensor:
    """Means over squares of `side` pixels, mirrored at the borders, as differences of running sums."""
    before, after = side // 2, (side - 1) // 2
    blurred = nn.functional.pad(flow, (before, after, before, after), mode="reflect").double()
    for axis in (2, 3):
        ends = blurred.cumsum(axis)
        starts = ends - blurred
        count = ends.shape[axis] - side + 1
        blurred = (ends.narrow(axis, side - 1, count) - starts.narrow(axis, 0, count)) / side
    return blurred.to(flow.dtype)
