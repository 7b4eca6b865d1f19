"""Weight files of the papers, drawn at random, and what their networks make of a picture: written out tensor by tensor.

Names and layers as in the authors' programs; nothing here asks our own networks.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

Weights = dict[str, Tensor]


def _convolution(name: str, *shape: int, bias: bool, outputs: int) -> Iterator[tuple[str, Tensor]]:
    yield f"{name}.weight", torch.randn(shape) * 0.15
    if bias:
        yield f"{name}.bias", torch.randn(outputs) * 0.1


def _norm(name: str, kind: str, channels: int) -> Iterator[tuple[str, Tensor]]:
    if kind == "batch":
        yield f"{name}.weight", torch.rand(channels) + 0.5
        yield f"{name}.bias", torch.randn(channels) * 0.2
        yield f"{name}.running_mean", torch.randn(channels) * 0.2
        yield f"{name}.running_var", torch.rand(channels) + 0.5
        yield f"{name}.num_batches_tracked", torch.tensor(7)


def draw_resnet(blocks: int = 2, filters: int = 3, norm: str = "instance", dropout: bool = False) -> Weights:
    """A ResNet generator's file, in the order in which the authors' program writes it."""
    bias, weights = norm == "instance", {}

    def layer(place: str, channels_in: int, channels_out: int, side: int, *, grows: bool = False) -> None:
        shape = (channels_in, channels_out) if grows else (channels_out, channels_in)
        weights.update(_convolution(place, *shape, side, side, bias=bias, outputs=channels_out))
        prefix, number = place.rsplit(".", 1)
        weights.update(_norm(f"{prefix}.{int(number) + 1}", norm, channels_out))

    layer("model.1", 3, filters, 7)
    layer("model.4", filters, 2 * filters, 3)
    layer("model.7", 2 * filters, 4 * filters, 3)
    for block in range(10, 10 + blocks):
        layer(f"model.{block}.conv_block.1", 4 * filters, 4 * filters, 3)
        layer(f"model.{block}.conv_block.{6 if dropout else 5}", 4 * filters, 4 * filters, 3)
    layer(f"model.{10 + blocks}", 4 * filters, 2 * filters, 3, grows=True)
    layer(f"model.{13 + blocks}", 2 * filters, filters, 3, grows=True)
    weights.update(_convolution(f"model.{17 + blocks}", 3, filters, 7, 7, bias=True, outputs=3))
    return weights


def resnet(weights: Weights, pictures: Tensor) -> Tensor:
    """What a ResNet generator with these weights makes of pictures, in evaluation mode."""
    blocks = sum(name.endswith("conv_block.1.weight") for name in weights)

    def convolved(x: Tensor, place: str, pad: int = 0, **how: int) -> Tensor:
        x = functional.pad(x, (pad,) * 4, "reflect") if pad else x
        return functional.conv2d(x, weights[f"{place}.weight"], weights.get(f"{place}.bias"), **how)

    def normed(x: Tensor, place: str) -> Tensor:
        return _normed(weights, x, place)

    x = normed(convolved(pictures, "model.1", pad=3), "model.2").relu()
    x = normed(convolved(x, "model.4", stride=2, padding=1), "model.5").relu()
    x = normed(convolved(x, "model.7", stride=2, padding=1), "model.8").relu()
    for block in range(10, 10 + blocks):
        place = f"model.{block}.conv_block"
        second = 5 if f"{place}.5.weight" in weights else 6
        inside = normed(convolved(x, f"{place}.1", pad=1), f"{place}.2").relu()
        x = x + normed(convolved(inside, f"{place}.{second}", pad=1), f"{place}.{second + 1}")
    for place in (10 + blocks, 13 + blocks):
        grown = {"stride": 2, "padding": 1, "output_padding": 1}
        x = functional.conv_transpose2d(
            x, weights[f"model.{place}.weight"], weights.get(f"model.{place}.bias"), **grown
        )
        x = normed(x, f"model.{place + 1}").relu()
    return convolved(x, f"model.{17 + blocks}", pad=3).tanh()


def draw_unet(halvings: int = 5, filters: int = 2, norm: str = "instance") -> Weights:
    """A U-Net generator's file."""
    bias, weights = norm == "instance", {}
    widths = [3, *(filters * min(2**level, 8) for level in range(halvings))]
    weights.update(_convolution("model.model.0", filters, 3, 4, 4, bias=bias, outputs=filters))

    def level(place: str, number: int) -> None:
        outer, inner, innermost = widths[number - 1], widths[number], number == halvings
        weights.update(_convolution(f"{place}.1", inner, outer, 4, 4, bias=bias, outputs=inner))
        if not innermost:
            weights.update(_norm(f"{place}.2", norm, inner))
            level(f"{place}.3.model", number + 1)
        up, grown_from = (3, inner) if innermost else (5, 2 * inner)
        weights.update(_convolution(f"{place}.{up}", grown_from, outer, 4, 4, bias=bias, outputs=outer))
        weights.update(_norm(f"{place}.{up + 1}", norm, outer))

    level("model.model.1.model", 2)
    weights.update(_convolution("model.model.3", 2 * filters, 3, 4, 4, bias=True, outputs=3))
    return weights


def unet(weights: Weights, pictures: Tensor) -> Tensor:
    """What a U-Net generator with these weights makes of pictures, in evaluation mode."""

    def down(x: Tensor, place: str) -> Tensor:
        return functional.conv2d(x, weights[f"{place}.weight"], weights.get(f"{place}.bias"), stride=2, padding=1)

    def up(x: Tensor, place: str) -> Tensor:
        weight, bias = weights[f"{place}.weight"], weights.get(f"{place}.bias")
        return functional.conv_transpose2d(x.relu(), weight, bias, stride=2, padding=1)

    def level(x: Tensor, place: str) -> Tensor:
        skip = functional.leaky_relu(x, 0.2)
        x = down(skip, f"{place}.1")
        if f"{place}.5.weight" in weights:
            x = level(_normed(weights, x, f"{place}.2"), f"{place}.3.model")
            x = _normed(weights, up(x, f"{place}.5"), f"{place}.6")
        else:
            x = _normed(weights, up(x, f"{place}.3"), f"{place}.4")
        return torch.cat([skip, x], 1)

    return up(level(down(pictures, "model.model.0"), "model.model.1.model"), "model.model.3").tanh()


def _normed(weights: Weights, x: Tensor, place: str) -> Tensor:
    if f"{place}.weight" not in weights:
        return functional.instance_norm(x)
    statistics = (weights[f"{place}.running_mean"], weights[f"{place}.running_var"])
    return functional.batch_norm(x, *statistics, weights[f"{place}.weight"], weights[f"{place}.bias"])


def with_old_statistics(weights: Weights) -> Weights:
    """As before PyTorch 0.4 and just after: every InstanceNorm keeps running statistics. They mean nothing."""
    result: Weights = {}
    for name, value in weights.items():
        result[name] = value
        if name.endswith(".bias") and not name.startswith(("model.model.0", "model.model.3")):
            prefix, number = name.removesuffix(".bias").rsplit(".", 1)
            norm = f"{prefix}.{int(number) + 1}"
            result[f"{norm}.running_mean"] = torch.randn(len(value))
            result[f"{norm}.running_var"] = torch.rand(len(value))
            result[f"{norm}.num_batches_tracked"] = torch.tensor(3)
    return result
