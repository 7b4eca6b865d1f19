"""A small network of every kind."""

from torch import nn

from recycle.config import NetworkConfig

SMALL = NetworkConfig(
    size=32, generator="resnet_2blocks", generator_filters=2, predictor_filters=2, discriminator_filters=2
)


def convolutions(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
