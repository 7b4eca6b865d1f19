"""Dropout and skip connections of the generators: where they are, and what they do."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from recycle.networks.networks import ResNetGenerator, build_generator
from recycle.networks.unet import UNet
from tests.recycle.networks.small import SMALL


def test_dropout_moves_the_second_convolution_of_a_block_and_nothing_in_a_u_net():
    plain, dropping = (ResNetGenerator(2, 1, dropout=dropout).state_dict() for dropout in (False, True))
    assert [key.replace("conv_block.5", "conv_block.6") for key in plain] == list(dropping)
    plain, dropping = (UNet(3, 7, 1, dropout=dropout).state_dict() for dropout in (False, True))
    assert list(plain) == list(dropping)


@pytest.mark.parametrize(("downs", "levels"), [(5, [5]), (6, [5]), (7, [5, 6]), (8, [5, 6, 7])])
def test_u_nets_drop_in_their_deep_levels(downs, levels):
    """Levels counted from the outside. The published U-Nets, 7 and 8 deep, drop in none but these."""
    network, level, found = UNet(3, downs, 1, dropout=True), 1, []
    block = network.model
    while block is not None:
        if any(isinstance(layer, nn.Dropout) for layer in block.model):
            found.append(level)
        block, level = next((layer for layer in block.model if hasattr(layer, "model")), None), level + 1
    assert found == levels


@pytest.mark.parametrize("generator", ["resnet_1blocks", "unet"])
def test_dropout_is_noise_in_training_and_nothing_in_evaluation(generator):
    torch.manual_seed(0)
    network = build_generator(replace(SMALL, generator=generator, dropout=True))
    picture = torch.rand(1, 3, 32, 32)
    assert not torch.equal(network(picture), network(picture))
    network.eval()
    assert torch.equal(network(picture), network(picture))
    zeros = []
    (drop,) = (module for module in network.modules() if isinstance(module, nn.Dropout))
    drop.register_forward_hook(lambda module, args, output: zeros.append((output[args[0] != 0] == 0).float().mean()))
    network.train()(picture)
    assert zeros[0].item() == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("upsampling", ["transposed", "nearest"])
@pytest.mark.parametrize("attention", [False, True])
def test_skips_carry_what_stood_before_each_halving(upsampling, attention):
    """With everything that grows silenced, what is left is what the skips carry, in place; without them nothing."""
    torch.manual_seed(0)
    generator = ResNetGenerator(4, 2, upsampling, attention=attention, skips=True).eval()
    with torch.no_grad():
        for layer in generator.model[generator._joined[0]], generator.model[generator._joined[1]]:
            layer.weight.zero_()
            layer.bias.zero_()
        pictures = torch.rand(1, 3, 32, 40) * 2 - 1
        changed = pictures.clone()
        changed[..., 20, 30] *= -1
        moved = (generator(changed) - generator(pictures)).abs().sum(1)[0]
        for skip in generator.skips:
            skip.weight.zero_()
        still = (generator(changed) - generator(pictures)).abs().max()
    place = divmod(int(moved.argmax()), moved.shape[1])
    assert abs(place[0] - 20) <= 3 and abs(place[1] - 30) <= 3
    assert still < 1e-6


def test_skips_leave_the_published_keys_as_they_are():
    plain, skipping = (build_generator(replace(SMALL, skips=skips)).state_dict() for skips in (False, True))
    assert set(skipping) - set(plain) == {f"skips.{n}.{kind}" for n in (0, 1) for kind in ("weight", "bias")}
    assert list(plain) == [key for key in skipping if not key.startswith("skips.")]
