"""Networks of the published methods. Module numbers, and so state-dict keys, are those of the authors' weight files.

Pictures are float (N, C, H, W) in [-1, 1]. Under InstanceNorm every network treats every picture of a batch alone;
under BatchNorm those of one forward share statistics while training.
"""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recycle.config import NetworkConfig, residual_blocks
from recycle.networks.layers import (
    PICTURE_CHANNELS,
    NearestConvolution,
    Norm,
    SelfAttention,
    initialise,
    normalisation,
    normalise_spectra,
)
from recycle.networks.unet import TwoViewPredictor, UNet, UNetPredictor, halvings


class ResidualBlock(nn.Module):
    """x + F(x), F two reflection-padded 3x3 convolutions (Johnson et al. 2016), with dropout of one half between."""

    recompute = False
    """Whether the backward pass computes what is inside anew (Chen et al. 2016) instead of keeping it: the same
    numbers. Not under BatchNorm, which would count every picture twice, nor under spectral norm, which would go on."""

    def __init__(self, channels: int, *, norm: Norm = "instance", dropout: bool = False) -> None:
        super().__init__()
        self._draws = dropout
        bias = norm == "instance"
        layers: list[nn.Module] = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias)]
        layers += [normalisation(norm, channels), nn.ReLU(inplace=True)]
        if dropout:
            layers += [nn.Dropout(0.5)]
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), normalisation(norm, channels)]
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        if self.recompute and self.training:
            return x + checkpoint(self.conv_block, x, use_reentrant=False, preserve_rng_state=self._draws)
        return x + self.conv_block(x)


