import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from recycle.methods.flow import draw_flow, draw_noise, warp


def pictures(height: int, width: int, dtype=torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, height, width, generator=generator, dtype=dtype) * 2 - 1


@pytest.mark.parametrize(("height", "width"), [(17, 23), (8, 40), (1, 9)])
def test_warp_samples_where_each_pixel_came_from(height, width):
    """Against SciPy; the flow reaches far outside, where the border goes on."""
    x = pictures(height, width)
    flow = 9 * torch.randn(2, 2, height, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    rows, columns = np.mgrid[:height, :width]
    expected = [
        [map_coordinates(plane, [rows - down, columns - right], order=1, mode="nearest") for plane in picture]
        for picture, (right, down) in zip(x.numpy(), flow.numpy(), strict=True)
    ]
    np.testing.assert_allclose(warp(x, flow).numpy(), expected, atol=1e-12)


def test_a_constant_flow_shifts_right_and_down_and_none_changes_nothing():
    x = pictures(12, 16)
    flow = torch.tensor([3.0, 2.0]).view(1, 2, 1, 1).expand(2, 2, 12, 16)
    torch.testing.assert_close(warp(x, flow)[..., 2:, 3:], x[..., :-2, :-3], atol=1e-12, rtol=0)
    torch.testing.assert_close(warp(x, 0 * flow), x, atol=1e-12, rtol=0)


def test_positions_are_exact_in_low_precision():
    x = pictures(4, 512, torch.bfloat16)
    flow = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(2, 2, 4, 512)
    moved = warp(x, flow)
    assert moved.dtype == torch.float32
    torch.testing.assert_close(moved[..., 1:], x.float()[..., :-1], atol=1e-3, rtol=0)


def test_gradients_lead_through_the_warp_to_the_pictures():
    x = pictures(5, 6).requires_grad_()
    flow = torch.randn(2, 2, 5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: warp(p, flow), (x,))


@pytest.mark.parametrize(("height", "width"), [(256, 256), (256, 512), (300, 256)])
def test_flow_is_drawn_as_the_authors_draw_it(height, width):
    """Their steps for a picture of their size, on the same numbers: resize, shift by whole pixels, blur."""
    torch.manual_seed(3)
    ours = draw_flow(2, height, width)
    torch.manual_seed(3)
    coarse = torch.randn(2, 2, height // 100, width // 100)
    shift = torch.randint(-10, 11, (2, 2, 1, 1))
    for i in range(2):
        flow = cv2.resize(8 * coarse[i].permute(1, 2, 0).numpy(), (width, height)) + shift[i, :, 0, 0].numpy()
        expected = cv2.blur(flow.astype(np.float32), (100, 100)).transpose(2, 0, 1)
        np.testing.assert_allclose(ours[i].numpy(), expected, atol=1e-4)


def test_flow_shrinks_with_the_picture():
    """The same draw at a quarter of the size: a quarter of the pixels, at the same places."""
    torch.manual_seed(0)
    large = draw_flow(3, 256, 256)
    torch.manual_seed(0)
    small = draw_flow(3, 64, 64)
    pooled = torch.nn.functional.avg_pool2d(large, 4) / 4
    torch.testing.assert_close(small, pooled, atol=0.05, rtol=0)


def test_flow_is_smooth_and_its_own_for_each_picture():
    torch.manual_seed(0)
    flow = draw_flow(50, 128, 128)
    assert flow.shape == (50, 2, 128, 128)
    assert flow.dtype == torch.float32
    steps = torch.cat([flow.diff(dim=2).flatten(), flow.diff(dim=3).flatten()]).abs()
    assert steps.max() < 0.5  # pixels from one pixel to the next: nothing folds over
    assert len({round(float(mean), 4) for mean in flow.mean((2, 3)).flatten()}) == 100
    # Whole pixels up to 5 either way, and nearly 4 more from the field.
    assert 2.5 < flow.mean((2, 3)).std() < 5.5


@pytest.mark.parametrize(("height", "width"), [(32, 32), (36, 52), (4, 8)])
def test_small_pictures_have_flow_too(height, width):
    assert draw_flow(1, height, width).shape == (1, 2, height, width)


def test_noise_has_a_strength_drawn_for_each_picture():
    torch.manual_seed(0)
    noise = draw_noise(200, 32, 32)
    strengths = noise.flatten(1).std(1)
    assert noise.shape == (200, 3, 32, 32)
    assert 0.00095 < strengths.min() < 0.0012
    assert 0.0018 < strengths.max() < 0.0021


def test_the_seed_decides():
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append((draw_flow(1, 32, 32), draw_noise(1, 32, 32)))
    assert all(torch.equal(first, again) for first, again in zip(draws[0], draws[1], strict=True))
    assert not any(torch.equal(first, other) for first, other in zip(draws[0], draws[2], strict=True))
