"""Distances between sets of pictures against literal sums and SciPy, and what the description sees."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from skimage.color import rgb2lab

from recycle.measures.distribution import (
    COLOUR,
    DIRECTIONS,
    EDGES,
    LIGHT,
    MOST_PICTURES,
    Sample,
    describe,
    frechet_distance,
    kernel_distance,
)
from recycle.networks.inception import load_inception
from tests.vgg import torchvision_or_skip


def rows(seed: int, count: int, size: int = 12, shift: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(shift, 1, (count, size)) @ generator.normal(0, 0.5, (size, size)) + shift


def test_the_kernel_distance_is_its_formula_written_out() -> None:
    x, y = rows(0, 7), rows(1, 5, shift=0.5)

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    same_x = sum(k(x[i], x[j]) for i in range(7) for j in range(7) if i != j) / (7 * 6)
    same_y = sum(k(y[i], y[j]) for i in range(5) for j in range(5) if i != j) / (5 * 4)
    apart = sum(k(a, b) for a in x for b in y) / (7 * 5)
    assert kernel_distance(x, y) == pytest.approx(same_x + same_y - 2 * apart, rel=1e-10)


def test_the_kernel_distance_of_one_distribution_is_nothing_on_average() -> None:
    generator = np.random.default_rng(2)
    found = [kernel_distance(*generator.normal(0, 1, (2, 20, 6))) for _ in range(200)]
    spread = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * spread
    assert min(found) < 0, "unbiased, so chance goes both ways"
    assert kernel_distance(generator.normal(0, 1, (20, 6)), generator.normal(1, 1, (20, 6))) > 20 * np.std(found)


@pytest.mark.parametrize(("n", "m"), [(60, 40), (7, 5)])
def test_the_frechet_distance_is_that_of_the_matrix_root(n: int, m: int) -> None:
    """Also where there are fewer rows than numbers in one, and the covariances have no inverse."""
    x, y = rows(3, n), rows(4, m, shift=0.3)
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = sqrtm(first.astype(complex) @ second).real
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-4)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_a_description_knows_colours_and_where_they_are() -> None:
    picture = np.full((64, 64, 3), (200, 40, 90), np.uint8)
    picture[:16, :16] = (20, 180, 60)
    described = describe(picture)
    assert described.shape == (480,)
    means, deviations = described[:48].reshape(4, 4, 3), described[48:96].reshape(4, 4, 3)
    for place, rgb in (((0, 0), (20, 180, 60)), ((3, 3), (200, 40, 90))):
        wanted = rgb2lab(np.array(rgb) / 255) * (LIGHT, COLOUR, COLOUR)
        np.testing.assert_allclose(means[place], wanted, atol=0.02)
    np.testing.assert_allclose(deviations, 0, atol=0.01)


def test_a_description_knows_edges_their_strength_and_their_direction() -> None:
    """Dark on the left, light on the right: direction 0, of the change of L over two pixels, at each of 3 scales."""
    picture = np.full((64, 64, 3), 60, np.uint8)
    picture[:, 40:] = 160
    scales = describe(picture)[96:].reshape(3, 4, 4, DIRECTIONS)
    step = float(np.diff(rgb2lab(np.full((1, 2, 3), [[[60], [160]]]) / 255)[0, :, 0])[0])
    for scale, (side, pixels) in enumerate(((16, 2), (8, 2), (4, 2))):
        np.testing.assert_allclose(scales[scale, :, 2, 0], EDGES * step * pixels / side, rtol=1e-3)
        np.testing.assert_allclose(np.delete(scales[scale, :, 2], 0, axis=-1), 0, atol=1e-9)
        np.testing.assert_allclose(np.delete(scales[scale], 2, axis=1), 0, atol=1e-6)
    turned = describe(np.ascontiguousarray(picture.transpose(1, 0, 2)))[96:].reshape(3, 4, 4, DIRECTIONS)
    np.testing.assert_allclose(turned[:, 2, :, 2], scales[:, :, 2, 0], rtol=1e-6)  # light below: a quarter further


def test_an_edge_between_two_directions_is_shared() -> None:
    y, x = np.mgrid[:64, :64]
    slope = np.clip(60 + 1.2 * (x + 0.4 * y), 0, 255)
    scale = describe(np.repeat(slope[..., None], 3, -1).astype(np.uint8))[96:224].reshape(4, 4, DIRECTIONS)[1, 1]
    place = np.arctan2(0.4, 1) / (2 * np.pi) * DIRECTIONS
    assert scale[1] / (scale[0] + scale[1]) == pytest.approx(place, abs=0.06)
    assert scale[:2].sum() > 20 * scale[2:].sum()


def test_only_the_middle_square_is_described() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 72, 3), dtype=np.uint8)
    changed = picture.copy()
    changed[:, :16] = changed[:, 56:] = 0
    assert np.array_equal(describe(picture), describe(changed))


@pytest.mark.parametrize("count", [3, MOST_PICTURES, MOST_PICTURES + 1, 5 * MOST_PICTURES // 2])
def test_a_sample_is_spread_evenly_however_long_the_clip(count: int) -> None:
    sample = Sample(lambda number: np.array([number, 0]))
    for number in range(count):
        sample.add(number)  # type: ignore[arg-type]
    kept = sample.rows[:, 0]
    step = -(-count // MOST_PICTURES)
    step = 1 << (step - 1).bit_length()
    assert np.array_equal(kept, np.arange(0, count, step))
    assert len(kept) <= MOST_PICTURES


def test_inception_gives_its_pooled_features(tmp_path) -> None:
    torchvision_or_skip()
    from torchvision import models

    torch.manual_seed(0)
    network = models.inception_v3(weights=None, transform_input=False, init_weights=False).eval()
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    picture = np.random.default_rng(0).integers(0, 256, (299, 299, 3), dtype=np.uint8)
    found = load_inception(tmp_path / "inception.pth")(picture)
    pooled: list[torch.Tensor] = []
    network.avgpool.register_forward_hook(lambda module, inputs, output: pooled.append(output))
    normalised = (picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.inference_mode():
        network(torch.from_numpy(normalised).float().permute(2, 0, 1)[None])
    assert found.shape == (2048,)
    np.testing.assert_allclose(found, pooled[0].flatten().numpy(), rtol=1e-3, atol=1e-5)
