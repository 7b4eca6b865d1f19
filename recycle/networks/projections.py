"""Vectors that patches of two pictures are compared by: out of the maps that a generator has of each on its way.

Park et al., ECCV 2020, section 3.1 and appendix C: the pixels, what each halving makes, and what the first and the
fifth of nine residual blocks make; on each a head of two layers of 256 units, its output of unit length.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recycle.config import NetworkConfig
from recycle.networks.layers import PICTURE_CHANNELS, initialise
from recycle.networks.networks import ResidualBlock, ResNetGenerator

SMALLEST_PX = 8
"""Side of a picture that a generator is asked with how many channels it has."""
WIDTH = 256
"""Units of each layer, and length of a vector."""


class PatchProjections(nn.Module):
    """One head for each feature map. Maps are (N, C, h, w), vectors (N, P, WIDTH) float32 at least, of length 1."""

    def __init__(self, generator: ResNetGenerator, config: NetworkConfig) -> None:
        """For the maps that `seen` gives of that generator."""
        super().__init__()
        with torch.no_grad():
            _, maps = seen(generator, torch.zeros(1, PICTURE_CHANNELS, SMALLEST_PX, SMALLEST_PX), whole=False)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(each.shape[1], WIDTH), nn.ReLU(inplace=True), nn.Linear(WIDTH, WIDTH))
            for each in maps
        )
        initialise(self, config.init, config.init_gain)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """places: of each map, some of its h * w places, counted row by row."""
        vectors = []
        for head, features, chosen in zip(self.heads, maps, places, strict=True):
            found = head(features.flatten(2)[..., chosen].transpose(1, 2))
            precise = found.to(torch.promote_types(found.dtype, torch.float32))
            vectors.append(nn.functional.normalize(precise, dim=-1, eps=1e-7))
        return vectors


def seen(generator: ResNetGenerator, pictures: Tensor, whole: bool = True) -> tuple[Tensor, list[Tensor]]:
    """The translation of pictures, and the maps of them on the way to it, each before its norm.

    whole: without it the layers after the last of these are left out, and the last map stands for the translation. The
    middle block is taken for the fifth of nine.
    """
    convolutions = [place for place, layer in enumerate(generator.model) if isinstance(layer, nn.Conv2d)]
    blocks = [place for place, layer in enumerate(generator.model) if isinstance(layer, ResidualBlock)]
    wanted = {0, *convolutions[1:3], *blocks[:1], *blocks[len(blocks) // 2 :][:1]}
    maps, made = [], pictures
    for place, made in enumerate(generator.walk(pictures)):
        if place in wanted:
            maps.append(made)
        if not whole and place == max(wanted):
            break
    return made, maps


def draw_places(maps: Sequence[Tensor], count: int) -> list[Tensor]:
    """At most `count` places of each map, none twice, the same in all pictures: drawn on the device of the map, by its
    global generator."""
    return [torch.randperm(each.shape[-2] * each.shape[-1], device=each.device)[:count] for each in maps]
