"""PSNR, SSIM and correlation against their definitions."""

import math

import numpy as np
import pytest
import skimage.metrics
from scipy.ndimage import gaussian_filter

from recycle.measures.metrics import ClipPsnr, Correlation, absolute_error, psnr, ssim


def noisy_pair(seed: int = 0, shape: tuple[int, ...] = (24, 30, 3)) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = gaussian_filter(generator.uniform(0, 255, shape), (2, 2, 0)).astype(np.uint8)
    return np.clip(truth + generator.normal(0, 9, shape), 0, 255).astype(np.uint8), truth


def test_psnr_is_the_one_of_scikit_image() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)
    result = np.clip(truth + generator.normal(0, 9, truth.shape), 0, 255).astype(np.uint8)
    assert psnr(result, truth) == pytest.approx(skimage.metrics.peak_signal_noise_ratio(truth, result, data_range=255))


def test_a_perfect_result_is_infinitely_good_and_shapes_must_agree() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    assert psnr(picture, picture) == math.inf
    with pytest.raises(ValueError, match="one shape"):
        psnr(picture, picture[:2])


def test_the_psnr_of_a_clip_is_that_of_all_its_pixels() -> None:
    """And not the mean over frames, which one perfect frame would make infinite."""
    results, truths = zip(*(noisy_pair(seed) for seed in range(3)), strict=True)
    clip = ClipPsnr()
    for result, truth in zip(results, truths, strict=True):
        assert clip.add(result, truth) == psnr(result, truth)
    assert clip.add(truths[0], truths[0]) == math.inf
    assert clip.value == pytest.approx(psnr(np.stack([*results, truths[0]]), np.stack([*truths, truths[0]])))


def test_ssim_is_the_formula_of_its_paper() -> None:
    """Wang et al. 2004, eq. 13, written out with a Gaussian filter; without borders, where the window reaches out."""
    result, truth = noisy_pair()

    def blur(channels: np.ndarray) -> np.ndarray:
        return gaussian_filter(channels, (1.5, 1.5, 0), truncate=3.5)

    x, y = result.astype(float), truth.astype(float)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y, both = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2, blur(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    assert ssim(result, truth) == pytest.approx(similarity[5:-5, 5:-5].mean(), abs=1e-9)
    assert ssim(truth, truth) == 1
    assert ssim(result[:10], truth[:10]) is None


def test_the_absolute_error_is_in_grey_levels() -> None:
    result, truth = noisy_pair()
    assert absolute_error(result, truth) == pytest.approx(np.abs(result.astype(float) - truth).mean())


def test_correlation_kept_as_sums_is_that_of_all_pairs() -> None:
    generator = np.random.default_rng(1)
    first = generator.normal(50, 3, (7, 5, 2))
    second = 0.5 * first + generator.normal(0, 2, first.shape)
    kept = Correlation()
    for one, two in zip(first, second, strict=True):
        kept.add(one, two)
    assert kept.value == pytest.approx(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_there_is_no_correlation_with_what_never_changes() -> None:
    assert Correlation().value is None
    kept = Correlation()
    kept.add(np.arange(9.0), np.full(9, 0.1))
    assert kept.value is None
