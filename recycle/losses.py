"""Loss terms: pure functions of tensors to a scalar, unweighted, computed in float32 at least.

Names say whose loss it is. A mean over a stack of k kinds of picture, times k, is the sum over the kinds.
"""

import torch
from torch import Tensor, nn

REAL = 1.0
FAKE = 0.0


def lsgan_generator(fake_scores: Tensor) -> Tensor:
    """What a generator minimises: mean (D(fake) - 1)^2 (Mao et al. 2017, eq. 9 without its 1/2; CycleGAN eq. 1)."""
    return _squared_distance(fake_scores, REAL)


def lsgan_discriminator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """What a discriminator minimises: 1/2 [mean (D(real) - 1)^2 + mean D(fake)^2] (Mao et al. 2017, eq. 9)."""
    return 0.5 * (_squared_distance(real_scores, REAL) + _squared_distance(fake_scores, FAKE))


def l1(pictures: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute difference of two tensors of one shape."""
    return nn.functional.l1_loss(_at_least_float32(pictures), _at_least_float32(targets))


def _squared_distance(scores: Tensor, value: float) -> Tensor:
    return (_at_least_float32(scores) - value).square().mean()


def _at_least_float32(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
