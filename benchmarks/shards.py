"""Two processes on two cores beside one: the time of an extract and of a render, as ratios within one run.

    python benchmarks/shards.py [--clips 8] [--frames 60] [--rounds 3]

One thread each. One and two take turns, and the best of each counts, for whatever else the machine does slows them.
Beside it the ratio of what a core computes, alone and as the busier of two: what two free cores would come to.
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
            best = {1: (float("inf"),) * 2, 2: (float("inf"),) * 2}
            for _ in range(options.rounds):
                for count, before in best.items():
                    best[count] = tuple(map(min, before, done(place, count, *words, "out")))
                    shutil.rmtree(place / "out")
                    shutil.rmtree(place / "domains" / ".looks", ignore_errors=True)
            for kind, alone, two in zip(("passed", "computed"), best[1], best[2], strict=True):
                print(f"{name}, {kind}: {alone:.1f} s alone, {two:.1f} s by two: {alone / two:.2f} times as fast")


def done(place: Path, count: int, *words: str) -> tuple[float, float]:
    """Seconds that `count` processes take for a command together, and that the busier of them computes."""
    begun = time.monotonic()
    shards = [("--shard", f"{number}/{count}") if count > 1 else () for number in range(count)]
    command = [sys.executable, "-m", "pipelines.cli", *words]
    running = [
        subprocess.Popen([*command, *shard], cwd=place, env=ENVIRONMENT, stdout=subprocess.DEVNULL) for shard in shards
    ]
    ended = [os.wait4(process.pid, 0) for process in running]
    assert not any(status for _, status, _ in ended), words
    return time.monotonic() - begun, max(usage.ru_utime + usage.ru_stime for _, _, usage in ended)


if __name__ == "__main__":
    main()
