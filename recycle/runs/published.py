"""Weight files of the papers: generators as the authors of CycleGAN, pix2pix and Recycle-GAN save and load them.

Such a file is a state dict and says nothing about its network: that is found from names and shapes alone.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from recycle.config import NetworkConfig, residual_blocks
from recycle.networks.networks import build_generator, smallest_side

OFFERED = ("resnet_6blocks", "resnet_9blocks", "unet_128", "unet_256")
"""Generators by the names that the authors' option --netG takes."""

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_UNET_DOWN = re.compile(r"model\.model\.1(\.model\.3)*\.model\.1\.weight")
_UNET_DOWNS = range(5, 13)  # the published U-Net has at least 5 halvings; 12 are one of 4096 px
_OTHER_NETWORKS = {
    "model.0.weight": "a discriminator",
    "net.0.weight": "a discriminator",
    "model1.1.weight": "a predictor",
}
"""First weights of the networks that are no generators."""


class WeightFileError(ValueError):
    """A file holds no generator of the papers, or a generator is none of theirs. One line."""


@dataclass(frozen=True)
class PublishedGenerator:
    """What a weight file holds."""

    networks: NetworkConfig
    """The generator's fields. `size` is what a U-Net is deep for, the default where the network does not tell.
    Dropout in a U-Net leaves no trace; it is none in evaluation."""
    weights: dict[str, Tensor]
    """The state dict of `build_generator(networks)`: float32 (counters int64) on the CPU."""


def read_generator(path: Path) -> PublishedGenerator:
    """The generator in a .pth or .safetensors file. Nothing in the file is ever executed.

    Understood are ResNets and U-Nets from RGB to RGB with InstanceNorm or BatchNorm, with the prefix `module.` that
    DataParallel leaves, and with the running statistics that InstanceNorm had before PyTorch 0.4 and that the authors'
    programs ignore as well. Raises WeightFileError.
    """
    tensors = _open(path)
    if all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    tensors = dict(_current(tensors))
    try:
        networks = _architecture(tensors)
        _check_fit(networks, tensors)
    except ValueError as error:
        raise WeightFileError(f"{path}: {error}") from error
    # Copies, because tensors of one file may share their memory.
    weights = {n: (v.long() if n.endswith("num_batches_tracked") else v.float()).clone() for n, v in tensors.items()}
    broken = next((name for name, value in weights.items() if not torch.isfinite(value).all()), None)
    if broken:
        raise WeightFileError(f"{path}: {broken} holds values that are no numbers, so it came out of a failed training")
    return PublishedGenerator(networks, weights)


def to_published(networks: NetworkConfig, weights: Mapping[str, Tensor]) -> bytes:
    """A .pth file that the authors' programs load: a plain dict of tensors under their names, in the zip format that
    PyTorch reads since 1.6.

    weights: the state dict of a generator that was built from `networks`. Raises WeightFileError where their programs
    have no such generator.
    """
    lacking = {
        "self-attention (--attention)": networks.attention,
        "spectral norm (--spectral-norm both)": networks.spectral_norm == "both",
        "growth by nearest neighbours (--upsampling nearest)": networks.upsampling == "nearest",
    }
    own = [what for what, wanted in lacking.items() if wanted]
    if own:
        raise WeightFileError(f"the authors' programs have no {' and no '.join(own)} in a generator")
    file = io.BytesIO()
    torch.save({name: value.detach().cpu().clone() for name, value in weights.items()}, file)
    return file.getvalue()


def describe(networks: NetworkConfig) -> str:
    """A generator in the words of the authors' options."""
    dropout = ", dropout" if networks.dropout else ""
    return f"{_net_g(networks)}, {networks.generator_filters} filters, {networks.norm} norm{dropout}"


def is_offered(networks: NetworkConfig) -> bool:
    """Whether the authors' programs build such a generator without a change to their code."""
    return _net_g(networks) in OFFERED


