import copy
import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from recycle.networks.layers import InstanceNorm, NearestConvolution, SelfAttention, initialise, normalise_spectra
from recycle.training.ema import EMA

torch.set_num_threads(1)


def test_instance_norm_equals_pytorchs_and_its_gradient():
    x = (torch.randn(3, 5, 6, 7, dtype=torch.float64) * 3 + 2).requires_grad_()
    upstream = torch.randn_like(x)
    ours, theirs = InstanceNorm()(x), nn.InstanceNorm2d(5)(x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, x, upstream, retain_graph=True)[0], torch.autograd.grad(theirs, x, upstream)[0]
    )


def test_instance_norm_keeps_bfloat16_under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        assert InstanceNorm()(torch.randn(1, 4, 8, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16


def attention_written_out(layer: SelfAttention, x: np.ndarray) -> np.ndarray:
    """SAGAN section 3 for one picture (C, H, W), place by place."""
    w_g, w_f, w_h, w_v = (
        part.weight.detach().numpy()[..., 0, 0] for part in (layer.query, layer.key, layer.value, layer.output)
    )
    places = x.reshape(len(x), -1)  # x_1 ... x_N as columns
    result = np.empty_like(places)
    for j, x_j in enumerate(places.T):
        s = np.array([(w_f @ x_i) @ (w_g @ x_j) for x_i in places.T])
        beta = np.exp(s) / np.exp(s).sum()
        o_j = w_v @ sum(b * (w_h @ x_i) for b, x_i in zip(beta, places.T, strict=True))
        result[:, j] = layer.gamma.item() * o_j + x_j
    return result.reshape(x.shape)


@pytest.mark.parametrize("channels", [16, 4])
def test_attention_equals_its_formula(channels):
    torch.manual_seed(0)
    layer, x = SelfAttention(channels).double(), torch.randn(2, channels, 3, 5, dtype=torch.float64) * 2
    nn.init.constant_(layer.gamma, 0.7)
    expected = np.stack([attention_written_out(layer, picture) for picture in x.numpy()])
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-10)
    assert layer.query.out_channels == layer.key.out_channels == layer.value.out_channels == max(channels // 8, 1)


def test_attention_starts_as_the_identity_and_learns_from_there():
    layer, x = SelfAttention(8), torch.randn(1, 8, 4, 4)
    assert torch.equal(layer(x), x)
    layer(x).square().sum().backward()
    assert layer.gamma.grad != 0


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_attention_of_large_maps_keeps_no_square_of_places(precision):
    """128x128 places would need a GiB for every picture; only the kernel that avoids that is allowed here."""
    for channels in (8, 32):
        layer, x = SelfAttention(channels), torch.randn(2, channels, 16, 16, dtype=precision)
        for layout in (x, x.to(memory_format=torch.channels_last)):
            autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16)
            with sdpa_kernel(SDPBackend.FLASH_ATTENTION), autocast:
                result = layer(layout)
            assert result.dtype == precision
            result.sum().backward()


KINDS = {
    "convolution": lambda: nn.Conv2d(3, 6, 3),
    "transposed": lambda: nn.ConvTranspose2d(3, 6, 3),
    "nearest": lambda: NearestConvolution(3, 6),
}


def rows(weight: torch.Tensor, kind: str) -> np.ndarray:
    """Miyato et al. 2018, section 3: a weight as a matrix with a row for each output channel."""
    weight = weight.detach().transpose(0, 1) if kind == "transposed" else weight.detach()
    return weight.flatten(1).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_spectral_norm_equals_its_algorithm(kind):
    torch.manual_seed(0)
    layer = KINDS[kind]().double()
    drawn = layer.weight.detach().clone()
    normalise_spectra(layer)
    state = layer.state_dict()
    assert torch.equal(state["parametrizations.weight.original"], drawn)
    w = rows(drawn, kind)
    (v,) = (value.numpy().copy() for key, value in state.items() if key.endswith("_v"))
    (u,) = (value.numpy().copy() for key, value in state.items() if key.endswith("_u"))
    for _ in range(3):  # Algorithm 1, one round a forward
        u = w @ v / np.linalg.norm(w @ v)
        v = w.T @ u / np.linalg.norm(w.T @ u)
        np.testing.assert_allclose(rows(layer.weight, kind), w / (u @ w @ v), rtol=1e-10)
    layer.eval()
    for _ in range(2):  # no more rounds
        np.testing.assert_allclose(rows(layer.weight, kind), w / (u @ w @ v), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_spectral_norm_ends_at_the_largest_singular_value(kind):
    torch.manual_seed(0)
    layer = KINDS[kind]().double()
    largest = np.linalg.svd(rows(layer.weight, kind), compute_uv=False)[0]
    drawn = rows(layer.weight, kind)
    normalise_spectra(layer)
    for _ in range(200):
        layer(torch.zeros(1, 3, 5, 5, dtype=torch.float64))
    np.testing.assert_allclose(rows(layer.weight, kind), drawn / largest, rtol=1e-9)


def test_spectral_norm_sends_its_gradient_through_the_norm():
    """Miyato et al. 2018, eq. 12: for the loss sum(A * W/σ), dL/dW = (A - sum(A * W/σ) u v^T) / σ."""
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 6, 3).double()
    normalise_spectra(layer)
    upstream = torch.randn(6, 3, 3, 3, dtype=torch.float64)
    (layer.weight * upstream).sum().backward()
    (u, v) = (value.numpy() for key, value in layer.state_dict().items() if key.endswith(("_u", "_v")))
    original = layer.parametrizations.weight.original
    w, a = rows(original, "convolution"), rows(upstream, "convolution")
    sigma = u @ w @ v
    expected = (a - (a * w / sigma).sum() * np.outer(u, v)) / sigma
    np.testing.assert_allclose(rows(original.grad, "convolution"), expected, rtol=1e-9)


class AutocastInPowerIterations(TorchFunctionMode):
    """Whether autocast was on at each product of a matrix and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.mv:
            self.seen.append(torch.is_autocast_enabled("cpu"))
        return func(*args, **(kwargs or {}))


def test_spectral_norm_is_exact_under_autocast():
    """Autocast would round the products to bfloat16 on CUDA; on a CPU it leaves them, so the setting is looked at."""
    layer = nn.Conv2d(3, 6, 3)
    normalise_spectra(layer)
    with torch.autocast("cpu", torch.bfloat16), AutocastInPowerIterations() as products:
        result = layer(torch.randn(2, 3, 8, 8))
    assert products.seen
    assert not any(products.seen)
    assert result.dtype == torch.bfloat16
    result.sum().backward()
    assert layer.parametrizations.weight.original.grad.isfinite().all()


def spectral_network() -> nn.Module:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), InstanceNorm(), SelfAttention(4), nn.ConvTranspose2d(4, 3, 3))
    nn.init.constant_(network[2].gamma, 0.5)
    normalise_spectra(network)
    return network


def test_spectral_norm_survives_saving_copying_and_casting():
    torch.manual_seed(0)
    network, loaded, x = spectral_network(), spectral_network(), torch.randn(1, 3, 8, 8)
    network(x)
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    copied, double = copy.deepcopy(network), copy.deepcopy(network).double()
    for _ in range(2):  # the second forward goes on from the vectors of the first
        expected = network(x)
        assert torch.equal(loaded(x), expected)
        assert torch.equal(copied(x), expected)
        torch.testing.assert_close(double(x.double()), expected.double(), rtol=1e-4, atol=1e-5)


def test_spectral_norm_survives_a_running_mean():
    torch.manual_seed(0)
    network, x = spectral_network().eval(), torch.randn(1, 3, 8, 8)
    ema = EMA({"network": network}, decay=0.9)
    before = network(x)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5).add_(0.1)
    moved = network(x)
    with ema.applied():
        assert torch.equal(network(x), before)
    assert torch.equal(network(x), moved)
    assert not torch.allclose(before, moved)


def test_weights_are_drawn_by_each_kind():
    """Spread of a 64-to-32 convolution of 3x3, by the formula of each paper."""
    torch.manual_seed(0)
    spreads = {
        "normal": 0.05,
        "xavier": 0.05 * (2 / (9 * 64 + 9 * 32)) ** 0.5,
        "kaiming": (2 / (9 * 64)) ** 0.5,
        "orthogonal": 0.05 / (9 * 64) ** 0.5,
    }
    for kind, spread in spreads.items():
        layer = nn.Conv2d(64, 32, 3)
        bias = layer.bias.detach().clone()
        initialise(layer, kind, 0.05)
        assert layer.weight.std().item() == pytest.approx(spread, rel=0.03), kind
        assert layer.weight.mean().abs() < spread / 20, kind
        assert torch.equal(layer.bias, bias)


def test_orthogonal_weights_are_orthogonal():
    layer = nn.Conv2d(8, 6, 3)
    initialise(layer, "orthogonal", 0.3)
    matrix = layer.weight.detach().flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, 0.09 * torch.eye(6))


def test_batch_norm_starts_around_one():
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(10_000)
    nn.init.ones_(norm.bias)
    initialise(norm, "normal", 0.02)
    assert norm.weight.mean().item() == pytest.approx(1, abs=1e-3)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.03)
    assert not norm.bias.any()


@pytest.mark.parametrize("shape", [(1, 3, 5, 6), (4, 3, 5, 6), (2, 3, 1, 6), (2, 3, 1, 1)])
def test_instance_norm_of_maps_by_pixels_is_the_same(shape):
    """Values and gradients."""
    x, weight = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = []
    for by_pixels, layout in ((False, torch.contiguous_format), (True, torch.channels_last)):
        norm = InstanceNorm()
        norm.channels_last = by_pixels
        pictures = x.clone(memory_format=layout).requires_grad_()
        normalised = norm(pictures)
        (normalised * weight).sum().backward()
        found.append((normalised.detach(), pictures.grad))
    torch.testing.assert_close(found[0], found[1])
    expected = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(found[1][0], expected)
