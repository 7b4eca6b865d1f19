"""Two processes on two cores beside one: the time of an extract and of a render, as ratios within one run.

    python benchmarks/shards.py [--clips 8] [--frames 60] [--rounds 3]

One thread each. One and two take turns, and the best of each counts, for whatever else the machine does slows them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.world.movement import motion
from data.world.puppets import write_clip

ROOT = Path(__file__).parents[1]
WHOLE = ("--align", "none", "--size", "256")
NETWORKS = ("--generator", "resnet_4blocks", "--generator-filters", "16", "--discriminator-filters", "4")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        clips = [f"{number}.mp4" for number in range(options.clips)]
        for number, clip in enumerate(clips):
            write_clip(place / clip, motion(number, options.frames), "AB"[number % 2], 256)
        for clip, name in zip(clips, "ab", strict=False):
            done(place, 1, "extract", clip, "--name", name, *WHOLE)
        train = ("train", "a", "b", "--method", "cyclegan", "--preset", "tiny", *NETWORKS, "--accelerator", "cpu")
        done(place, 1, *train, "--steps", "4", "--run", "run")
        render = ("render", "--run", "run", "--input", *clips, "--scale", "native", "--output")
        for name, words in {
            "extract": ("extract", *clips, "--name", "all", *WHOLE, "--domains"),
            "render": render,
        }.items():
            best = {1: float("inf"), 2: float("inf")}
            for _ in range(options.rounds):
                for count in best:
                    best[count] = min(best[count], done(place, count, *words, "out"))
                    shutil.rmtree(place / "out")
                    shutil.rmtree(place / "domains" / ".looks", ignore_errors=True)
            print(f"{name}: {best[1]:.1f} s alone, {best[2]:.1f} s by two: {best[1] / best[2]:.2f} times as fast")


def done(place: Path, count: int, *words: str) -> float:
    """Seconds that `count` processes take for a command together."""
    begun = time.monotonic()
    shards = [("--shard", f"{number}/{count}") if count > 1 else () for number in range(count)]
    command = [sys.executable, "-m", "pipelines.cli", *words]
    running = [
        subprocess.Popen([*command, *shard], cwd=place, env=ENVIRONMENT, stdout=subprocess.DEVNULL) for shard in shards
    ]
    codes = [process.wait() for process in running]
    assert not any(codes), words
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
