"""U-Nets (Isola et al. 2017) as generators and as predictors of a next frame.

Module numbers, and so state-dict keys, are those of the authors' weight files. Pictures are float (N, C, H, W) in
[-1, 1].
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from recycle.networks.layers import PICTURE_CHANNELS, Norm, SelfAttention, normalisation


def halvings(size: int) -> int:
    """How often a side of `size` pixels is halved down to one: 8 times at 256, 7 at 128, 6 at 64."""
    return size.bit_length() - 1


class UNetLevel(nn.Module):
    """One level of the U-Net: halve, the levels inside, double, and beside that the skip."""

    def __init__(
        self,
        outer: int,
        inner: int,
        inside: "UNetLevel | None",
        *,
        norm: Norm = "instance",
        dropout: bool = False,
        attention: bool = False,
    ) -> None:
        super().__init__()
        bias = norm == "instance"
        layers: list[nn.Module] = [nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=bias)]
        if inside is not None:
            layers += [normalisation(norm, inner)]
        if attention:
            layers += [SelfAttention(inner)]
        if inside is not None:
            layers += [inside]
        grown_from = inner if inside is None else 2 * inner
        layers += [nn.ReLU(inplace=True), nn.ConvTranspose2d(grown_from, outer, 4, stride=2, padding=1, bias=bias)]
        layers += [normalisation(norm, outer)]
        if dropout:
            layers += [nn.Dropout(0.5)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, outer, H, W) to (N, 2 * outer, H, W)."""
        # The first layer works in place, so that the skip carries what it left in x, as in the published network; the
        # ReLU on the way up would make the same of either.
        return torch.cat([x, _through(self.model, x)], 1)


class OuterUNetLevel(nn.Module):
    """The outermost level: no activation before its convolution, no skip, tanh."""

    def __init__(self, channels_in: int, channels_out: int, inner: int, inside: UNetLevel, norm: Norm) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(channels_in, inner, 4, stride=2, padding=1, bias=norm == "instance"),
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
    """(N, channels_in, H, W) to (N, channels_out, H, W) through `downs` halvings; H and W from 2**downs up."""

    def __init__(
        self,
        channels_in: int,
        downs: int,
        filters: int = 64,
        *,
        channels_out: int = PICTURE_CHANNELS,
        norm: Norm = "instance",
        dropout: bool = False,
        attention: bool = False,
    ) -> None:
        """dropout: one half in every level of 8 times the filters on both sides but the innermost; in that, where it
        is the only one. attention: where a side is a quarter, on the way down, so that the skip of that level, too,
        carries what was gathered."""
        super().__init__()
        # Widths of the levels from the outside in: 1, 2, 4, 8, 8, 8 ... times `filters`.
        widths = [filters * min(2**level, 8) for level in range(downs)]
        inside: UNetLevel | None = None
        for number, (outer, inner) in reversed(list(enumerate(pairwise(widths), 1))):
            drop = dropout and outer == inner and (inside is not None or downs == 5)
            inside = UNetLevel(outer, inner, inside, norm=norm, dropout=drop, attention=attention and number == 1)
        if inside is None:
            raise ValueError(f"a U-Net of {downs} halvings: has to have at least 2")
        self.model = OuterUNetLevel(channels_in, channels_out, filters, inside, norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class UNetPredictor(UNet):
    """Predicts the third frame from two: each (N, 3, H, W), stacked to 6 channels (Recycle-GAN section 3)."""

    def __init__(self, size: int, filters: int = 64, *, norm: Norm = "instance") -> None:
        """size: the least side in pixels."""
        super().__init__(2 * PICTURE_CHANNELS, halvings(size), filters, norm=norm)

    def forward(self, pairs: Tensor) -> Tensor:
        """(N, 6, H, W), earlier frame first, to (N, 3, H, W)."""
        return super().forward(pairs)


class TwoViewPredictor(nn.Module):
    """Predicts the third frame from two: one stem sees each alone, a U-Net what it made of both.

    The network that the authors of Recycle-GAN call `prediction`. Its U-Net is 16 times as wide as the first
    convolution, and halves 6 times where the size allows.
    """

    def __init__(self, size: int, filters: int = 64, *, norm: Norm = "instance") -> None:
        """size: the least side in pixels."""
        super().__init__()
        downs, bias = min(halvings(size), 6), norm == "instance"
        # `model` between `model1` and `model3`, but named first: the order of keys is that of the authors' files.
        self.model = UNet(8 * filters, downs, 16 * filters, channels_out=4 * filters, norm=norm)
        self.model1 = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(PICTURE_CHANNELS, filters, 7, bias=bias),
            normalisation(norm, filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(filters, 2 * filters, 3, padding=1, bias=bias),
            normalisation(norm, 2 * filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * filters, 4 * filters, 3, padding=1, bias=bias),
            normalisation(norm, 4 * filters),
            nn.ReLU(inplace=True),
        )
        self.model3 = nn.Sequential(
            nn.Conv2d(4 * filters, 2 * filters, 3, padding=1, bias=bias),
            normalisation(norm, 2 * filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * filters, filters, 3, padding=1, bias=bias),
            normalisation(norm, filters),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(3),
            nn.Conv2d(filters, PICTURE_CHANNELS, 7),
            nn.Tanh(),
        )

    def forward(self, pairs: Tensor) -> Tensor:
        """(N, 6, H, W), earlier frame first, to (N, 3, H, W)."""
        # Each frame in its own forward: under BatchNorm the two share no statistics.
        seen = [self.model1(frame) for frame in pairs.split(PICTURE_CHANNELS, dim=1)]
        return self.model3(self.model(torch.cat(seen, 1)))
