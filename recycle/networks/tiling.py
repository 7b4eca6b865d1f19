"""Pictures of any size through a network that takes only some sizes, and big ones through little memory."""

from collections.abc import Callable
from math import ceil, isqrt

import torch
from torch import Tensor

MULTIPLE = 4  # generators halve twice
SMALLEST_PX = 32  # the least side that networks are trained at


def translate_any_size(
    translate: Callable[[Tensor], Tensor],
    frames: Tensor,
    *,
    multiple: int = MULTIPLE,
    max_pixels: int = 1 << 20,
    overlap_px: int = 64,
    smallest_px: int = SMALLEST_PX,
) -> Tensor:
    """`translate` of frames (N, C, H, W) of any size, at their size.

    Sides are padded by reflection to a multiple of `multiple`, at least `smallest_px` pixels, and the result is
    cropped back; a size that fits goes through untouched. A picture of more than `max_pixels` is cut into tiles of at
    most so many that overlap by about `overlap_px` and are blended by smooth weights. InstanceNorm takes its statistics
    from all that the network is shown at once, so a tile comes out in slightly other tones than the same place of the
    whole picture: the overlap turns that into a slope without an edge, but a network trained on whole pictures does
    best with few tiles.

    `translate` takes and gives (N, C, h, w), h and w multiples of `multiple`. Raises ValueError where `max_pixels` is
    less than the smallest tile.
    """
    if max_pixels < smallest_px**2:
        raise ValueError(f"max_pixels {max_pixels}: has to be at least {smallest_px**2}")
    height, width = frames.shape[-2:]
    rows, columns = (_reflected(side, multiple, smallest_px) for side in (height, width))
    if len(rows) != height or len(columns) != width:
        frames = frames[
            ..., torch.tensor(rows, device=frames.device)[:, None], torch.tensor(columns, device=frames.device)
        ]
    result = _translate_tiles(translate, frames, multiple, max_pixels, overlap_px)
    top, left = (len(rows) - height) // 2, (len(columns) - width) // 2
    return result[..., top : top + height, left : left + width]


def _reflected(length: int, multiple: int, smallest_px: int) -> list[int]:
    """Source index of each pixel of a side padded at both ends; reflection goes to and fro where the side is short."""
    padded = max(ceil(length / multiple), ceil(smallest_px / multiple)) * multiple
    before, last = (padded - length) // 2, length - 1
    if last == 0:
        return [0] * padded
    return [last - abs((i - before) % (2 * last) - last) for i in range(padded)]


def _translate_tiles(
    translate: Callable[[Tensor], Tensor], frames: Tensor, multiple: int, max_pixels: int, overlap_px: int
) -> Tensor:
    height, width = frames.shape[-2:]
    if height * width <= max_pixels:
        return translate(frames)
    overlap_px = min(overlap_px, isqrt(max_pixels) // 4)
    rows = columns = 1
    tile_height, tile_width = height, width
    while tile_height * tile_width > max_pixels:
        if tile_height > tile_width:
            rows += 1
            tile_height = _tile_side(height, rows, multiple, overlap_px)
        else:
            columns += 1
            tile_width = _tile_side(width, columns, multiple, overlap_px)
    tops, lefts = _starts(height, tile_height, rows, multiple), _starts(width, tile_width, columns, multiple)
    total: Tensor | None = None
    weight = torch.zeros(height, width, device=frames.device)
    for top, top_weights in zip(tops, _weights(tops, tile_height), strict=True):
        for left, left_weights in zip(lefts, _weights(lefts, tile_width), strict=True):
            place = (..., slice(top, top + tile_height), slice(left, left + tile_width))
            tile = translate(frames[place])
            if total is None:
                total = tile.new_zeros(*tile.shape[:-2], height, width, dtype=torch.float32)
            tile_weight = torch.outer(top_weights, left_weights).to(frames.device)
            total[place] += tile * tile_weight
            weight[place] += tile_weight
    assert total is not None
    return (total / weight).to(frames.dtype)


def _tile_side(length: int, count: int, multiple: int, overlap_px: int) -> int:
    """Side of `count` tiles that cover `length` with overlaps, up to the next multiple."""
    return ceil((length + (count - 1) * overlap_px) / (count * multiple)) * multiple


def _starts(length: int, tile: int, count: int, multiple: int) -> list[int]:
    """First pixels, at multiples of `multiple`, of tiles spread evenly from end to end."""
    return [(length - tile) * number // max(count - 1, 1) // multiple * multiple for number in range(count)]


def _weights(starts: list[int], tile: int) -> list[Tensor]:
    """For each tile its weights along one side (tile,): half a cosine over overlaps with neighbours, 1 elsewhere."""
    result = []
    for number, start in enumerate(starts):
        weights = torch.ones(tile)
        for neighbour, at_start in ((number - 1, True), (number + 1, False)):
            if 0 <= neighbour < len(starts):
                overlap = tile - abs(starts[neighbour] - start)
                ramp = 0.5 - 0.5 * torch.cos(torch.pi * (torch.arange(overlap) + 0.5) / overlap)
                if at_start:
                    weights[:overlap] *= ramp
                else:
                    weights[tile - overlap :] *= ramp.flip(0)
        result.append(weights)
    return result
