"""Random weights of VGG-19, and torchvision beside a torch of another build."""

from pathlib import Path

import pytest
import torch

WIDTHS = (64, 64, "pool", 128, 128, "pool", *4 * (256,), "pool", *4 * (512,), "pool", *4 * (512,))
"""VGG-19's convolutions, configuration E of Simonyan and Zisserman's table 1, without the last pooling."""
CONV4_4 = 15
"""Entries of WIDTHS up to conv4_4. All of them lead to relu5_4."""
_schemas: list[torch.library.Library] = []


def torchvision_or_skip() -> None:
    """Makes torchvision importable beside a torch of another build by declaring the operators that it looks for."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        assert "torchvision::nms" in str(error)
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _schemas.append(library)  # without it they would be gone again
    pytest.importorskip("torchvision", exc_type=RuntimeError)


def random_vgg(path: Path) -> Path:
    """A file of random weights of VGG-19's features, as torchvision names them."""
    torch.save(vgg_weights(), path)
    return path


def vgg_weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights, channels, number = {}, 3, 0
    for width in WIDTHS:
        if width == "pool":
            number += 1
            continue
        deviation = (2 / (9 * channels)) ** 0.5  # keeps the strength of the signal from layer to layer
        weights[f"features.{number}.weight"] = deviation * torch.randn(width, channels, 3, 3, generator=generator)
        weights[f"features.{number}.bias"] = 0.1 * torch.randn(width, generator=generator)
        channels, number = width, number + 2
    return weights
