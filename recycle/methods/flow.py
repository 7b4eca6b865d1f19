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


def draw_flow(batch: int, height: int, width: int, device: torch.device | str = "cpu") -> Tensor:
    """A flow for each picture: (batch, 2, height, width) float32 pixels to the right and down, drawn on `device`.

    Draws from that device's global generator, so that a GPU waits for nothing; growing and blurring are one matrix an
    axis.
    """
    scale = min(height, width) / REFERENCE_PX
    cells = [max(1, int(side / (CELL_PX * scale))) for side in (height, width)]
    coarse = scale * MOTION_PX * torch.randn(batch, 2, *cells, device=device)
    shift = scale * torch.randint(-SHIFT_PX, SHIFT_PX + 1, (batch, 2, 1, 1), device=device)
    blur_px = max(1, round(scale * BLUR_PX))
    down, right = (
        _grown_and_blurred(some, side, blur_px, device) for some, side in zip(cells, (height, width), strict=True)
    )
    with torch.autocast(coarse.device.type, enabled=False):
        return down @ coarse @ right.T + shift


def draw_noise(batch: int, height: int, width: int, device: torch.device | str = "cpu") -> Tensor:
    """Gaussian noise for each picture, of a strength drawn for it: (batch, 3, height, width) float32 on `device`.

    Draws from that device's global generator.
    """
    deviation = NOISE * (1 + torch.rand(batch, 1, 1, 1, device=device))
    return deviation * torch.randn(batch, 3, height, width, device=device)


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


def _grown_and_blurred(cells: int, side: int, blur_px: int, device: torch.device | str) -> Tensor:
    """(side, cells) float32: what bilinear growth from `cells` values to `side` and means over `blur_px` of those,
    mirrored at the borders, make of each value along one axis. Both are linear and treat the axes apart."""
    before, after = blur_px // 2, (blur_px - 1) // 2
    grown = nn.functional.interpolate(torch.eye(cells, device=device)[None], side, mode="linear", align_corners=False)
    return nn.functional.avg_pool1d(nn.functional.pad(grown, (before, after), mode="reflect"), blur_px, stride=1)[0].T
