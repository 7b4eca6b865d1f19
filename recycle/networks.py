"""Networks of the published methods. Module numbers, and so state-dict keys, are those of the authors' weight files.

Pictures are float (N, C, H, W) in [-1, 1]; every network treats every picture of a batch alone.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from recycle.config import NetworkConfig

PICTURE_CHANNELS = 3
WEIGHT_DEVIATION = 0.02  # standard deviation of initial convolution weights (Radford et al. 2016, CycleGAN section 7.1)


class InstanceNorm(nn.Module):
    """InstanceNorm without affine parameters and running statistics (Ulyanov et al. 2016): (N, C, H, W) to the same.

    Written as GroupNorm with one channel a group: the same numbers, several times faster on a CPU, and a map of 1x1
    becomes 0 where `nn.InstanceNorm2d` refuses it.
    """

    def forward(self, x: Tensor) -> Tensor:
        # Autocast would have GroupNorm return float32 on CUDA; its statistics are float32 inside anyway.
        with torch.autocast(x.device.type, enabled=False):
            return torch.group_norm(x, x.shape[1], eps=1e-5)


class NearestConvolution(nn.Conv2d):
    """Nearest-neighbour growth by 2, then a 3x3 convolution: no checkerboard (Odena et al. 2016)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class ResidualBlock(nn.Module):
    """x + F(x), F two reflection-padded 3x3 convolutions with InstanceNorm (Johnson et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class ResNetGenerator(nn.Module):
    """Translates pictures: (N, 3, H, W) to (N, 3, H, W), H and W any multiples of 4 from 8 up.

    Two strided convolutions, residual blocks at a quarter of the size, two that grow, tanh (CycleGAN section 7.2).
    """

    def __init__(self, filters: int = 64, blocks: int = 6, upsampling: str = "transposed") -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(PICTURE_CHANNELS, filters, 7)]
        layers += [InstanceNorm(), nn.ReLU(inplace=True)]
        for width in (filters, 2 * filters):
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), InstanceNorm(), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(4 * filters) for _ in range(blocks)]
        for width in (4 * filters, 2 * filters):
            if upsampling == "nearest":
                layers += [NearestConvolution(width, width // 2)]
            else:
                layers += [nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)]
            layers += [InstanceNorm(), nn.ReLU(inplace=True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(filters, PICTURE_CHANNELS, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.model(pictures)


class UNetLevel(nn.Module):
    """One level of the U-Net: halve, the levels inside, double, and beside that the skip."""

    def __init__(self, outer: int, inner: int, inside: "UNetLevel | None") -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(outer, inner, 4, stride=2, padding=1)]
        if inside is not None:
            layers += [InstanceNorm(), inside]
        grown_from = inner if inside is None else 2 * inner
        layers += [nn.ReLU(inplace=True), nn.ConvTranspose2d(grown_from, outer, 4, stride=2, padding=1), InstanceNorm()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outer, H, W) to (N, 2 * outer, H, W)."""
        # The first layer works in place, so that the skip carries what it left in x, as in the published network; the
        # ReLU on the way up would make the same of either.
        return torch.cat([x, _through(self.model, x)], 1)


class OuterUNetLevel(nn.Module):
    """The outermost level: no activation before its convolution, no skip, tanh."""

    def __init__(self, channels_in: int, channels_out: int, inner: int, inside: UNetLevel) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(channels_in, inner, 4, stride=2, padding=1),
            inside,
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * inner, channels_out, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return _through(self.model, x)


def _through(layers: nn.Sequential, x: Tensor) -> Tensor:
    """`layers` in turn; a transposed convolution grows to the size of `x`, which may be odd."""
    size = x.shape[-2:]
    for layer in layers:
        x = layer(x, size) if isinstance(layer, nn.ConvTranspose2d) else layer(x)
    return x


class UNet(nn.Module):
    """U-Net (Isola et al. 2017) without dropout: (N, channels_in, H, W) to (N, 3, H, W), sides from 2**downs up."""

    def __init__(self, channels_in: int, downs: int, filters: int = 64) -> None:
        super().__init__()
        # Widths of the levels from the outside in: 1, 2, 4, 8, 8, 8 ... times `filters`.
        widths = [filters * min(2**level, 8) for level in range(downs)]
        inside: UNetLevel | None = None
        for outer, inner in reversed(list(pairwise(widths))):
            inside = UNetLevel(outer, inner, inside)
        if inside is None:
            raise ValueError(f"a U-Net of {downs} halvings: has to have at least 2")
        self.model = OuterUNetLevel(channels_in, PICTURE_CHANNELS, filters, inside)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class UNetPredictor(UNet):
    """Predicts the third frame from two: each (N, 3, H, W), stacked to 6 channels (Recycle-GAN section 3)."""

    def __init__(self, size: int, filters: int = 64) -> None:
        """`size`: the least side in pixels. It is halved down to one pixel: 8 times at 256, 7 at 128, 6 at 64."""
        super().__init__(2 * PICTURE_CHANNELS, downs=size.bit_length() - 1, filters=filters)

    def forward(self, pairs: Tensor) -> Tensor:
        """(N, 6, H, W), earlier frame first, to (N, 3, H, W)."""
        return super().forward(pairs)


class PatchDiscriminator(nn.Module):
    """Scores overlapping patches (Isola et al. 2017): (N, 3, H, W) to (N, 1, h, w), no activation at the end."""

    def __init__(self, filters: int = 64, layers: int = 3) -> None:
        super().__init__()
        modules: list[nn.Module] = [nn.Conv2d(PICTURE_CHANNELS, filters, 4, stride=2, padding=1)]
        modules += [nn.LeakyReLU(0.2, inplace=True)]
        width = filters
        for layer in range(1, layers + 1):
            wider = filters * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            modules += [nn.Conv2d(width, wider, 4, stride=stride, padding=1), InstanceNorm()]
            modules += [nn.LeakyReLU(0.2, inplace=True)]
            width = wider
        modules += [nn.Conv2d(width, 1, 4, padding=1)]
        self.model = nn.Sequential(*modules)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.model(pictures)


def initialise(network: nn.Module) -> None:
    """Draws convolution weights from a normal distribution; biases keep PyTorch's draw, as with the authors."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, WEIGHT_DEVIATION)


def build_generator(config: NetworkConfig) -> ResNetGenerator:
    """A generator with fresh weights."""
    network = ResNetGenerator(config.generator_filters, config.generator_blocks, config.upsampling)
    initialise(network)
    return network


def build_predictor(config: NetworkConfig) -> UNetPredictor:
    """A predictor with fresh weights, as deep as the size allows."""
    network = UNetPredictor(config.size, config.predictor_filters)
    initialise(network)
    return network


def build_discriminator(config: NetworkConfig) -> PatchDiscriminator:
    """A discriminator with fresh weights."""
    network = PatchDiscriminator(config.discriminator_filters, config.discriminator_layers)
    initialise(network)
    return network
