"""Loss terms: pure functions of tensors to a scalar, unweighted, computed in float32 at least.

A mean over a stack of k kinds of picture, times k, is the sum over the kinds.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recycle.config import AdversarialLoss


class Adversarial(NamedTuple):
    """One adversarial loss: scores of any shape to a scalar, lower is better for whoever minimises it.

    What a discriminator pays that cannot tell: least squares a quarter at scores of 1/2, cross entropy log 2 and hinge
    2 at scores of 0.

    >>> for name, score in (("lsgan", 0.5), ("vanilla", 0.0), ("hinge", 0.0)):
    ...     loss, scores = ADVERSARIAL[name], torch.full((2,), score)
    ...     print(name, round(float(loss.real(scores) + loss.fake(scores)), 4), round(float(loss.generator(scores)), 4))
    lsgan 0.25 0.25
    vanilla 0.6931 0.6931
    hinge 2.0 -0.0

    What a hinge has told well enough, by 1 or more, it lets be; least squares want exactly 1:

    >>> sure = torch.tensor([3.0])
    >>> float(ADVERSARIAL["hinge"].real(sure)), float(ADVERSARIAL["lsgan"].real(sure))
    (0.0, 2.0)
    """

    generator: Callable[[Tensor], Tensor]
    """What a generator minimises over the scores of its fakes."""
    real: Callable[[Tensor], Tensor]
    """The discriminator's share for the scores of real pictures ..."""
    fake: Callable[[Tensor], Tensor]
    """... and for those of fakes: it minimises the sum of both."""


ADVERSARIAL: dict[AdversarialLoss, Adversarial] = {
    # Mao et al. 2017, eq. 9, with the 1/2 for the discriminator alone, as in CycleGAN section 7.1
    "lsgan": Adversarial(
        generator=lambda scores: (_precise(scores) - 1).square().mean(),
        real=lambda scores: (_precise(scores) - 1).square().mean() / 2,
        fake=lambda scores: _precise(scores).square().mean() / 2,
    ),
    # Goodfellow et al. 2014, eq. 1, on logits; the generator maximises log D(fake), and the discriminator's loss is
    # halved, as in pix2pix section 3.3
    "vanilla": Adversarial(
        generator=lambda scores: nn.functional.softplus(-_precise(scores)).mean(),
        real=lambda scores: nn.functional.softplus(-_precise(scores)).mean() / 2,
        fake=lambda scores: nn.functional.softplus(_precise(scores)).mean() / 2,
    ),
    # SAGAN, Zhang et al. 2019, eq. 4
    "hinge": Adversarial(
        generator=lambda scores: -_precise(scores).mean(),
        real=lambda scores: (1 - _precise(scores)).relu().mean(),
        fake=lambda scores: (1 + _precise(scores)).relu().mean(),
    ),
    # Arjovsky et al. 2017, as Gulrajani et al. 2017 write it
    "wasserstein": Adversarial(
        generator=lambda scores: -_precise(scores).mean(),
        real=lambda scores: -_precise(scores).mean(),
        fake=lambda scores: _precise(scores).mean(),
    ),
}


def l1(pictures: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute difference of two tensors of one shape.

    >>> l1(torch.tensor([0.0, 0.5], dtype=torch.bfloat16), torch.tensor([1.0, 0.5], dtype=torch.bfloat16))
    tensor(0.5000)
    """
    return nn.functional.l1_loss(_precise(pictures), _precise(targets))


def _precise(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
