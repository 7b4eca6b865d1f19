"""What a training step keeps in memory, computed from shapes alone: nothing is executed, so it takes any size anywhere.

    python benchmarks/memory.py [--methods recyclegan cyclegan] [--presets paper] [--sizes 256 512] [--batches 1]

Weights are counted with their gradient, both means of Adam and, of generators, the running mean. Kept: what the forward
of the generators' half, the larger one, saves for its backward, without and with --recompute. What kernels take for a
moment comes on top.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from torch._subclasses.fake_tensor import FakeTensorMode

sys.path.insert(0, str(Path(__file__).parents[1]))

from recycle.config import PRESETS
from recycle.methods import METHODS
from recycle.training.memory import kept_bytes, weights_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=["recyclegan", "cyclegan"], choices=list(METHODS))
    parser.add_argument("--presets", nargs="+", default=["paper"], choices=list(PRESETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 512])
    parser.add_argument("--batches", nargs="+", type=int, default=[1])
    options = parser.parse_args()
    print("| method | preset | px | batch | weights, GiB | kept, float32 | bfloat16 | --recompute | all, bfloat16 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.methods:
        for preset in options.presets:
            for size in options.sizes:
                for batch in options.batches:
                    weights, exact, half, again = (part / 2**30 for part in counted(name, preset, size, batch))
                    cells = f"{weights:.2f} | {exact:.2f} | {half:.2f} | {again:.2f} | {weights + half:.2f}"
                    print(f"| {name} | {preset} | {size} | {batch} | {cells} |", flush=True)


def counted(name: str, preset: str, size: int, batch: int) -> tuple[int, int, int, int]:
    """Bytes: of weights and what belongs to them; kept in float32, in bfloat16, and in that with --recompute."""
    config, _ = METHODS[name].defaults(preset)
    with FakeTensorMode():
        method = METHODS[name](replace(config, networks=replace(config.networks, size=size)))
        exact, half = (kept_bytes(method, size, batch, bfloat16=bfloat16) for bfloat16 in (False, True))
        method.recompute_blocks(True)
        return weights_bytes(method), exact, half, kept_bytes(method, size, batch, bfloat16=True)


if __name__ == "__main__":
    main()
