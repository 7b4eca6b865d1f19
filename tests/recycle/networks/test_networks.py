"""Networks as the settings name them: kinds, sizes, dropout, attention, norms, and how weights are drawn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from recycle.config import NetworkConfig
from recycle.networks.layers import SelfAttention
from recycle.networks.networks import (
    PatchDiscriminator,
    PixelDiscriminator,
    ResNetGenerator,
    build_discriminator,
    build_generator,
    build_predictor,
    smallest_side,
)
from recycle.networks.unet import TwoViewPredictor, UNetPredictor
from tests.recycle.networks.small import SMALL, convolutions

EVERY_NETWORK = {
    "resnet": (build_generator, SMALL, 3),
    "resnet, nearest": (build_generator, replace(SMALL, upsampling="nearest"), 3),
    "unet": (build_generator, replace(SMALL, generator="unet"), 3),
    "unet predictor": (build_predictor, SMALL, 6),
    "two_view predictor": (build_predictor, replace(SMALL, predictor="two_view", predictor_filters=1), 6),
    "patch": (build_discriminator, SMALL, 3),
    "pixel": (build_discriminator, replace(SMALL, discriminator="pixel"), 3),
}


@pytest.fixture(params=EVERY_NETWORK)
def kind(request):
    """How to build a network, its settings, and the channels it takes."""
    return EVERY_NETWORK[request.param]


def test_networks_are_the_kinds_that_the_settings_name():
    settings = replace(SMALL, size=64, generator="resnet_5blocks", discriminator_layers=2)
    assert sum("conv_block.1.weight" in key for key in build_generator(settings).state_dict()) == 5
    unet = build_generator(replace(settings, generator="unet", generator_filters=3))
    assert sum(isinstance(module, nn.ConvTranspose2d) for module in unet.modules()) == 6
    assert convolutions(unet)[0].out_channels == 3
    assert isinstance(build_predictor(settings), UNetPredictor)
    assert isinstance(build_predictor(replace(settings, predictor="two_view", predictor_filters=1)), TwoViewPredictor)
    assert len(convolutions(build_discriminator(settings))) == 4
    assert convolutions(build_discriminator(settings, channels=6))[0].in_channels == 6
    pixel = build_discriminator(replace(settings, discriminator="pixel"), channels=6)
    assert [convolution.in_channels for convolution in convolutions(pixel)] == [6, 2, 4]


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
@pytest.mark.parametrize("size", [(8, 8), (32, 32), (36, 44), (132, 64)])
def test_generator_keeps_any_size_divisible_by_4(upsampling, size, attention):
    generator = ResNetGenerator(filters=2, blocks=1, upsampling=upsampling, attention=attention)
    result = generator(torch.rand(2, 3, *size))
    assert result.shape == (2, 3, *size)
    assert result.abs().max() <= 1


@pytest.mark.parametrize("generator", ["resnet_1blocks", "unet"])
@pytest.mark.parametrize("size", [32, 60, 64, 100])
def test_generators_keep_sizes_from_their_smallest_side_up(generator, size):
    config = replace(SMALL, size=size, generator=generator, attention=True)
    side, network = smallest_side(config), build_generator(config)
    assert side == (8 if generator == "resnet_1blocks" else {32: 32, 60: 32, 64: 64, 100: 64}[size])
    for height, width in ((side, side), (side, side + 4), (side + 12, 2 * side)):
        assert network(torch.rand(1, 3, height, width)).shape == (1, 3, height, width)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_both_ways_of_growing_share_the_published_numbers_of_layers(norm):
    transposed, nearest = (ResNetGenerator(4, 2, upsampling, norm=norm) for upsampling in ("transposed", "nearest"))
    assert list(transposed.state_dict()) == list(nearest.state_dict())


@pytest.mark.parametrize(("size", "scores"), [(32, 2), (36, 2), (64, 6), (100, 10), (256, 30)])
def test_discriminator_scores_patches_of_small_pictures_too(size, scores):
    assert PatchDiscriminator(filters=2)(torch.rand(1, 3, size, size)).shape == (1, 1, scores, scores)


def test_pixel_discriminator_judges_each_pixel_alone():
    torch.manual_seed(0)
    discriminator = PixelDiscriminator(4, norm="batch").eval()
    pictures = torch.rand(2, 3, 8, 9)
    scores = discriminator(pictures)
    assert scores.shape == (2, 1, 8, 9)
    changed = pictures.clone()
    changed[1, :, 3, 4] += 1
    assert (discriminator(changed) != scores).nonzero().tolist() == [[1, 0, 3, 4]]
    # With InstanceNorm a pixel's place still plays no part: shuffled pixels have shuffled scores.
    discriminator, order = PixelDiscriminator(4), torch.randperm(72)
    shuffled = pictures.flatten(2)[..., order].unflatten(2, (8, 9))
    expected = discriminator(pictures).flatten(2)[..., order].unflatten(2, (8, 9))
    torch.testing.assert_close(discriminator(shuffled), expected)


def test_a_batch_gives_what_its_pictures_give_alone_but_under_batch_norm(kind):
    build, config, channels = kind
    for norm in ("instance", "batch"):
        torch.manual_seed(0)
        network = build(replace(config, norm=norm, attention=config.discriminator != "pixel")).double()
        pictures = torch.rand(3, channels, 32, 32, dtype=torch.float64)
        pictures *= torch.tensor([0.1, 0.5, 1.0])[:, None, None, None]
        alone = torch.cat([network(picture) for picture in pictures.split(1)])
        assert torch.allclose(network(pictures), alone, atol=1e-9) == (norm == "instance")
        network.eval()  # running statistics: alone again
        alone = torch.cat([network(picture) for picture in pictures.split(1)])
        torch.testing.assert_close(network(pictures), alone)


def test_attention_is_where_it_should_be():
    """What goes into it is at a quarter of the size, and of the expected layer of the network without it."""
    torch.manual_seed(0)
    for build, config, number, channels in (
        (build_generator, replace(SMALL, generator="resnet_6blocks"), 13, 8),
        (build_generator, replace(SMALL, generator="unet"), 3, 4),
        (build_discriminator, SMALL, 5, 4),
    ):
        network = build(replace(config, attention=True))
        ((name, attention),) = [item for item in network.named_modules() if isinstance(item[1], SelfAttention)]
        assert int(name.rsplit(".", 1)[1]) == number
        seen = []
        attention.register_forward_hook(lambda module, args, output, seen=seen: seen.append(args[0].shape))
        network(torch.rand(1, 3, 32, 32))
        assert seen == [(1, channels, 8, 8)]
        assert not any(isinstance(module, SelfAttention) for module in build(config).modules())
    assert not any(isinstance(m, SelfAttention) for m in build_predictor(replace(SMALL, attention=True)).modules())
    with pytest.raises(ValueError, match="pixel"):
        build_discriminator(replace(SMALL, discriminator="pixel", attention=True))


@pytest.mark.parametrize("kept", ["none", "discriminator", "both"])
def test_spectral_norm_holds_the_networks_that_it_names(kind, kept):
    build, config, channels = kind
    named = {"none": (), "discriminator": (build_discriminator,), "both": (build_discriminator, build_generator)}
    attention = config.discriminator != "pixel"
    network = build(replace(config, spectral_norm=kept, attention=attention, init="orthogonal", init_gain=3.0))
    for convolution in convolutions(network):
        rows = convolution.weight.detach()
        rows = rows.transpose(0, 1) if isinstance(convolution, nn.ConvTranspose2d) else rows
        largest = np.linalg.svd(rows.flatten(1).numpy(), compute_uv=False)[0]
        if build in named[kept]:
            assert largest == pytest.approx(1, rel=0.1)
        else:
            assert largest > 1.5
    network(torch.rand(2, channels, 32, 32)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_every_network_computes_in_bfloat16_and_stays_finite(kind, norm):
    build, config, channels = kind
    attention = config.discriminator != "pixel"
    network = build(replace(config, norm=norm, attention=attention, spectral_norm="both", dropout=True))
    with torch.autocast("cpu", torch.bfloat16):
        result = network(torch.rand(1, channels, 32, 32))
    assert result.dtype == torch.bfloat16
    result.float().square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_weights_are_drawn_as_published():
    torch.manual_seed(0)
    generator = build_generator(NetworkConfig(generator_filters=32, generator="resnet_2blocks"))
    weights = torch.cat([value.flatten() for key, value in generator.state_dict().items() if key.endswith("weight")])
    assert weights.mean().abs() < 1e-4
    assert weights.std() == pytest.approx(0.02, rel=0.01)


def test_every_network_draws_its_weights_as_the_settings_say(kind):
    build, config, _ = kind
    for init in ("xavier", "kaiming", "orthogonal", "normal"):
        torch.manual_seed(0)
        network = build(replace(config, init=init, init_gain=0.5))
        for convolution in convolutions(network):
            weight = convolution.weight.detach()
            rows = weight.flatten(1) if len(weight) < weight[0].numel() else weight.flatten(1).T
            if init == "orthogonal":
                torch.testing.assert_close(rows @ rows.T, 0.25 * torch.eye(len(rows)), rtol=0, atol=1e-5)
            elif weight.numel() > 500:
                receptive = weight[0, 0].numel()
                fan_in, fan_out = weight.shape[1] * receptive, weight.shape[0] * receptive
                spread = {
                    "normal": 0.5,
                    "xavier": 0.5 * (2 / (fan_in + fan_out)) ** 0.5,
                    "kaiming": (2 / fan_in) ** 0.5,
                }
                assert weight.std().item() == pytest.approx(spread[init], rel=0.15), init


def test_weights_depend_on_the_seed_alone():
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(build_discriminator(NetworkConfig(discriminator_filters=2)).model[0].weight)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
