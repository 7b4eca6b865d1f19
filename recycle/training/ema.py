"""Running mean of weights: calmer pictures than the weights of any one step (Karras et al. 2018, section 2)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class EMA:
    """Exponential running mean of the parameters of `networks`, and with them of BatchNorm's running statistics, which
    belong to them. A decay of 0 keeps none."""

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self._parameters: dict[str, Tensor] = {}
        if decay:
            for prefix, network in networks.items():
                self._parameters |= {f"{prefix}.{name}": value for name, value in network.named_parameters()}
                self._parameters |= {
                    f"{prefix}.{name}": value
                    for name, value in network.named_buffers()
                    if name.endswith(("running_mean", "running_var"))
                }
        self.weights: dict[str, Tensor] = {name: value.detach().clone() for name, value in self._parameters.items()}
        """The means, by the names that the parameters have in the method's state dict."""

    def update(self, steps: int) -> None:
        """Takes in the weights after step number `steps`, counted from 1. Early means forget faster."""
        decay = min(self.decay, (1 + steps) / (10 + steps))
        if self.weights:
            with torch.no_grad():  # all of them in a few kernels
                torch._foreach_lerp_(list(self.weights.values()), list(self._parameters.values()), 1 - decay)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Goes on from means that were saved. Raises KeyError where one is missing."""
        for name, mean in self.weights.items():
            mean.copy_(weights[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The networks carry the means inside and, bit for bit, their own weights again afterwards."""
        own = {name: value.detach().clone() for name, value in self._parameters.items()}
        with torch.no_grad():
            try:
                for name, value in self._parameters.items():
                    value.copy_(self.weights[name])
                yield
            finally:
                for name, value in self._parameters.items():
                    value.copy_(own[name])
