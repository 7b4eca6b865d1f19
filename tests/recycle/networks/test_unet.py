"""How deep U-Nets are, and what fits them."""

from dataclasses import replace

import pytest
import torch

from recycle.networks.networks import build_generator, build_predictor, smallest_side
from tests.recycle.networks.small import SMALL


@pytest.mark.parametrize("predictor", ["unet", "two_view"])
@pytest.mark.parametrize("size", [32, 36, 48, 60, 64, 100, 128])
def test_predictor_fits_every_multiple_of_4(size, predictor):
    network = build_predictor(replace(SMALL, size=size, predictor=predictor, predictor_filters=1))
    widths = [size, size + 4, 3 * size]
    for width in widths[: 3 if predictor == "unet" else 2]:
        assert network(torch.rand(1, 6, size, width)).shape == (1, 3, size, width)


@pytest.mark.parametrize(
    ("build", "changes"),
    [
        (build_predictor, {"predictor": "unet"}),
        (build_predictor, {"predictor": "two_view", "predictor_filters": 1}),
        (build_generator, {"generator": "unet"}),
    ],
)
def test_what_is_as_deep_as_the_size_fits_every_size_of_a_growing_run(build, changes):
    growing = replace(SMALL, size=128, grow=32, **changes)
    network, depth = build(growing), build(replace(growing, size=32, grow=None))
    assert network.state_dict().keys() == depth.state_dict().keys()
    for side in (32, 64, 128):
        assert network(torch.rand(1, 6 if build is build_predictor else 3, side, side)).shape == (1, 3, side, side)
    assert smallest_side(growing) == smallest_side(replace(growing, size=32, grow=None))
