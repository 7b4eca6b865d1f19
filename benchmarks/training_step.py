"""How fast a training step is: stacked forwards against the same formulas picture by picture, in one run.

    python benchmarks/training_step.py [--methods recyclegan cyclegan] [--presets tiny small paper] [--steps 5]
        [--threads 2]

The picture-by-picture step is the literal transcription that the tests hold ours against, with torch's InstanceNorm2d
and plain Adam: how the published code goes about it. Steps of the two alternate, so that a noisy machine slows both.
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from recycle.config import PRESETS
from recycle.methods import METHODS
from recycle.methods.base import Moment
from recycle.training.learner import frozen
from tests.literal import LITERAL, literal_step, with_torch_norm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=list(LITERAL), choices=list(LITERAL))
    parser.add_argument("--presets", nargs="+", default=["tiny"], choices=list(PRESETS))
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {options.threads} threads"
    print(f"{name}, torch {torch.__version__}, float32, batch 1, median of {options.steps} alternating steps\n")
    print("| method | preset | stacked, ms | picture by picture, ms | ratio |\n|---|---|---|---|---|")
    for preset in options.presets:
        for method in options.methods:
            ours, theirs = _alternating(*_steps(method, preset, device), options.steps, device)
            print(f"| {method} | {preset} | {ours:.0f} | {theirs:.0f} | {theirs / ours:.2f} |", flush=True)


def _steps(name: str, preset: str, device: torch.device) -> tuple[Callable[[], None], Callable[[], None]]:
    """One optimisation step each way, from the same weights."""
    torch.manual_seed(0)
    config, training = METHODS[name].defaults(preset)
    method = METHODS[name](config).to(device)
    plain = copy.deepcopy(method)
    with_torch_norm(plain)
    shape = (2, 1, method.window, 3, config.networks.size, config.networks.size)
    a, b = (torch.rand(shape, device=device) * 2 - 1).unbind()

    def optimizers(of: nn.Module, fused: bool) -> list[torch.optim.Adam]:
        halves = (of.generator_parameters(), of.discriminator_parameters())
        return [torch.optim.Adam(half, training.learning_rate, (0.5, 0.999), fused=fused) for half in halves]

    fused, unfused = optimizers(method, True), optimizers(plain, False)

    def stacked() -> None:
        first = Moment(step=1, progress=0.0)
        with frozen(method.discriminator_parameters()):
            fakes, losses = method.generator_losses(a, b, first)
            _descend(losses, fused[0])
        _descend(method.discriminator_losses(a, b, fakes, first), fused[1])

    def literal() -> None:
        generator_losses, discriminator_losses = literal_step(name, plain, config, a, b, plain.pools)
        _descend(generator_losses, unfused[0])
        _descend(discriminator_losses, unfused[1])

    return stacked, literal


def _descend(losses: dict[str, torch.Tensor], optimizer: torch.optim.Adam) -> None:
    optimizer.zero_grad()
    sum(losses.values()).backward()
    optimizer.step()


def _alternating(
    first: Callable[[], None], second: Callable[[], None], times: int, device: torch.device
) -> tuple[float, float]:
    """Median milliseconds of each, after one step that is not counted."""
    seconds: list[list[float]] = [[], []]
    for _ in range(times + 1):
        for step, taken in zip((first, second), seconds, strict=True):
            began = time.perf_counter()
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - began)
    ours, theirs = (1000 * statistics.median(taken[1:]) for taken in seconds)
    return ours, theirs


if __name__ == "__main__":
    main()