class ResNetGenerator(nn.Module):
    """Translates pictures: (N, 3, H, W) to (N, 3, H, W), H and W any multiples of 4 from 8 up.

    Two strided convolutions, residual blocks at a quarter of the size, two that grow, tanh (CycleGAN section 7.2).
    """

    def __init__(
        self,
        filters: int = 64,
        blocks: int = 6,
        upsampling: str = "transposed",
        *,
        norm: Norm = "instance",
        dropout: bool = False,
        attention: bool = False,
        skips: bool = False,
    ) -> None:
        """skips: what stood before each halving, through a 1x1 convolution, is added to what stands after the growth
        back to its size, before the norm.

        attention: in the middle of the residual blocks, so that half of them make what is worth comparing and half
        use what was gathered. A quarter of 128 and 256 px is where it helped most in SAGAN, 32x32 and 64x64 (Zhang et
        al. 2019, Table 1)."""
        super().__init__()
        bias = norm == "instance"
        self._kept: list[int] = []  # places of layers whose output a skip takes, the largest map first
        self._joined: list[int] = []  # places of layers whose output it is added to, in the order of `skips`
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(PICTURE_CHANNELS, filters, 7, bias=bias)]
        layers += [normalisation(norm, filters), nn.ReLU(inplace=True)]
        for width in (filters, 2 * filters):
            self._kept += [len(layers) - 1] if skips else []
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias)]
            layers += [normalisation(norm, 2 * width), nn.ReLU(inplace=True)]
        residual: list[nn.Module] = [ResidualBlock(4 * filters, norm=norm, dropout=dropout) for _ in range(blocks)]
        if attention:
            residual.insert(blocks // 2, SelfAttention(4 * filters))
        layers += residual
        for width in (4 * filters, 2 * filters):
            if upsampling == "nearest":
                layers += [NearestConvolution(width, width // 2, bias=bias)]
            else:
                layers += [nn.ConvTranspose2d(width, width // 2, 3, 2, padding=1, output_padding=1, bias=bias)]
            self._joined += [len(layers) - 1] if skips else []
            layers += [normalisation(norm, width // 2), nn.ReLU(inplace=True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(filters, PICTURE_CHANNELS, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)
        if skips:
            self.skips = nn.ModuleList(nn.Conv2d(width, width, 1, bias=bias) for width in (2 * filters, filters))

    def forward(self, pictures: Tensor) -> Tensor:
        if not self._kept:
            return self.model(pictures)
        x = pictures
        for x in self.walk(pictures):  # noqa: B007 (the last is wanted)
            pass
        return x

    def walk(self, pictures: Tensor) -> Iterator[Tensor]:
        """What stands after each layer of `model` in turn; the last is the translation."""
        kept: list[Tensor] = []
        x = pictures
        for place, layer in enumerate(self.model):
            x = layer(x)
            if place in self._kept:
                kept.append(x)
            elif place in self._joined:
                x = x + self.skips[self._joined.index(place)](kept.pop())
            yield x


class PatchDiscriminator(nn.Module):
    """Scores overlapping patches (Isola et al. 2017): (N, channels, H, W) to (N, 1, h, w), no activation at the end."""

    def __init__(
        self,
        filters: int = 64,
        layers: int = 3,
        *,
        channels: int = PICTURE_CHANNELS,
        norm: Norm = "instance",
        attention: bool = False,
    ) -> None:
        """attention: after the second convolution, which of two `layers` or more leaves a quarter of the size."""
        super().__init__()
        modules: list[nn.Module] = [nn.Conv2d(channels, filters, 4, stride=2, padding=1)]
        modules += [nn.LeakyReLU(0.2, inplace=True)]
        width = filters
        for layer in range(1, layers + 1):
            wider = filters * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            modules += [nn.Conv2d(width, wider, 4, stride=stride, padding=1, bias=norm == "instance")]
            modules += [normalisation(norm, wider), nn.LeakyReLU(0.2, inplace=True)]
            if attention and layer == 1:
                modules += [SelfAttention(wider)]
            width = wider
        modules += [nn.Conv2d(width, 1, 4, padding=1)]
        self.model = nn.Sequential(*modules)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.model(pictures)


class PixelDiscriminator(nn.Module):
    """Scores every pixel by its colour (Isola et al. 2017, section 4.4); of the others it knows the norm's statistics.

    (N, channels, H, W) to (N, 1, H, W), no activation at the end.
    """

    def __init__(self, filters: int = 64, *, channels: int = PICTURE_CHANNELS, norm: Norm = "instance") -> None:
        super().__init__()
        bias = norm == "instance"
        self.net = nn.Sequential(
            nn.Conv2d(channels, filters, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(filters, 2 * filters, 1, bias=bias),
            normalisation(norm, 2 * filters),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * filters, 1, 1, bias=bias),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.net(pictures)


def build_generator(config: NetworkConfig) -> nn.Module:
    """A generator with fresh weights: (N, 3, H, W) to the same, H and W multiples of 4 from `smallest_side` up.

    Raises ValueError for a name of a generator that there is not.
    """
    blocks = residual_blocks(config.generator)
    network: nn.Module
    if blocks is None:
        network = UNet(
            PICTURE_CHANNELS,
            halvings(config.first_size),
            config.generator_filters,
            norm=config.norm,
            dropout=config.dropout,
            attention=config.attention,
        )
    else:
        network = ResNetGenerator(
            config.generator_filters,
            blocks,
            config.upsampling,
            norm=config.norm,
            dropout=config.dropout,
            attention=config.attention,
            skips=config.skips,
        )
    return _with_weights(network, config, spectral=config.spectral_norm == "both")


def smallest_side(config: NetworkConfig) -> int:
    """The least side in pixels that a generator takes: 8 for a ResNet, one that a U-Net halves down to one pixel."""
    return 8 if residual_blocks(config.generator) is not None else 2 ** halvings(config.first_size)


def build_predictor(config: NetworkConfig) -> nn.Module:
    """A predictor with fresh weights, as deep as the first size allows: (N, 6, H, W) to (N, 3, H, W)."""
    kind = TwoViewPredictor if config.predictor == "two_view" else UNetPredictor
    return _with_weights(kind(config.first_size, config.predictor_filters, norm=config.norm), config, spectral=False)


def build_discriminator(config: NetworkConfig, channels: int = PICTURE_CHANNELS) -> nn.Module:
    """A discriminator with fresh weights: (N, channels, H, W) to scores (N, 1, h, w).

    Raises ValueError for a pixel discriminator with attention, which would no longer judge pixels alone.
    """
    network: nn.Module
    if config.discriminator == "pixel":
        if config.attention:
            raise ValueError("a pixel discriminator has no attention: it judges every pixel alone")
        network = PixelDiscriminator(config.discriminator_filters, channels=channels, norm=config.norm)
    else:
        network = PatchDiscriminator(
            config.discriminator_filters,
            config.discriminator_layers,
            channels=channels,
            norm=config.norm,
            attention=config.attention,
        )
    return _with_weights(network, config, spectral=config.spectral_norm != "none")


def _with_weights(network: nn.Module, config: NetworkConfig, spectral: bool) -> nn.Module:
    initialise(network, config.init, config.init_gain)
    if spectral:
        normalise_spectra(network)
    return network
