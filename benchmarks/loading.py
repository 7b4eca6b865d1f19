"""Windows a second that are loaded, by the number of workers, and what a window costs in computing.

    python benchmarks/loading.py [--size 256] [--window 3] [--workers 0 1 2 4] [--windows 400]

A drawn domain, decoded before, with crop jitter, as training loads it; nothing is trained meanwhile. Computing is of
this process and its workers together, with what it takes to start them.
"""

import argparse
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.domain.domain import Clip, Domain
from data.domain.pictures import write_picture
from data.domain.record import Record
from data.domain.windows import UnpairedWindows, Windows, batches, load_size_of

FRAMES = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--window", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--windows", type=int, default=400)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        a, b = (
            Windows(made(Path(place) / name, asked.size), split="train", window=asked.window, size=asked.size)
            for name in "ab"
        )
        print(f"| workers | pairs of windows of {asked.size} px a second | computing, ms a pair |\n|---|---|---|")
        for workers in asked.workers:
            before = computed()
            pairs = batches(UnpairedWindows(a, b, 0), batch_size=1, start_step=0, workers=workers)
            next(pairs)  # the workers are there
            began = time.perf_counter()
            for _ in islice(pairs, asked.windows):
                pass
            wall = time.perf_counter() - began
            del pairs
            spent = computed() - before
            print(f"| {workers} | {asked.windows / wall:.0f} | {1000 * spent / asked.windows:.2f} |", flush=True)


def computed() -> float:
    """Seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def made(folder: Path, size: int) -> Domain:
    """A domain of noise: what is in the pictures costs nothing here."""
    (folder / "frames" / "a").mkdir(parents=True)
    side = load_size_of(size, crop_jitter=True)
    records = [Record("a", n, n, "1/25", 0, "train") for n in range(FRAMES)]
    domain = Domain(folder, "none", side, [Clip("a", "a.mp4", "", "video", {}, FRAMES, FRAMES, 1, "25", [9, 9], 0, {})])
    domain.save(records)
    rng = np.random.default_rng(0)
    for record in records:
        write_picture(folder / record.picture, rng.integers(0, 256, (side, side, 3)).astype(np.uint8))
    return domain


if __name__ == "__main__":
    main()