def _net_g(networks: NetworkConfig) -> str:
    unet = residual_blocks(networks.generator) is None
    return f"unet_{smallest_side(networks)}" if unet else networks.generator


def _open(path: Path) -> dict[str, Tensor]:
    """All tensors of a file by name. Raises WeightFileError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightFileError(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        if path.suffix == ".safetensors":
            tensors = safetensors.torch.load(content)
        else:
            with warnings.catch_warnings(
                action="ignore"
            ):  # what is odd about a file ends in an error or does not matter
                tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # damaged and hostile files raise whatever they lead their reader into
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted:
            raise WeightFileError(
                f"{path}: holds more than weights ({wanted[1]}), and nothing that could run is opened; "
                "save the generator's state_dict() alone"
            ) from error
        raise WeightFileError(f"{path}: damaged, or no weight file of PyTorch") from error
    if not isinstance(tensors, dict) or not tensors or not all(_plain(*item) for item in tensors.items()):
        raise WeightFileError(f"{path}: is no state dict, which has tensors by name and nothing else")
    return tensors


def _plain(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, Tensor)
        and (value.device.type, value.layout) == ("cpu", torch.strided)
        and not (value.is_quantized or value.is_complex())
    )


def _current(tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Names as PyTorch has them since 0.4.1: statistics for BatchNorm alone, and there with a counter."""
    for name, value in tensors.items():
        layer, _, kind = name.rpartition(".")
        if kind not in _STATISTICS or f"{layer}.weight" in tensors:
            yield name, value
            counter = f"{layer}.num_batches_tracked"
            if kind == "running_var" and counter not in tensors:
                yield counter, torch.tensor(0)


def _architecture(tensors: dict[str, Tensor]) -> NetworkConfig:
    """The settings of the generator that has these tensors, if one has. Raises ValueError."""
    for name, network in _OTHER_NETWORKS.items():
        if name in tensors:
            raise ValueError(f"is {network}; give a generator's file, such as latest_net_G_A.pth")
    blocks = {name.split(".")[1] for name in tensors if re.match(r"model\.\d+\.conv_block\.", name)}
    first = tensors.get("model.1.weight" if blocks else "model.model.0.weight")
    if first is None or first.ndim != 4 or not first.numel():
        raise ValueError("is neither a ResNet nor a U-Net generator of CycleGAN, pix2pix or Recycle-GAN")
    if blocks:
        return NetworkConfig(
            generator=f"resnet_{len(blocks)}blocks",
            generator_filters=len(first),
            norm="batch" if "model.2.weight" in tensors else "instance",
            # Dropout has no weights but moves the second convolution of a block from place 5 to place 6.
            dropout=not any(name.endswith(".conv_block.5.weight") for name in tensors),
        )
    if first.shape[1] == 6:
        raise ValueError("is a predictor, which takes two frames; give a generator's file, such as latest_net_G_A.pth")
    downs = 1 + sum(_UNET_DOWN.fullmatch(name) is not None for name in tensors)
    if downs not in _UNET_DOWNS:
        raise ValueError(f"is a U-Net that halves {downs} times; the published ones do so 7 or 8 times")
    return NetworkConfig(
        size=1 << downs,
        generator="unet",
        generator_filters=len(first),
        norm="batch" if "model.model.1.model.2.weight" in tensors else "instance",
    )


def _check_fit(networks: NetworkConfig, tensors: dict[str, Tensor]) -> None:
    """Raises ValueError unless the tensors are those of the generator, name for name and shape for shape."""
    with torch.device("meta"):
        expected = {name: tuple(value.shape) for name, value in build_generator(networks).state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if found.get(name) == expected.get(name):
            continue
        if name not in found:
            wrong = f"{name} is missing"
        elif name not in expected:
            wrong = f"such one has no {name}"
        else:
            wrong = f"{name} is {found[name]} and not {expected[name]}"
        raise ValueError(f"is not quite a generator of {describe(networks)}: {wrong}")
