import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recycle import losses

floats = st.floats(-10, 10)
scores = st.lists(floats, min_size=1, max_size=20)


@given(real=scores, fake=scores)
def test_least_squares_losses_equal_their_formulas(real, fake):
    r, f = torch.tensor(real, dtype=torch.float64), torch.tensor(fake, dtype=torch.float64)
    assert losses.lsgan_generator(f).item() == pytest.approx(np.mean((np.array(fake) - 1) ** 2))
    expected = (np.mean((np.array(real) - 1) ** 2) + np.mean(np.array(fake) ** 2)) / 2
    assert losses.lsgan_discriminator(r, f).item() == pytest.approx(expected)


def test_polarity():
    """Each side is content with what the other is not."""
    certain_real, certain_fake = torch.ones(4), torch.zeros(4)
    assert losses.lsgan_generator(certain_real) == 0 < losses.lsgan_generator(certain_fake)
    assert losses.lsgan_discriminator(certain_real, certain_fake) == 0
    assert losses.lsgan_discriminator(certain_fake, certain_real) == 1


def test_l1_of_equal_pictures_is_zero_and_else_the_mean_distance():
    x, y = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    assert losses.l1(x, x) == 0
    assert losses.l1(x, y).item() == pytest.approx(np.abs(x.numpy() - y.numpy()).mean(), rel=1e-6)


def test_low_precision_is_summed_in_float32():
    """A mean over many bfloat16 numbers would stop growing or round to 3 digits."""
    x = torch.full((100_000,), 0.3, dtype=torch.bfloat16)
    assert losses.l1(x, torch.zeros_like(x)).dtype == torch.float32
    assert losses.l1(x, torch.zeros_like(x)).item() == pytest.approx(x[0].item(), rel=1e-6)
    assert losses.lsgan_generator(x).item() == pytest.approx((x[0].item() - 1) ** 2, rel=1e-6)
