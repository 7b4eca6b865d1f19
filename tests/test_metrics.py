"""PSNR against its definition."""

import math

import numpy as np
import pytest
import skimage.metrics

from recycle.metrics import psnr


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
