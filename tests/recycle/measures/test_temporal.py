"""Optical flow and the measures over time, against SciPy and against movements that are known."""

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from recycle.measures.optical_flow import Dis, Raft, fetched, load_raft, visible
from recycle.measures.temporal import LONGEST_DELAY, Delay, Flicker, end_point_error, warp_error
from recycle.networks.pretrained import WeightsError
from tests.vgg import torchvision_or_skip


def texture(seed: int = 0, side: int = 64) -> np.ndarray:
    """(side, side, 3) uint8, soft spots all over."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side, 3)), (2, 2, 0))
    return np.clip(128 + 60 * noise / noise.std(), 0, 255).astype(np.uint8)


def smooth_flow(seed: int, shape: tuple[int, int] = (20, 24), size: float = 3.0) -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(*shape, 2)), (3, 3, 0))
    return (size * noise / noise.std()).astype(np.float32)


def test_fetching_along_a_flow_is_interpolation_at_the_targets() -> None:
    second, flow = np.random.default_rng(0).random((20, 24, 3)).astype(np.float32), smooth_flow(1)
    y, x = np.mgrid[:20, :24].astype(float)
    targets = [y + flow[..., 1], x + flow[..., 0]]
    wanted = np.stack([map_coordinates(second[..., c], targets, order=1, mode="nearest") for c in range(3)], axis=-1)
    np.testing.assert_allclose(fetched(second, flow), wanted, atol=0.02)  # OpenCV places to 1/32 px
    assert np.array_equal(fetched(second, np.zeros_like(flow)), second)


def test_the_flow_finds_a_shift() -> None:
    large = texture(side=80)
    first, second = large[4:68, 4:68], large[2:66, 3:67]
    flow = Dis()(first, second)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), [1, 2], atol=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (3, 300), (12, 17)])
def test_the_flow_takes_pictures_of_any_size(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    flow = Dis()(picture, picture)
    assert flow.shape == (*shape, 2) and not flow.any()
    assert visible(flow, flow).all()


def test_what_is_covered_or_leaves_the_picture_is_not_visible() -> None:
    """A square moves 6 px to the right over a still ground: what it will hide and its own edges are left out."""
    forward, backward = np.zeros((40, 60, 2), np.float32), np.zeros((40, 60, 2), np.float32)
    forward[10:30, 20:40, 0] = 6
    backward[10:30, 26:46, 0] = -6
    seen = visible(forward, backward)
    assert not seen[11:29, 41:45].any(), "the ground that it will hide"
    assert seen[12:28, 22:38].all(), "the square itself"
    assert seen[:8].all() and seen[32:].all() and seen[:, :18].all(), "the rest of the ground"
    assert not seen[11:29, 39].any() and not seen[11:29, 20].any(), "the edge of the motion"
    away = np.full((10, 12, 2), (5, 0), np.float32)
    assert np.array_equal(visible(away, -away), np.broadcast_to(np.arange(12) < 7, (10, 12)))


def test_small_disagreement_between_there_and_back_is_forgiven() -> None:
    """Sundaram et al.: |w + ŵ|² up to 0.01 (|w|² + |ŵ|²) + 0.5."""
    forward = np.zeros((9, 9, 2), np.float32)
    for there, back, agrees in ((0, 0.7, True), (0, 0.72, False), (3, -3.85, True), (3, -3.87, False)):
        forward[..., 0] = there
        backward = np.full_like(forward, (back, 0))
        assert visible(forward, backward)[4, 4] == agrees, (there, back)


def test_the_warp_error_is_the_mean_square_where_seen() -> None:
    first, second, flow = texture(0)[:20, :24], texture(1)[:20, :24], smooth_flow(2)
    seen = np.random.default_rng(3).random((20, 24)) < 0.5
    y, x = np.mgrid[:20, :24].astype(float)
    targets = [y + flow[..., 1], x + flow[..., 0]]
    total = 0.0
    for c in range(3):
        there = map_coordinates(second[..., c] / 255, targets, order=1, mode="nearest")
        total += ((there - first[..., c] / 255) ** 2)[seen].sum()
    assert warp_error(first, second, flow, seen) == pytest.approx(total / (3 * seen.sum()), rel=0.02)
    assert warp_error(first, second, flow, np.zeros_like(seen)) is None
    moved = np.roll(first, 2, axis=1)
    inside = np.broadcast_to(np.arange(24) < 20, (20, 24))
    assert warp_error(first, moved, np.full((20, 24, 2), (2, 0), np.float32), inside) == 0


def test_the_end_point_error_is_a_mean_length() -> None:
    flow, other = smooth_flow(0), smooth_flow(1)
    difference = (flow - other).astype(float)
    assert end_point_error(flow, other) == pytest.approx(np.hypot(difference[..., 0], difference[..., 1]).mean())
    assert end_point_error(flow, flow) == 0


def delay_between(source: list[np.ndarray], result: list[np.ndarray]) -> int | None:
    delay = Delay()
    for one, other in zip(source, result, strict=True):
        delay.add(one, other)
    return delay.frames


@pytest.mark.parametrize("frames", [-2, 0, 1, LONGEST_DELAY])
def test_a_delay_is_found_to_the_frame(frames: int) -> None:
    """A result that moves much as the source does, and so many frames later."""
    flows = [smooth_flow(seed) for seed in range(50)]
    beyond = LONGEST_DELAY
    kept = range(beyond, len(flows) - beyond)
    result = [flows[t - frames] + 1.5 * smooth_flow(100 + t) for t in kept]
    assert delay_between([flows[t] for t in kept], result) == frames


def slow_flow(t: int, size: tuple[int, int] = (20, 24)) -> np.ndarray:
    """What it holds at frame t looks much the same a frame later."""
    key, part = divmod(t, 10)
    return (1 - part / 10) * smooth_flow(key, size) + part / 10 * smooth_flow(key + 1, size)


@pytest.mark.parametrize("size", [(20, 24), (90, 120)])
def test_a_delay_of_slow_motion_is_found_to_the_frame(size: tuple[int, int]) -> None:
    source = [slow_flow(t, size) for t in range(1, 46)]
    result = [slow_flow(t, size) + smooth_flow(100 + t, size) for t in range(45)]
    assert delay_between(source, result) == 1


def test_no_delay_is_told_of_what_does_not_follow() -> None:
    moving = [smooth_flow(t) for t in range(50)]
    even = [moving[0] + 0.1 * flow for flow in moving]
    still = [np.zeros_like(flow) for flow in moving]
    jerky = [flow + np.float32(np.random.default_rng(t).normal(0, 9, 2)) for t, flow in enumerate(moving)]
    assert delay_between(moving, still) is None
    assert delay_between(moving, [smooth_flow(100 + t) for t in range(50)]) is None, "moves otherwise"
    assert delay_between(even, [moving[0] + 0.1 * smooth_flow(100 + t) for t in range(50)]) is None, "the same always"
    assert delay_between(moving, jerky) is None, "most of its motion is its own"
    assert delay_between(moving[:25], moving[:25]) is None, "too short"
    slow, later = [slow_flow(t) for t in range(60)], LONGEST_DELAY + 3
    assert delay_between(slow[later:], slow[:-later]) is None, "later than is looked for"


def test_a_cut_separates_what_a_delay_compares() -> None:
    """Each shot is too short to compare anything; together they would be long enough."""
    delay = Delay()
    for t in range(90):
        if t % (2 * LONGEST_DELAY) == 0:
            delay.cut()
        delay.add(smooth_flow(t), smooth_flow(t))
    assert delay.frames is None


def half_still(frames: int) -> list[np.ndarray]:
    """The left half stands still, on the right a texture moves by 2 px a frame."""
    still, moving = texture(0), texture(1)
    return [np.concatenate([still[:, :32], np.roll(moving, 2 * t, axis=1)[:, :32]], axis=1) for t in range(frames)]


def flickers(source: list[np.ndarray], result: list[np.ndarray]) -> list[float | None]:
    flow = np.zeros((64, 64, 2), np.float32)
    flow[:, 32:, 0] = 2
    flicker = Flicker()
    return [flicker.add(s, r, flow if t else None) for t, (s, r) in enumerate(zip(source, result, strict=True))]


def test_flicker_is_counted_where_the_source_stands_still() -> None:
    source = half_still(8)
    result = [texture(seed + 50) for seed in range(8)]
    found = flickers(source, result)
    assert found[:4] == [None] * 4
    for t in range(4, 8):
        before, now, after = (result[t - back].astype(float) for back in (3, 2, 1))
        change = np.abs(now - (before + after) / 2)
        # 2 px for the margin and 2 for the source's own blur, in which the moving half shows beyond its edge
        assert found[t] == pytest.approx(change[:, :28].mean())


def test_three_grey_levels_are_three_and_drift_is_none() -> None:
    source, ground = half_still(9), texture(5)[..., :] // 2
    assert flickers(source, [ground + np.uint8(3 * (t % 2)) for t in range(9)])[4:] == pytest.approx([3] * 5)
    assert flickers(source, [ground + np.uint8(2 * t) for t in range(9)])[4:] == pytest.approx([0] * 5)


def test_noise_of_the_camera_still_stands_still_and_motion_does_not() -> None:
    noise = np.random.default_rng(0)
    noisy = [np.clip(f + noise.normal(0, 2, f.shape), 0, 255).astype(np.uint8) for f in half_still(6)]
    result = [np.full((64, 64, 3), 90, np.uint8)] * 6
    assert flickers(noisy, result)[4:] == [0, 0]
    moving = [np.roll(texture(1), 2 * t, axis=1) for t in range(6)]
    flicker = Flicker()
    flow = np.full((64, 64, 2), (2, 0), np.float32)
    found = [flicker.add(s, r, flow if t else None) for t, (s, r) in enumerate(zip(moving, result, strict=True))]
    assert found == [None] * 6


def test_a_cut_is_no_flicker() -> None:
    source, flicker = half_still(12), Flicker()
    flow = np.zeros((64, 64, 2), np.float32)
    found = []
    for t, frame in enumerate(source):
        if t == 6:
            flicker.cut()
        picture = np.full((64, 64, 3), 40 if t < 6 else 200, np.uint8)
        found.append(flicker.add(frame, picture, flow if t % 6 else None))
    assert [value for value in found if value is not None] == [0] * 4


def test_raft_takes_any_size_and_gives_pixels_of_that_size(tmp_path) -> None:
    torchvision_or_skip()
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    network = raft_small(weights=None)
    torch.save(network.state_dict(), tmp_path / "raft.pth")
    raft = load_raft(tmp_path / "raft.pth")
    first, second = texture(0)[:, :40], texture(1)[:, :40]
    flow = raft(first, second)
    assert flow.shape == (64, 40, 2) and flow.dtype == np.float32
    grown = [cv2.resize(f, (128, 205)) for f in (first, second)]
    padded = [np.pad(f, ((0, 3), (0, 0), (0, 0)), mode="edge") for f in grown]
    pictures = [torch.from_numpy(f).permute(2, 0, 1)[None].float() / 127.5 - 1 for f in padded]
    with torch.inference_mode():
        wanted = network.eval()(*pictures)[-1][0, :, :205].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(flow, cv2.resize(wanted, (40, 64)) / [128 / 40, 205 / 64], rtol=1e-4, atol=1e-4)


def test_raft_is_measured_in_pixels_of_the_frame() -> None:
    """A network that sees all move by 8 px of what it is shown."""

    class Eight(torch.nn.Module):
        def forward(self, first, second):
            return [torch.full((1, 2, *first.shape[-2:]), 8.0)]

    flow = Raft(Eight())(texture(0), texture(1))
    np.testing.assert_allclose(flow, np.full((64, 64, 2), 4), rtol=1e-6)


def test_weights_of_another_network_are_one_line(tmp_path) -> None:
    torchvision_or_skip()
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("hello")
    for name, said in (("other.pth", "another network"), ("text.pth", "not a file of weights"), ("no.pth", "no such")):
        with pytest.raises(WeightsError, match=said) as caught:
            load_raft(tmp_path / name)
        assert "\n" not in str(caught.value)
