"""Labellers on disk: one file of weights that says which network they are of."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from recycle.networks.labelling import LabellerName, build_labeller
from recycle.networks.pretrained import WeightsError


def labeller_file(labeller: nn.Module, network: LabellerName, classes: Sequence[str]) -> bytes:
    """A .safetensors file."""
    weights = {name: value.detach().cpu().contiguous() for name, value in labeller.state_dict().items()}
    return safetensors.torch.save(weights, {"network": network, "classes": "\n".join(classes)})


def load_guard(path: Path) -> Callable[[Tensor], Tensor]:
    """What a labeller sees: (N, 3, H, W) in [-1, 1] to logits (N, classes, H, W), float32 at least, on their device.

    Gradients lead through it and never into it. Raises WeightsError.
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        labeller = build_labeller(cast(LabellerName, about["network"]), len(about["classes"].split("\n")))
        labeller.load_state_dict(weights)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such file") from error
    except (OSError, SafetensorError, KeyError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{path}: no labeller that retarget adapt wrote") from error
    layers = nn.Sequential(labeller).eval().requires_grad_(False)

    def seen(pictures: Tensor) -> Tensor:
        dtype = torch.promote_types(pictures.dtype, torch.float32)
        with torch.autocast(pictures.device.type, enabled=False):
            return layers.to(pictures.device, dtype)(pictures.to(dtype))

    return seen
