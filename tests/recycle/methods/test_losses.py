import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recycle.methods import losses
from recycle.methods.losses import ADVERSARIAL

floats = st.floats(-10, 10)
scores = st.lists(floats, min_size=1, max_size=20)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# As in the papers: for a generator over its fakes, for a discriminator over real pictures and over fakes.
FORMULAS = {
    "lsgan": (
        lambda f: np.mean((f - 1) ** 2),
        lambda r: np.mean((r - 1) ** 2) / 2,
        lambda f: np.mean(f**2) / 2,
    ),
    "vanilla": (
        lambda f: np.mean(-np.log(sigmoid(f))),
        lambda r: np.mean(-np.log(sigmoid(r))) / 2,
        lambda f: np.mean(-np.log(1 - sigmoid(f))) / 2,
    ),
    "hinge": (
        lambda f: -np.mean(f),
        lambda r: -np.mean(np.minimum(0, -1 + r)),
        lambda f: -np.mean(np.minimum(0, -1 - f)),
    ),
    "wasserstein": (lambda f: -np.mean(f), lambda r: -np.mean(r), lambda f: np.mean(f)),
}


@pytest.mark.parametrize("kind", FORMULAS)
@settings(deadline=None)
@given(values=scores)
def test_adversarial_losses_equal_their_formulas(kind, values):
    x = torch.tensor(values, dtype=torch.float64)
    for ours, formula in zip(ADVERSARIAL[kind], FORMULAS[kind], strict=True):
        assert ours(x).item() == pytest.approx(formula(np.array(values)), rel=1e-9, abs=1e-12)


def test_every_adversarial_loss_has_its_formula():
    assert FORMULAS.keys() == ADVERSARIAL.keys()


@pytest.mark.parametrize("kind", FORMULAS)
def test_polarity(kind):
    """A generator wants high scores for its fakes; a discriminator high ones for real pictures, low ones for fakes."""
    loss = ADVERSARIAL[kind]
    for minimised, sign in ((loss.generator, -1), (loss.real, -1), (loss.fake, 1)):
        x = torch.full((4,), 0.3, requires_grad=True)
        minimised(x).backward()
        assert (x.grad * sign > 0).all()


@pytest.mark.parametrize("kind", ["vanilla", "hinge"])
@pytest.mark.parametrize("certain", [-200.0, 200.0])
def test_certain_scores_stay_finite(kind, certain):
    """The logarithm of a sigmoid that has rounded to 0 would be infinite, and its gradient not a number."""
    for minimised in ADVERSARIAL[kind]:
        x = torch.full((3,), certain, requires_grad=True)
        loss = minimised(x)
        loss.backward()
        assert loss.isfinite() and x.grad.isfinite().all()


def test_l1_of_equal_pictures_is_zero_and_else_the_mean_distance():
    x, y = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    assert losses.l1(x, x) == 0
    assert losses.l1(x, y).item() == pytest.approx(np.abs(x.numpy() - y.numpy()).mean(), rel=1e-6)


def test_low_precision_is_summed_in_float32():
    """A mean over many bfloat16 numbers would stop growing or round to 3 digits."""
    x = torch.full((100_000,), 0.3, dtype=torch.bfloat16)
    assert losses.l1(x, torch.zeros_like(x)).dtype == torch.float32
    assert losses.l1(x, torch.zeros_like(x)).item() == pytest.approx(x[0].item(), rel=1e-6)
    for kind, formulas in FORMULAS.items():
        for ours, formula in zip(ADVERSARIAL[kind], formulas, strict=True):
            assert ours(x).dtype == torch.float32
            assert ours(x).item() == pytest.approx(formula(x.double().numpy()), rel=1e-6)
