"""What a training step costs on a CPU, by what is changed about it, in seconds of computing.

    python benchmarks/cpu_step.py [--method cyclegan] [--preset tiny] [--times 6] [--kinds now planes ...]

Kinds: now, as it trains (bfloat16, channels of a pixel side by side); planes, the same with each channel a plane of its
own; recompute, with --recompute; float32 and float32-planes; compiled and float32-compiled, each network through
torch.compile, whose own seconds are printed; literal, the formulas picture by picture in float32 with
torch's InstanceNorm2d and plain Adam, as published code goes about it; batch-N, N windows at once. Steps of the kinds
alternate on one thread; figures are medians of `process_time`, which other work on the machine does not stretch.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from lightning_fabric import Fabric

sys.path.insert(0, str(Path(__file__).parents[1]))

from recycle.config import PRESETS, TrainingConfig
from recycle.methods import METHODS
from recycle.methods.base import Moment
from recycle.training import learner
from tests.literal import LITERAL, literal_step, with_torch_norm

MOMENT = Moment(step=1, progress=0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", default="cyclegan", choices=list(METHODS))
    parser.add_argument("--preset", default="tiny", choices=list(PRESETS))
    parser.add_argument("--times", type=int, default=6)
    parser.add_argument("--kinds", nargs="+", default=["now", "planes", "recompute", "float32", "float32-planes"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps = {kind: _step(options.method, options.preset, kind) for kind in options.kinds}
    seconds: dict[str, list[float]] = {kind: [] for kind in steps}
    for _ in range(options.times + 1):
        for kind, step in steps.items():
            began = time.process_time()
            step()
            seconds[kind].append(time.process_time() - began)
    for kind in seconds:
        if "compiled" in kind:
            print(f"{kind}: {seconds[kind][0] - statistics.median(seconds[kind][1:]):.0f} s more in its first step")
    first = statistics.median(seconds[options.kinds[0]][1:])
    print(
        f"| {options.method}, {options.preset} | ms a window | {options.kinds[0]} is x times as fast |\n|---|---|---|"
    )
    for kind, taken in seconds.items():
        own = statistics.median(taken[1:]) / _windows(kind)
        print(f"| {kind} | {1000 * own:.0f} | {own * _windows(options.kinds[0]) / first:.2f} |")


def _windows(kind: str) -> int:
    return int(kind.removeprefix("batch-")) if kind.startswith("batch-") else 1


def _step(name: str, preset: str, kind: str) -> Callable[[], object]:
    torch.manual_seed(0)
    config, training = METHODS[name].defaults(preset)
    method = METHODS[name](config)
    side = config.networks.size
    a, b = torch.rand(2, _windows(kind), method.window, 3, side, side) * 2 - 1
    if kind == "literal":
        assert name in LITERAL, f"there is no literal step of {name}"
        with_torch_norm(method)
        halves = method.generator_parameters(), method.discriminator_parameters()
        optimizers = [torch.optim.Adam(half, training.learning_rate, (0.5, 0.999)) for half in halves]
        return lambda: _literal(literal_step(name, method, config, a, b, method.pools), optimizers)
    planes = kind in ("planes", "float32-planes")
    before, learner.BY_PIXELS = learner.BY_PIXELS, set() if planes else {"cpu"}
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true" if "float32" in kind else "bf16-mixed")
    made = learner.Learner(method, TrainingConfig(steps=1000, recompute=kind == "recompute"), fabric)
    learner.BY_PIXELS = before
    if "compiled" in kind:
        for network in method.children():
            network.compile(dynamic=False)
    return lambda: made.step(MOMENT, training.learning_rate, a, b)


def _literal(halves: tuple[dict[str, torch.Tensor], ...], optimizers: list[torch.optim.Adam]) -> None:
    for losses, optimizer in zip(halves, optimizers, strict=True):
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()


if __name__ == "__main__":
    main()
