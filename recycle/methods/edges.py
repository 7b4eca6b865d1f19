"""Pictures whose edges are smoothed away and nothing else: the third kind that CartoonGAN's discriminator sees.

Chen et al., CVPR 2018, section 3.2: edges are found (Canny 1986), made wider, and smoothed by a Gaussian there alone.
The paper gives no numbers; these are what its reproductions commonly use at 256 px. Written in tensor operations, so
that a GPU does it and waits for nothing; a test holds it against OpenCV's Canny.
"""

import torch
from torch import Tensor, nn

CANNY = (100, 200)
"""Lower and upper threshold of the brightness gradient, |x| + |y|, for 8-bit brightness and a 3x3 Sobel."""
REACH_PX = 64
"""A weak edge counts as far as this along it from a strong one. Canny's own has no end, and so no fixed cost."""
WIDTH_PX = 5
"""Side of the square that edges are dilated by, and of the Gaussian: weights 1 4 6 4 1 of 16 along each axis."""
_GREY = (9798, 19235, 3735)
"""Red, green and blue in brightness, in parts of 2¹⁵, as OpenCV has them."""
_GAUSSIAN = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
_TANGENT = 13573
"""Of 22.5°, in parts of 2¹⁵."""


def smooth_edges(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) float in [-1, 1], red, green, blue, to the same, of the same type and on the same device.

    Pixels that are not within reach of an edge keep every bit. Carries no gradient.

    A step from black to white becomes a slope of 4 px, and nothing else changes:

    >>> step = torch.tensor([-1.0] * 8 + [1.0] * 8).expand(1, 3, 16, 16)
    >>> smooth_edges(step)[0, 0, 8, 4:12].tolist()
    [-1.0, -1.0, -0.875, -0.375, 0.375, 0.875, 1.0, 1.0]
    """
    exact = pictures.detach().to(torch.promote_types(pictures.dtype, torch.float32))
    near = _widened(find_edges(exact), WIDTH_PX // 2)
    return torch.where(near, _blurred(exact), exact).to(pictures.dtype)


def find_edges(pictures: Tensor) -> Tensor:
    """Where pictures (N, 3, H, W) in [-1, 1] have edges: (N, 1, H, W) bool."""
    right, down = _gradient(_brightness(pictures))
    strength = right.abs() + down.abs()
    low, high = CANNY
    ridge = (strength > low) & _ridge(right, down, strength)
    edges = ridge & (strength > high)
    for _ in range(REACH_PX):
        edges = _widened(edges, 1) & ridge
    return edges


def _widened(mask: Tensor, by: int) -> Tensor:
    """A bool mask (..., H, W), and all within `by` pixels of it along both axes."""
    for axis in (-1, -2):
        side = mask.shape[axis]
        padded = nn.functional.pad(mask, (by, by, 0, 0) if axis == -1 else (0, 0, by, by))
        mask = padded.narrow(axis, 0, side)
        for start in range(1, 2 * by + 1):
            mask = mask | padded.narrow(axis, start, side)
    return mask


def _brightness(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) in [-1, 1] as whole numbers from 0 to 255 (N, 1, H, W), float32."""
    levels = ((pictures.clamp(-1, 1) + 1) * 127.5).round().int()
    red, green, blue = (weight * levels[:, i : i + 1] for i, weight in enumerate(_GREY))
    return ((red + green + blue + (1 << 14)) >> 15).float()


def _gradient(brightness: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel's, to the right and down, with the border's pixels going on outside."""
    padded = nn.functional.pad(brightness, (1, 1, 1, 1), mode="replicate")
    above, here, below = padded[..., :-2, :], padded[..., 1:-1, :], padded[..., 2:, :]
    rows, columns = above + 2 * here + below, below - above
    return rows[..., 2:] - rows[..., :-2], columns[..., :-2] + 2 * columns[..., 1:-1] + columns[..., 2:]


def _ridge(right: Tensor, down: Tensor, strength: Tensor) -> Tensor:
    """Where the gradient is strongest among its two neighbours in its own direction, of four."""
    padded = nn.functional.pad(strength, (1, 1, 1, 1))
    height, width = strength.shape[-2:]

    def beside(y: int, x: int) -> Tensor:
        return padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width]

    across, along = right.abs().int(), down.abs().int() << 15
    flat, steep = across * _TANGENT, across * (_TANGENT + (1 << 16))
    level = (strength > beside(0, -1)) & (strength >= beside(0, 1))
    upright = (strength > beside(-1, 0)) & (strength >= beside(1, 0))
    falling = (strength > beside(-1, -1)) & (strength > beside(1, 1))
    rising = (strength > beside(-1, 1)) & (strength > beside(1, -1))
    slanted = torch.where((right < 0) != (down < 0), rising, falling)
    return torch.where(along < flat, level, torch.where(along > steep, upright, slanted))


def _blurred(pictures: Tensor) -> Tensor:
    """By the Gaussian, mirrored at the borders."""
    height, width = pictures.shape[-2:]
    padded = nn.functional.pad(pictures, (WIDTH_PX // 2,) * 4, mode="reflect")
    rows = sum(weight * padded[..., i : i + height, :] for i, weight in enumerate(_GAUSSIAN))
    assert isinstance(rows, Tensor)
    blurred = sum(weight * rows[..., i : i + width] for i, weight in enumerate(_GAUSSIAN))
    assert isinstance(blurred, Tensor)
    return blurred
