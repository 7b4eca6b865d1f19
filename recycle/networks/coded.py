"""Generators that are told more than a picture: by a code that scales and shifts what stands after each norm.

Conditional instance normalisation (Dumoulin et al., ICLR 2017). A code stacked to the pictures as even channels would
be taken out again by the first norm.
"""

from dataclasses import replace
from itertools import pairwise

from torch import Tensor, nn

from recycle.config import NetworkConfig
from recycle.networks.layers import PICTURE_CHANNELS, InstanceNorm, initialise, normalise_spectra
from recycle.networks.networks import ResidualBlock, build_generator
from recycle.networks.unet import halvings

CODE_DEVIATION = 0.5
"""Standard deviation of what a fresh modulation makes of a code of one 1 and else 0, or of a drawn one on average."""
LEAK = 0.01


class CodedGenerator(nn.Module):
    """A ResNet generator: pictures (N, 3, H, W) and codes (N, length) to pictures (N, 3, H, W)."""

    def __init__(self, config: NetworkConfig, length: int) -> None:
        super().__init__()
        network = build_generator(replace(config, skips=False))
        assert isinstance(network.model, nn.Sequential)
        self.model = network.model
        channels = _normalised(self.model)
        self.modulations = nn.ModuleList(nn.Linear(length, 2 * width) for width in channels)
        for modulation in self.modulations:
            nn.init.normal_(modulation.weight, 0.0, CODE_DEVIATION)  # type: ignore[arg-type]
            nn.init.zeros_(modulation.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, codes: Tensor) -> Tensor:
        modulations = iter(self.modulations)

        def through(layers: nn.Module, x: Tensor) -> Tensor:
            for layer in layers.children():
                if isinstance(layer, ResidualBlock):
                    x = x + through(layer.conv_block, x)
                elif isinstance(layer, InstanceNorm | nn.BatchNorm2d):
                    scale, shift = next(modulations)(codes).unsqueeze(-1).unsqueeze(-1).chunk(2, dim=1)
                    x = layer(x) * (1 + scale) + shift
                else:
                    x = layer(x)
            return x

        return through(self.model, pictures)


def _normalised(network: nn.Module) -> list[int]:
    """Channels at each norm of a network, in the order of its layers: those of the convolution before."""
    found, width = [], 0
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            width = layer.out_channels
        elif isinstance(layer, InstanceNorm | nn.BatchNorm2d):
            found.append(width)
    return found


class Fixed(nn.Module):
    """A network of pictures and codes with one code for all: (N, 3, H, W) to (N, 3, H, W)."""

    fixed_code: Tensor

    def __init__(self, network: nn.Module, code: Tensor) -> None:
        """code: (length,)."""
        super().__init__()
        self.network = network
        self.register_buffer("fixed_code", code.to(next(network.parameters())), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.network(pictures, self.fixed_code.expand(pictures.shape[0], -1))


class CodeReader(nn.Module):
    """Codes of pictures: (N, channels, H, W) to (N, length). No norm: it would take out colours, which a style has."""

    def __init__(self, config: NetworkConfig, length: int, channels: int = PICTURE_CHANNELS) -> None:
        super().__init__()
        filters = config.discriminator_filters
        widths = [channels, filters, 2 * filters, 4 * filters]
        layers: list[nn.Module] = []
        for width, wider in pairwise(widths):
            layers += [nn.Conv2d(width, wider, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        self.model = nn.Sequential(*layers)
        self.read = nn.Linear(widths[-1], length)
        initialise(self, "kaiming")

    def forward(self, pictures: Tensor) -> Tensor:
        return self.read(self.model(pictures).mean((-2, -1)))


class CodeDiscriminator(nn.Module):
    """Scores codes: (N, length) to (N, 1)."""

    def __init__(self, length: int, width: int = 64) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(length, width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(width, 1),
        )

    def forward(self, codes: Tensor) -> Tensor:
        return self.model(codes)


class NamingDiscriminator(nn.Module):
    """Scores patches, and says of which of `kinds` a picture is (Choi et al. 2018, Table 5): (N, 3, H, W) to scores
    (N, 1, h, w) and logits (N, kinds). No norm, so that a gradient penalty is a picture's own.

    Strided convolutions down to two pixels at the size of training, six at most; logits are means over what is left, so
    that any size will do.
    """

    def __init__(self, config: NetworkConfig, kinds: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width, wider = PICTURE_CHANNELS, config.discriminator_filters
        for _ in range(max(1, min(6, halvings(config.first_size) - 1))):
            layers += [nn.Conv2d(width, wider, 4, stride=2, padding=1), nn.LeakyReLU(LEAK, inplace=True)]
            width, wider = wider, min(2 * wider, 32 * config.discriminator_filters)
        self.model = nn.Sequential(*layers)
        self.scores = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        self.kinds = nn.Conv2d(width, kinds, 1, bias=False)
        initialise(self, "kaiming")
        if config.spectral_norm != "none":
            normalise_spectra(self)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.model(pictures)
        return self.scores(seen), self.kinds(seen).mean((-2, -1))
