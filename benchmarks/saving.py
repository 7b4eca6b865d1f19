"""How long training stands still for a checkpoint: copied and written beside it, against written while it waits.

    python benchmarks/saving.py [--presets small paper] [--method recyclegan] [--times 3] [--folder FOLDER]

Weights, running mean and optimisers of a real learner, after a step on small pictures; the two alternate.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric

sys.path.insert(0, str(Path(__file__).parents[1]))

from recycle.config import PRESETS, TrainingConfig
from recycle.methods import METHODS
from recycle.methods.base import Moment
from recycle.runs.checkpoint import save
from recycle.training.learner import Learner
from recycle.training.saver import Saver


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=["small"], choices=list(PRESETS))
    parser.add_argument("--method", default="recyclegan", choices=list(METHODS))
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print("| preset | checkpoint, MiB | stands still, s | until written, s | written while training waits, s | ratio |")
    print("|---|---|---|---|---|---|")
    for preset in options.presets:
        learner = _learner(options.method, preset)
        still, until, waits = [], [], []
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            saver = Saver(Path(place) / "beside", keep=1)
            for step in range(1, options.times + 1):
                began = time.perf_counter()
                groups, state = learner.snapshot()
                saver.save(step, groups, state, None)
                still.append(time.perf_counter() - began)
                saver.wait()
                until.append(time.perf_counter() - began)
                began = time.perf_counter()
                groups, state = learner.snapshot()
                save(Path(place) / "waiting", step, groups, state, keep=1)
                waits.append(time.perf_counter() - began)
            saver.close()
            size = sum(path.stat().st_size for path in Path(place).glob("beside/step-*/*")) / 2**20
        stood, whole, waited = (statistics.median(seconds) for seconds in (still, until, waits))
        print(
            f"| {preset} | {size:.0f} | {stood:.2f} | {whole:.2f} | {waited:.2f} | {waited / stood:.1f} |", flush=True
        )


def _learner(name: str, preset: str) -> Learner:
    config, _ = METHODS[name].defaults(preset)
    learner = Learner(METHODS[name](config), TrainingConfig(steps=10), Fabric(accelerator="auto", devices=1))
    size = config.networks.size
    a, b = torch.rand(2, 1, learner.method.window, 3, size, size, device=learner.fabric.device) * 2 - 1
    learner.step(Moment(step=1, progress=0.0), 1e-4, a, b)
    return learner


if __name__ == "__main__":
    main()
