import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation, convolve1d

from recycle.methods.edges import find_edges, smooth_edges


def cartoon(dtype=torch.float32) -> torch.Tensor:
    """Two pictures (2, 3, 48, 64): faint texture, and in the first a bright box whose left side is column 20."""
    x = 0.02 * torch.randn(2, 3, 48, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[0, :, 10:, 20:44] += 0.9
    return x.to(dtype)


def test_only_the_surroundings_of_edges_change_and_there_by_a_gaussian():
    x = cartoon(torch.float64)
    smoothed = smooth_edges(x)
    eight_bits = np.rint((x[0].permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)
    edges = cv2.Canny(cv2.cvtColor(eight_bits, cv2.COLOR_RGB2GRAY), 100, 200) > 0
    near = binary_dilation(edges, np.ones((5, 5)))
    assert 0.05 < near.mean() < 0.4
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    blurred = convolve1d(convolve1d(x[0].numpy(), kernel, axis=1, mode="mirror"), kernel, axis=2, mode="mirror")
    np.testing.assert_allclose(smoothed[0].numpy()[:, near], blurred[:, near], atol=1e-12)
    assert np.array_equal(smoothed[0].numpy()[:, ~near], x[0].numpy()[:, ~near])
    assert torch.equal(smoothed[1], x[1])


@pytest.mark.parametrize("sigma", [0, 1, 2, 3])
def test_edges_are_those_that_opencv_finds(sigma):
    """In noise, coarse and fine, where every direction and strength of an edge and every way along it occurs."""
    draw = np.random.default_rng(sigma)
    noise = draw.random((90, 120, 3), np.float32)
    if sigma:
        noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    levels = np.rint(np.interp(noise, (noise.min(), noise.max()), (0, 255))).astype(np.uint8)
    expected = cv2.Canny(cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY), 100, 200) > 0
    found = find_edges(torch.from_numpy(levels).permute(2, 0, 1)[None] / 127.5 - 1)
    assert expected.sum() > 40
    assert np.array_equal(found[0, 0].numpy(), expected)


def test_a_drawn_edge_becomes_a_ramp():
    across = smooth_edges(cartoon())[0, 0, 24, 17:24]
    jumps = across.diff().abs()
    assert cartoon()[0, 0, 24, 17:24].diff().abs().max() > 0.8
    assert jumps.max() < 0.45
    assert (jumps > 0.1).sum() >= 3


def test_an_edge_that_only_colour_shows_is_found_as_brightness_sees_it():
    """Red, green and blue in this order: red is far brighter than blue."""
    x = -torch.ones(1, 3, 32, 32)
    for channel, found in ((0, True), (2, False)):
        y = x.clone()
        y[:, channel, :, 16:] = 1.0
        assert torch.equal(smooth_edges(y), y) != found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_type_and_range_stay_and_the_input_is_untouched(dtype):
    x = (3 * cartoon()).clamp(-1, 1).to(dtype).requires_grad_()
    before = x.detach().clone()
    smoothed = smooth_edges(x)
    assert smoothed.dtype == dtype
    assert not smoothed.requires_grad
    assert smoothed.abs().max() <= 1
    assert torch.equal(x, before)
    assert (smoothed != before).any()
