"""VGG-19 features of pictures (Simonyan and Zisserman 2015) for content terms.

torchvision is imported inside only, and so only where a content term is on.
"""

from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from recycle.networks.pretrained import WeightsError, fitting, read_weights, torchvision_models

ContentLayer = Literal["conv4_4", "relu5_4"]

_LAYERS: dict[ContentLayer, int] = {"conv4_4": 26, "relu5_4": 36}
"""Modules of torchvision's `vgg19().features` up to each layer. conv4_4 is taken before its ReLU."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0, 1], red, green, blue, as torchvision's weights expect them to be taken out."""


class FeaturesError(ValueError):
    """The features cannot be had. One line: what, where, what to do."""


class ContentFeatures:
    """What a layer of VGG-19 sees in pictures. Gradients lead through it to the pictures and never into it.

    No nn.Module, so that a method that holds one counts it neither among its weights nor among its state.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        """layers: of VGG-19, for pictures normalised by ImageNet's mean and deviation."""
        self._layers = nn.Sequential(_Normalise(), *layers).eval().requires_grad_(False)

    def on(self, device: torch.device) -> "ContentFeatures":
        """Itself, with its weights there: else they get there with the first pictures."""
        self._layers.to(device)
        return self

    def __call__(self, pictures: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] to (N, 512, h, w) on the same device, float32 or, for float64, float64.

        h and w are H and W halved three times for conv4_4 and four times for relu5_4, rounded down.
        """
        # Weights never follow pictures below float32: they would come back without their last digits.
        dtype = torch.promote_types(pictures.dtype, torch.float32)
        return self._layers.to(pictures.device, dtype)(pictures.to(dtype))


class _Normalise(nn.Module):
    """Pictures in [-1, 1] as ImageNet networks take them."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        return ((pictures + 1) / 2 - self.mean) / self.deviation


def load_vgg(path: Path | None, layer: ContentLayer = "conv4_4") -> ContentFeatures:
    """VGG-19 up to `layer`, on the CPU.

    path: weights of torchvision's vgg19, or of its features alone, as .safetensors or as PyTorch saves them. None takes
    them from where torchvision keeps them, and fetches them there once.
    Raises FeaturesError.
    """
    try:
        models = torchvision_models("the content term")
    except WeightsError as error:
        raise FeaturesError(
            f"{error}, such as torchvision 0.28.0 beside torch 2.13.0; or switch the term off with --content 0"
        ) from error
    url = models.VGG19_Weights.IMAGENET1K_V1.url
    with torch.device("meta"):  # shapes alone: the classifier is large and not needed
        layers = models.vgg19(weights=None).features[: _LAYERS[layer]]
    path = path or _fetched(url)
    try:
        content = {str(name).removeprefix("features."): value for name, value in read_weights(path).items()}
        weights = fitting(content, layers.state_dict(), path)
    except WeightsError as error:
        raise FeaturesError(
            f"{error}; get the weights of VGG-19 from {url} and name the file by --vgg-weights FILE, or switch the "
            "content term off with --content 0"
        ) from error
    layers.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
    return ContentFeatures(layers)


def compared(extract: Callable[[Tensor], Tensor] | None, pictures: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """Features of `pictures` and, without gradient, of the `source` they are to keep the content of.

    extract: a method's `content`. Raises RuntimeError where it was not given.
    """
    if extract is None:
        raise RuntimeError("the content term has a weight but no features: set `method.content` before training")
    with torch.no_grad():
        wanted = extract(source)
    return extract(pictures), wanted


def _fetched(url: str) -> Path:
    """The file of `url` in torch's folder of weights, fetched and checked where it is not there yet."""
    name = url.rpartition("/")[2]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path.is_file():
        return path
    digest = Path(name).stem.rpartition("-")[2]  # the first digits of its sha256
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=digest)
    except (OSError, RuntimeError, HTTPException) as error:
        raise FeaturesError(
            f"{path}: the weights of VGG-19 are not there and cannot be fetched ({_line(error)}); get {name} from "
            f"{url} and put it there or name it by --vgg-weights FILE, or switch the term off with --content 0"
        ) from error
    return path


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
