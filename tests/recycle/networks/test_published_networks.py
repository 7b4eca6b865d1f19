"""Networks against the published ones: numbers of parameters, layers written out, keys, fields of view."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from recycle.networks.networks import PatchDiscriminator, PixelDiscriminator, ResNetGenerator
from recycle.networks.unet import TwoViewPredictor, UNet, UNetPredictor
from tests.recycle.networks.small import convolutions


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def u_net_parameters(channels_in: int, channels_out: int, downs: int, filters: int = 64) -> int:
    """Of the architecture: 4x4 convolutions with biases, down and, from twice the channels but innermost, up."""
    widths = [filters * min(2**level, 8) for level in range(downs)]
    count = 16 * channels_in * filters + filters + 16 * 2 * filters * channels_out + channels_out
    for number, (outer, inner) in enumerate(pairwise(widths), 2):
        count += 16 * outer * inner + inner
        count += 16 * (inner if number == downs else 2 * inner) * outer + outer
    return count


def two_view_parameters(filters: int) -> int:
    widths = [filters, 2 * filters, 4 * filters]
    stem = 49 * 3 * filters + filters + sum(9 * narrow * wide + wide for narrow, wide in pairwise(widths))
    end = sum(9 * narrow * wide + narrow for narrow, wide in pairwise(widths)) + 49 * filters * 3 + 3
    return stem + u_net_parameters(8 * filters, 4 * filters, 6, 16 * filters) + end


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: ResNetGenerator(blocks=6), 7_837_699),
        (lambda: ResNetGenerator(blocks=9), 11_378_179),
        (lambda: UNetPredictor(256), 54_412_675),
        (lambda: UNetPredictor(128), 41_828_739),
        (lambda: UNet(3, 8), u_net_parameters(3, 3, 8)),
        (lambda: UNet(3, 7), u_net_parameters(3, 3, 7)),
        (lambda: TwoViewPredictor(256), two_view_parameters(64)),
        (PatchDiscriminator, 2_764_737),
        (PixelDiscriminator, 3 * 64 + 64 + 64 * 128 + 128 + 128 + 1),
    ],
    ids=[
        "ResNet-6",
        "ResNet-9",
        "U-Net 256",
        "U-Net 128",
        "U-Net 256 generator",
        "U-Net 128 generator",
        "two-view",
        "PatchGAN",
        "PixelGAN",
    ],
)
def test_parameters_are_as_many_as_published(build, count):
    with torch.device("meta"):
        assert parameters(build()) == count
    assert u_net_parameters(6, 3, 8) == 54_412_675


def test_predictor_ends_in_one_pixel_at_powers_of_two():
    for size, downs in ((32, 5), (64, 6), (128, 7), (256, 8)):
        predictor = UNetPredictor(size, filters=1)
        inner = [m for m in predictor.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
        assert len(inner) == downs
        sizes = []
        inner[-1].register_forward_hook(lambda module, args, output, sizes=sizes: sizes.append(output.shape[-2:]))
        predictor(torch.rand(1, 6, size, size))
        assert sizes == [(1, 1)]


def u_net_written_out(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The published U-Net with InstanceNorm: what a skip carries is the LeakyReLU of the level's input."""
    downs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]  # from the outside in
    ups = [layer for layer in network.modules() if isinstance(layer, nn.ConvTranspose2d)]  # from the inside out
    norm = nn.functional.instance_norm
    skips, x = [], downs[0](x)
    for number, down in enumerate(downs[1:], 1):
        x = torch.where(x > 0, x, 0.2 * x)
        skips.append(x)
        x = down(x)
        x = norm(x) if number < len(downs) - 1 else x
    for up in ups[:-1]:
        x = torch.cat([skips.pop(), norm(up(x.clamp(min=0)))], 1)
    return torch.tanh(ups[-1](x.clamp(min=0)))


def test_predictor_equals_the_published_u_net_written_out():
    torch.manual_seed(0)
    predictor = UNetPredictor(32, filters=2).double()
    pairs = torch.rand(2, 6, 32, 32, dtype=torch.float64) * 2 - 1
    torch.testing.assert_close(predictor(pairs), u_net_written_out(predictor, pairs))


def test_two_view_equals_the_published_network_written_out():
    """One stem for both frames, the U-Net with its tanh on what it made of both, three convolutions."""
    torch.manual_seed(0)
    predictor = TwoViewPredictor(32, filters=1).double()
    frames = torch.rand(2, 2, 3, 32, 32, dtype=torch.float64) * 2 - 1
    norm, padded = nn.functional.instance_norm, nn.functional.pad
    stem, end = convolutions(predictor.model1), convolutions(predictor.model3)
    assert [convolution.padding for convolution in (*stem, *end)] == [(0, 0), (1, 1), (1, 1), (1, 1), (1, 1), (0, 0)]
    seen = []
    for frame in frames:
        x = padded(frame, (3, 3, 3, 3), mode="reflect")
        for convolution in stem:
            x = norm(convolution(x)).clamp(min=0)
        seen.append(x)
    x = u_net_written_out(predictor.model, torch.cat(seen, 1))
    for convolution in end[:2]:
        x = norm(convolution(x)).clamp(min=0)
    expected = torch.tanh(end[2](padded(x, (3, 3, 3, 3), mode="reflect")))
    torch.testing.assert_close(predictor(torch.cat(list(frames), 1)), expected)


