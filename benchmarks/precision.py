"""Whether training in bfloat16 ends where float32 does: PSNR against the drawn truth at equal steps, over seeds.

    python benchmarks/precision.py [--steps 400] [--seeds 0 1 2] [--method equivariant] [--kinds bfloat16 float32]

Preset tiny (64 px) on the drawn world, as part of gpu.py does it; runs alone on a CPU, one thread. Decibels are of the
newest checkpoint's running mean on 150 frames that nobody has seen.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.gpu_demo import TEST_FRAMES, decibels, training_options, write_domains
from pipelines.train import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--method", default="equivariant")
    parser.add_argument("--kinds", nargs="+", default=["bfloat16", "float32"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {kind: [] for kind in asked.kinds}
    print(f"| {asked.method}, {asked.steps} steps | " + " | ".join(asked.kinds) + " | seconds of computing |")
    print("|---|" + "---|" * (len(asked.kinds) + 1), flush=True)
    with tempfile.TemporaryDirectory() as place:
        write_domains(Path(place), quick=False)
        for seed in asked.seeds:
            seconds = []
            for kind in asked.kinds:
                options = training_options(
                    Path(place),
                    quick=False,
                    method=asked.method,
                    minutes=None,
                    steps=asked.steps,
                    save_every=100 * asked.steps,
                    precision=kind,
                    seed=seed,
                )
                options.run = Path(place) / f"{kind}-{seed}"
                began = time.process_time()
                train(options)
                seconds.append(time.process_time() - began)
                found[kind].append(decibels(options.run, TEST_FRAMES, "newest")[0])
            cells = [f"{found[kind][-1]:.2f} dB" for kind in asked.kinds]
            print(f"| seed {seed} | {' | '.join(cells)} | {', '.join(f'{s:.0f}' for s in seconds)} |", flush=True)
    means = [statistics.mean(found[kind]) for kind in asked.kinds]
    print(f"| mean | {' | '.join(f'{mean:.2f} dB' for mean in means)} | |")


if __name__ == "__main__":
    main()
