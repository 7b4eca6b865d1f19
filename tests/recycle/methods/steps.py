"""One step of a method, and the same step by its formulas."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recycle.config import MethodConfig
from recycle.methods.base import Method
from recycle.methods.history import HistoryPool
from tests.literal import FIRST, NETWORKS, assert_same, build, gradients, values, windows

BATCH_NORM = replace(NETWORKS, norm="batch")
Losses = dict[str, Tensor]


def one_step(method) -> dict[str, float]:
    a, b = windows(method.window)
    fakes, losses = method.generator_losses(a, b, FIRST)
    return values(losses | method.discriminator_losses(a, b, fakes, FIRST))


def assert_steps_are_literal(
    name: str,
    config: MethodConfig,
    literal: Callable[[Method, MethodConfig, Tensor, Tensor, dict[str, HistoryPool]], tuple[Losses, Losses]],
    steps: int = 1,
) -> None:
    """Losses and every network's gradient within 1e-5 in each step. What is drawn at random is drawn alike."""
    method = build(name, config)
    pools = copy.deepcopy(method.pools)
    for step in range(steps):
        a, b = windows(seed=step)
        torch.manual_seed(step)
        fakes, ours = method.generator_losses(a, b, FIRST)
        ours_gradients = gradients(method, ours)
        ours_judged = method.discriminator_losses(a, b, fakes, FIRST)
        ours_judged_gradients = gradients(method, ours_judged)

        torch.manual_seed(step)
        theirs, theirs_judged = literal(method, config, a, b, pools)
        assert values(ours) == pytest.approx(values(theirs), rel=1e-5)
        assert values(ours_judged) == pytest.approx(values(theirs_judged), rel=1e-5)
        assert_same(ours_gradients, gradients(method, theirs), method.generators)
        assert_same(ours_judged_gradients, gradients(method, theirs_judged), method.discriminators)


def alone_or_together(config: MethodConfig, *pictures: Tensor) -> list[tuple[Tensor, ...]]:
    """Picture by picture; under BatchNorm, where the pictures of a batch share statistics, all at once."""
    return [pictures] if config.networks.norm == "batch" else list(zip(*(p.split(1) for p in pictures), strict=True))
