"""Layers that the networks are made of, and how their weights are drawn and kept.

Maps are float (N, C, H, W). Every layer but BatchNorm treats every picture of a batch alone.
"""

from collections.abc import Callable
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

PICTURE_CHANNELS = 3

Norm = Literal["instance", "batch"]
Init = Literal["normal", "xavier", "kaiming", "orthogonal"]

EPSILON = 1e-5
"""Added to variances, as PyTorch's norms do by default."""


class InstanceNorm(nn.Module):
    """InstanceNorm without affine parameters and running statistics (Ulyanov et al. 2016): (N, C, H, W) to the same.

    Written as GroupNorm with one channel a group: the same numbers, several times faster on a CPU, and a map of 1x1
    becomes 0 where `nn.InstanceNorm2d` refuses it.
    """

    channels_last = False
    """Whether maps come with the channels of a pixel side by side. GroupNorm's backward is ten times slower on those;
    BatchNorm's, of each picture alone, is not."""

    def forward(self, x: Tensor) -> Tensor:
        # Autocast would have GroupNorm return float32 on CUDA; its statistics are float32 inside anyway.
        with torch.autocast(x.device.type, enabled=False):
            if self.channels_last and x.shape[-2:].numel() > 1:
                alone = [
                    nn.functional.batch_norm(picture, None, None, training=True, eps=EPSILON) for picture in x.split(1)
                ]
                return alone[0] if len(alone) == 1 else torch.cat(alone)
            return torch.group_norm(x, x.shape[1], eps=EPSILON)


def normalisation(norm: Norm, channels: int) -> nn.Module:
    """What follows a convolution to `channels` channels.

    BatchNorm shifts by itself, so the convolution before it has no bias: `bias=norm == "instance"`, as published.
    """
    return nn.BatchNorm2d(channels) if norm == "batch" else InstanceNorm()


class NearestConvolution(nn.Conv2d):
    """Nearest-neighbour growth by 2, then a 3x3 convolution: no checkerboard (Odena et al. 2016)."""

    def __init__(self, channels_in: int, channels_out: int, bias: bool = True) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1, padding_mode="reflect", bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class SelfAttention(nn.Module):
    """Each place of a map gathers from all others what it lacks (SAGAN, Zhang et al. 2019, section 3).

    (N, C, H, W) to the same. Starts as the identity. Memory grows with H * W, not with its square.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 8, 1)
        self.query = nn.Conv2d(channels, inner, 1, bias=False)  # W_g
        self.key = nn.Conv2d(channels, inner, 1, bias=False)  # W_f
        self.value = nn.Conv2d(channels, inner, 1, bias=False)  # W_h
        self.output = nn.Conv2d(inner, channels, 1, bias=False)  # W_v
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        g, f, h = (_places(layer(x)) for layer in (self.query, self.key, self.value))
        # eq. 1: β_ji = exp(s_ij) / Σ_i exp(s_ij), s_ij = f(x_i)·g(x_j); eq. 2: o_j = v(Σ_i β_ji h(x_i))
        gathered = nn.functional.scaled_dot_product_attention(g, f, h, scale=1.0)
        o = self.output(gathered.squeeze(1).transpose(1, 2).unflatten(2, x.shape[-2:]))
        return self.gamma * o + x  # eq. 3


def _places(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, 1, H * W, C), one head, laid out as the kernels that keep no square of H * W want it."""
    # `contiguous()` would leave a single channel with strides that those kernels refuse.
    return x.flatten(2).transpose(1, 2).clone(memory_format=torch.contiguous_format).unsqueeze(1)


def initialise(network: nn.Module, init: Init = "normal", gain: float = 0.02) -> None:
    """Draws weights of convolutions and linear layers by `init`, and of BatchNorm around 1, as CycleGAN's authors do.

    gain: standard deviation of normal weights and of BatchNorm's, gain of xavier (Glorot and Bengio 2010) and of
    orthogonal (Saxe et al. 2014) ones; kaiming (He et al. 2015), by the number of inputs, has none. Biases of
    convolutions keep PyTorch's draw, as in Recycle-GAN.
    """
    draws: dict[Init, Callable[[Tensor], Tensor]] = {
        "normal": lambda weight: nn.init.normal_(weight, 0.0, gain),
        "xavier": lambda weight: nn.init.xavier_normal_(weight, gain),
        "kaiming": lambda weight: nn.init.kaiming_normal_(weight, a=0, mode="fan_in"),
        "orthogonal": lambda weight: nn.init.orthogonal_(weight, gain),
    }
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            draws[init](module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, gain)
            nn.init.zeros_(module.bias)


def normalise_spectra(network: nn.Module) -> None:
    """Spectral normalisation of every convolution of a network (Miyato et al. 2018, eq. 8): W / σ(W).

    σ, the largest singular value of W with a row for each output channel, is followed by one power iteration a forward
    in training mode (their Algorithm 1); in evaluation mode its singular vectors, which are buffers, stay. To be called
    after the weights are drawn.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            spectral_norm(module)
            steps = cast(nn.ModuleList, cast(nn.ModuleDict, module.parametrizations)["weight"])
            steps[0] = _OutsideAutocast(steps[0])


class _OutsideAutocast(nn.Module):
    """A parametrization computed in the weight's own precision: bfloat16 leaves a power iteration two digits of σ."""

    def __init__(self, parametrization: nn.Module) -> None:
        super().__init__()
        self.parametrization = parametrization

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            return self.parametrization(weight)
