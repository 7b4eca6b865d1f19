"""Networks that others trained: torchvision's, built only where one is used, with weights that are on the machine.

Nothing in a file of weights is executed. Nothing is fetched: a measure must not wait for a network.
"""

import importlib.metadata
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor


class WeightsError(ValueError):
    """A network of others cannot be had. One line: what, where, what to do."""


def torchvision_models(wanted: str) -> ModuleType:
    """torchvision.models. wanted: what it is imported for. Raises WeightsError where the installed one does not fit."""
    try:
        from torchvision import models
    except (ImportError, RuntimeError, OSError) as error:
        raise WeightsError(
            f"{wanted} needs torchvision, which cannot be imported beside torch {torch.__version__} "
            f"({_torchvision()}: {_line(error)}); install builds that match: both for the CPU or both for the same CUDA"
        ) from error
    return models


def find_weights(url: str, flag: str, otherwise: str) -> Path:
    """The file of `url` in torch's folder of weights. flag: the option that names another file. otherwise: what to do
    without it. Raises WeightsError where it is not there.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        raise WeightsError(f"{path}: not there; get it from {url}, or name it by {flag} FILE, or {otherwise}")
    return path


def read_weights(path: Path) -> dict[str, Any]:
    """What a file of weights holds, .safetensors or as PyTorch saves them. Raises WeightsError."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such file") from error
    except OSError as error:
        raise WeightsError(f"{path}: not a file of weights ({error.strerror or error})") from error
    except (RuntimeError, ValueError, LookupError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a file of weights") from error  # torch's own words advise what is not safe
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: not a file of weights (it holds a {type(content).__name__})")
    return content


def fitting(content: dict[str, Any], shaped: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The weights of a network of these shapes out of what `path` holds, which may hold more. Raises WeightsError."""
    for name, like in shaped.items():
        value = content.get(name)
        if not isinstance(value, Tensor) or value.shape != like.shape:
            found = f"is {list(value.shape)}" if isinstance(value, Tensor) else "is missing"
            raise WeightsError(f"{path}: weights of another network ({name} {found}, wanted {list(like.shape)})")
    return {name: content[name] for name in shaped}


def _torchvision() -> str:
    try:
        return f"torchvision {importlib.metadata.version('torchvision')}"
    except importlib.metadata.PackageNotFoundError:
        return "no torchvision"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
