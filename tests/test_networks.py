import pytest
import torch
from torch import nn

from recycle.config import NetworkConfig
from recycle.networks import (
    InstanceNorm,
    PatchDiscriminator,
    ResNetGenerator,
    UNetPredictor,
    build_discriminator,
    build_generator,
    build_predictor,
)

torch.set_num_threads(1)


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: ResNetGenerator(blocks=6), 7_837_699),
        (lambda: ResNetGenerator(blocks=9), 11_378_179),
        (lambda: UNetPredictor(256), 54_412_675),
        (lambda: UNetPredictor(128), 41_828_739),
        (PatchDiscriminator, 2_764_737),
    ],
    ids=["ResNet-6", "ResNet-9", "U-Net 256", "U-Net 128", "PatchGAN"],
)
def test_parameters_are_as_many_as_published(build, count):
    with torch.device("meta"):
        assert parameters(build()) == count


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


@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
@pytest.mark.parametrize("size", [(8, 8), (32, 32), (36, 44), (132, 64)])
def test_generator_keeps_any_size_divisible_by_4(upsampling, size):
    generator = ResNetGenerator(filters=2, blocks=1, upsampling=upsampling)
    result = generator(torch.rand(2, 3, *size))
    assert result.shape == (2, 3, *size)
    assert result.abs().max() <= 1


def test_both_ways_of_growing_share_the_published_numbers_of_layers():
    transposed, nearest = (ResNetGenerator(4, 2, upsampling) for upsampling in ("transposed", "nearest"))
    assert list(transposed.state_dict()) == list(nearest.state_dict())


@pytest.mark.parametrize("size", [32, 36, 48, 60, 64, 100, 128])
def test_predictor_fits_every_multiple_of_4(size):
    predictor = UNetPredictor(size, filters=2)
    widths = [size, size + 4, 3 * size]
    for width in widths:
        assert predictor(torch.rand(1, 6, size, width)).shape == (1, 3, size, width)


def test_predictor_ends_in_one_pixel_at_powers_of_two():
    for size, downs in ((32, 5), (64, 6), (128, 7), (256, 8)):
        predictor = UNetPredictor(size, filters=1)
        inner = [m for m in predictor.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
        assert len(inner) == downs
        sizes = []
        inner[-1].register_forward_hook(lambda module, args, output, sizes=sizes: sizes.append(output.shape[-2:]))
        predictor(torch.rand(1, 6, size, size))
        assert sizes == [(1, 1)]


def test_predictor_equals_the_published_u_net_written_out():
    """Five levels by hand: what a skip carries is the LeakyReLU of the level's input."""
    torch.manual_seed(0)
    predictor = UNetPredictor(32, filters=2).double()
    pairs = torch.rand(2, 6, 32, 32, dtype=torch.float64) * 2 - 1
    downs = [layer for layer in predictor.modules() if isinstance(layer, nn.Conv2d)]  # from the outside in
    ups = [layer for layer in predictor.modules() if isinstance(layer, nn.ConvTranspose2d)]  # from the inside out
    norm = nn.functional.instance_norm
    skips, x = [], downs[0](pairs)
    for number, down in enumerate(downs[1:], 1):
        x = torch.where(x > 0, x, 0.2 * x)
        skips.append(x)
        x = down(x)
        x = norm(x) if number < len(downs) - 1 else x
    for up in ups[:-1]:
        x = torch.cat([skips.pop(), norm(up(x.clamp(min=0)))], 1)
    expected = torch.tanh(ups[-1](x.clamp(min=0)))
    torch.testing.assert_close(predictor(pairs), expected)


@pytest.mark.parametrize(("size", "scores"), [(32, 2), (36, 2), (64, 6), (100, 10), (256, 30)])
def test_discriminator_scores_patches_of_small_pictures_too(size, scores):
    assert PatchDiscriminator(filters=2)(torch.rand(1, 3, size, size)).shape == (1, 1, scores, scores)


def test_one_score_sees_70_pixels():
    """Each side of the receptive field, by the gradient of one score; linear, so that nothing hides a path."""
    discriminator = PatchDiscriminator(filters=1)
    layers = nn.Sequential(*[layer for layer in discriminator.model if isinstance(layer, nn.Conv2d)])
    picture = torch.zeros(1, 3, 160, 160, requires_grad=True)
    layers(picture)[0, 0, 9, 9].backward()
    touched = picture.grad[0].abs().sum(0).nonzero()
    assert (touched.amax(0) - touched.amin(0) + 1).tolist() == [70, 70]


def test_a_batch_gives_what_its_pictures_give_alone():
    config = NetworkConfig(size=32, generator_filters=2, predictor_filters=2, discriminator_filters=2)
    for build, channels in ((build_generator, 3), (build_predictor, 6), (build_discriminator, 3)):
        network, pictures = build(config), torch.rand(3, channels, 32, 32)
        alone = torch.cat([network(picture) for picture in pictures.split(1)])
        torch.testing.assert_close(network(pictures), alone)


def test_weights_are_drawn_as_published():
    torch.manual_seed(0)
    generator = build_generator(NetworkConfig(generator_filters=32, generator_blocks=2))
    weights = torch.cat([value.flatten() for key, value in generator.state_dict().items() if key.endswith("weight")])
    assert weights.mean().abs() < 1e-4
    assert weights.std() == pytest.approx(0.02, rel=0.01)


def test_weights_depend_on_the_seed_alone():
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(build_discriminator(NetworkConfig(discriminator_filters=2)).model[0].weight)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