def test_two_view_shares_its_stem_between_frames():
    predictor = TwoViewPredictor(32, filters=1)
    seen = []
    predictor.model1.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    earlier, later = torch.rand(2, 1, 3, 32, 32)
    swapped = predictor(torch.cat([later, earlier], 1))
    assert not torch.allclose(predictor(torch.cat([earlier, later], 1)), swapped)  # and yet knows which is which
    assert [any(torch.equal(frame, one) for one in seen) for frame in (earlier, later)] == [True, True]


RESNET_KEYS = ["model.1", "model.4", "model.7", "model.10.conv_block.1", "model.10.conv_block.5"]
PUBLISHED_KEYS = {
    "resnet": (
        lambda **options: ResNetGenerator(2, 1, **options),
        {
            "instance": [*RESNET_KEYS, "model.11", "model.14", "model.18"],
            "batch": [
                *("model.1*", "model.2+", "model.4*", "model.5+", "model.7*", "model.8+"),
                *("model.10.conv_block.1*", "model.10.conv_block.2+", "model.10.conv_block.5*"),
                *("model.10.conv_block.6+", "model.11*", "model.12+", "model.14*", "model.15+", "model.18"),
            ],
        },
    ),
    "unet": (
        lambda **options: UNet(3, 3, 2, **options),
        {
            "instance": [
                *("model.model.0", "model.model.1.model.1", "model.model.1.model.3.model.1"),
                *("model.model.1.model.3.model.3", "model.model.1.model.5", "model.model.3"),
            ],
            "batch": [
                *("model.model.0*", "model.model.1.model.1*", "model.model.1.model.2+"),
                *("model.model.1.model.3.model.1*", "model.model.1.model.3.model.3*", "model.model.1.model.3.model.4+"),
                *("model.model.1.model.5*", "model.model.1.model.6+", "model.model.3"),
            ],
        },
    ),
    "patch": (
        lambda **options: PatchDiscriminator(2, **options),
        {
            "instance": ["model.0", "model.2", "model.5", "model.8", "model.11"],
            "batch": ["model.0", "model.2*", "model.3+", "model.5*", "model.6+", "model.8*", "model.9+", "model.11"],
        },
    ),
    "pixel": (
        lambda **options: PixelDiscriminator(2, **options),
        {"instance": ["net.0", "net.2", "net.5"], "batch": ["net.0", "net.2*", "net.3+", "net.5*"]},
    ),
}


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("name", PUBLISHED_KEYS)
def test_keys_are_those_of_the_authors_files(name, norm):
    """A layer has a weight and a bias; with * a weight alone, with + those of a BatchNorm."""
    build, layers = PUBLISHED_KEYS[name]
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    expected = []
    for layer in layers[norm]:
        names = ["weight"] if layer.endswith("*") else ["weight", "bias"]
        names += statistics if layer.endswith("+") else ()
        expected += [f"{layer.rstrip('*+')}.{tensor}" for tensor in names]
    assert list(build(norm=norm).state_dict()) == expected


def test_keys_of_the_two_view_predictor_are_those_of_the_authors_files():
    keys = [key.removesuffix(".weight") for key in TwoViewPredictor(32, 1).state_dict() if key.endswith(".weight")]
    u_net = [f"model.{key.removesuffix('.weight')}" for key in UNet(8, 5, 16).state_dict() if key.endswith(".weight")]
    assert keys == [*u_net, "model1.1", "model1.4", "model1.7", "model3.0", "model3.3", "model3.7"]
    batch = TwoViewPredictor(32, 1, norm="batch").state_dict()
    assert "model1.2.running_mean" in batch
    assert [key for key in batch if key.endswith(".bias") and f"{key[:-5]}.running_mean" not in batch] == [
        "model.model.model.3.bias",
        "model3.7.bias",
    ]


@pytest.mark.parametrize(("layers", "pixels"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_one_score_sees_as_many_pixels_as_published(layers, pixels):
    """Each side of the receptive field, by the gradient of one score; linear, so that nothing hides a path."""
    discriminator = PatchDiscriminator(filters=1, layers=layers)
    linear = nn.Sequential(*[layer for layer in discriminator.model if isinstance(layer, nn.Conv2d)])
    picture = torch.zeros(1, 3, 320, 320, requires_grad=True)
    scores = linear(picture)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    touched = picture.grad[0].abs().sum(0).nonzero()
    assert (touched.amax(0) - touched.amin(0) + 1).tolist() == [pixels, pixels]
