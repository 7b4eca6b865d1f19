"""Networks that say of which class each pixel is: torchvision's, and a small one for small pictures.

torchvision is imported inside only, and so only where one of its networks is asked for.
"""

from typing import Literal, cast

import torch
from torch import Tensor, nn

from recycle.networks.layers import PICTURE_CHANNELS
from recycle.networks.pretrained import torchvision_models

LabellerName = Literal["small", "lraspp_mobilenet_v3_large", "fcn_resnet50", "deeplabv3_resnet50"]
SMALL_FILTERS = 16


class SmallLabeller(nn.Module):
    """(N, 3, H, W) in [-1, 1] to logits (N, classes, H, W): halved twice, as often doubled, with skips."""

    def __init__(self, classes: int, filters: int = SMALL_FILTERS) -> None:
        super().__init__()
        self.fine = _convolutions(PICTURE_CHANNELS, filters)
        self.middle = _convolutions(filters, 2 * filters)
        self.coarse = _convolutions(2 * filters, 4 * filters)
        self.up_middle = _convolutions(6 * filters, 2 * filters)
        self.up_fine = _convolutions(3 * filters, filters)
        self.name = nn.Conv2d(filters, classes, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        fine = self.fine(pictures)
        middle = self.middle(nn.functional.max_pool2d(fine, 2))
        coarse = self.coarse(nn.functional.max_pool2d(middle, 2))
        middle = self.up_middle(torch.cat([_grown(coarse, middle), middle], 1))
        return self.name(self.up_fine(torch.cat([_grown(middle, fine), fine], 1)))


class _Torchvision(nn.Module):
    """One of torchvision's, for pictures in [-1, 1], which is near enough to how its weights expect them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        return self.network(pictures)["out"]


def build_labeller(name: LabellerName, classes: int) -> nn.Module:
    """(N, 3, H, W) in [-1, 1] to logits (N, classes, H, W), fresh weights. Raises WeightsError without torchvision."""
    if name == "small":
        return SmallLabeller(classes)
    models = torchvision_models(f"--network {name}")
    build = getattr(models.segmentation, name)
    return _Torchvision(cast(nn.Module, build(weights=None, weights_backbone=None, num_classes=classes)))


def _convolutions(channels_in: int, channels_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (channels_in, channels_out):
        layers += [nn.Conv2d(width, channels_out, 3, padding=1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()]
    return nn.Sequential(*layers)


def _grown(x: Tensor, like: Tensor) -> Tensor:
    return nn.functional.interpolate(x, like.shape[-2:], mode="nearest")
