"""What Inception-v3 (Szegedy et al. 2016) sees in a picture: the features of FID and KID."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from recycle.networks.pretrained import find_weights, fitting, read_weights, torchvision_models

LOOKED_AT_PX = 299
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision's weights want it


class Inception:
    """torchvision's Inception-v3 up to its last pooling.

    Its weights are not those of the TensorFlow file that published FIDs and KIDs were computed with, so figures compare
    among themselves only.
    """

    def __init__(self, network: nn.Module, device: str = "cpu") -> None:
        self._network, self._device = network.eval().to(device), device

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB to (2048,) float32."""
        picture = torch.from_numpy(np.ascontiguousarray(rgb)).to(self._device).permute(2, 0, 1)[None].float() / 255
        size = (LOOKED_AT_PX, LOOKED_AT_PX)
        picture = nn.functional.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)
        mean, deviation = (picture.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))
        with torch.inference_mode():
            return self._network((picture - mean) / deviation)[0].cpu().numpy()


def load_inception(path: Path | None, device: str = "cpu") -> Inception:
    """With the weights in `path`, or those where torchvision keeps them. Raises WeightsError."""
    models = torchvision_models("Inception")
    path = path or find_weights(
        models.Inception_V3_Weights.IMAGENET1K_V1.url, "--inception-weights", "do without FID and KID"
    )
    content = read_weights(path)
    network = models.inception_v3(weights=None, aux_logits=False, transform_input=False, init_weights=False)
    network.fc = nn.Identity()
    network.load_state_dict(fitting(content, network.state_dict(), path))
    return Inception(network, device)
