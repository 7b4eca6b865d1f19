"""What grows with what: computing and memory against frames, picture size, clips and processes.

    python benchmarks/scaling.py [--only open extract train processes] [--clips 10 100 1000] [--plot docs/scaling.svg]

open: a domain of clips of 100 frames with 68 landmarks each, opened with its windows. extract: whole frames of a drawn
clip at several sizes. train: steps of equivariant, preset tiny, at several sides. processes: such steps under torchrun.
Each row is measured in a process of its own. Seconds are of computing, memory is the process's most above what it
holds before; exponents are the slopes of logarithms: 1 is linear.
"""

import argparse
import math
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

PARTS = ("open", "extract", "train", "processes")
HEIGHTS, FRAMES = (180, 360, 720, 1080), (40, 160)
SIDES, STEPS = (64, 128, 256), 3
PROCESSES, SHARED_STEPS = (1, 2), (4, 24)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--clips", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    lines: dict[str, list[tuple[float, float]]] = {}
    if "open" in asked.only:
        rows = [(100 * clips, *apart(opened, clips)) for clips in asked.clips]
        lines["opening, by frames"] = table("frames in clips of 100, opened", rows)
    if "extract" in asked.only:
        rows = [(height * height * 16 / 9, *apart(extracted, height, FRAMES[0])) for height in HEIGHTS]
        lines["extracting a frame, by pixels"] = table(f"pixels of a frame, {FRAMES[0]} extracted", rows)
        rows = [(frames, *apart(extracted, HEIGHTS[1], frames)) for frames in FRAMES]
        lines["extracting, by frames"] = table(f"frames of {HEIGHTS[1]} lines, extracted", rows)
    if "train" in asked.only:
        rows = [(side * side, *apart(trained, side)) for side in SIDES]
        lines["a step, by pixels"] = table("pixels of a picture, trained on", rows)
    if "processes" in asked.only:
        rows = [(count, *shared(count)) for count in PROCESSES]
        table("processes, computing of a step in all", rows)
    if asked.plot is not None:
        from pipelines.pages.chart import line_chart

        logs = {
            name: [(math.log10(x / xy[0][0]), math.log10(y / xy[0][1])) for x, y in xy] for name, xy in lines.items()
        }
        title = "computing against size, both as powers of ten of the smallest (a diagonal is linear)"
        asked.plot.write_text(line_chart(logs, title, "size", "computing"))


def table(what: str, rows: list[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Prints rows of size, seconds and MiB. Gives size and seconds."""
    print(f"\n| {what} | seconds | MiB | exponent |\n|---|---|---|---|")
    for place, (size, seconds, memory) in enumerate(rows):
        before = rows[place - 1]
        slope = f"{math.log(seconds / before[1]) / math.log(size / before[0]):.2f}" if place else ""
        print(f"| {size:,.0f} | {seconds:.3f} | {memory:.0f} | {slope} |", flush=True)
    return [(size, seconds) for size, seconds, _ in rows]


def apart(work: Callable[..., float], *arguments: object) -> tuple[float, float]:
    """Seconds that `work` gives, and MiB that it took, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_watched, (work, arguments))


def _watched(work: Callable[..., float], arguments: tuple) -> tuple[float, float]:
    import torch

    torch.set_num_threads(1)
    work(*arguments, warm=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = work(*arguments)
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def opened(clips: int, warm: bool = False) -> float:
    """Seconds to open a domain with its windows, its pictures decoded before."""
    from benchmarks.large_domain import make, open_windows

    with tempfile.TemporaryDirectory() as place:
        domain = make(Path(place) / "large", 1 if warm else clips, 100, 68)
        open_windows(domain)
        began = time.process_time()
        open_windows(domain)
        return time.process_time() - began


def extracted(height: int, frames: int, warm: bool = False) -> float:
    """Seconds to extract whole frames of a drawn clip."""
    from data.video.frame import Frame, VideoInfo
    from data.world.characters import draw
    from data.world.movement import motion
    from data.writing.encode import VideoWriter
    from pipelines.cli import run

    with tempfile.TemporaryDirectory() as place:
        path, width, count = Path(place) / "a.mp4", height * 16 // 9, 10 if warm else frames
        poses = motion(0, count)
        face = [draw(pose, "A", height) for pose in poses]
        rgb = [picture[:, [x % height for x in range(width)]] for picture in face]
        info = VideoInfo.of_pictures(Path(place), rgb[0], count)
        with VideoWriter(path, source=info) as writer:
            for number, picture in enumerate(rgb):
                writer.write(Frame(picture, number, number, Fraction(1, 25), 1))
        began = time.process_time()
        run(["extract", str(path), "--align", "none", "--size", "64", "--domains", f"{place}/domains"])
        return time.process_time() - began


def trained(side: int, warm: bool = False) -> float:
    """Seconds of a step."""
    import torch
    from lightning_fabric import Fabric

    from recycle.config import TrainingConfig
    from recycle.methods import METHODS
    from recycle.methods.base import Moment
    from recycle.training.learner import Learner

    config, training = METHODS["equivariant"].defaults("tiny")
    method = METHODS["equivariant"](config)
    learner = Learner(method, TrainingConfig(steps=100), Fabric(accelerator="cpu", devices=1, precision="bf16-mixed"))
    a, b = torch.rand(2, 1, method.window, 3, side, side) * 2 - 1
    steps = 1 if warm else STEPS
    began = time.process_time()
    for _ in range(steps):
        learner.step(Moment(step=1, progress=0.3), training.learning_rate, a, b)
    return (time.process_time() - began) / steps


def shared(processes: int) -> tuple[float, float]:
    """Seconds of computing of a step, all processes together, and the largest one's MiB: a longer training less a
    shorter one."""
    from benchmarks.gpu_demo import write_domains

    spent = []
    with tempfile.TemporaryDirectory() as place:
        write_domains(Path(place), quick=True)
        for steps in SHARED_STEPS:
            words = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "-m", "pipelines.cli", "train"]
            words += [
                "anna",
                "ben",
                "--preset",
                "tiny",
                "--no-crop-jitter",
                "--steps",
                str(steps),
                "--accelerator",
                "cpu",
            ]
            words += ["--domains", f"{place}/domains"]
            here = Path(place) / str(steps)
            here.mkdir()
            before = _computed()
            done = subprocess.run(
                [sys.executable, *words],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                cwd=here,  # torchrun takes --run for its own
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-2000:]
            spent.append(_computed() - before)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return (spent[1] - spent[0]) / (SHARED_STEPS[1] - SHARED_STEPS[0]), most


def _computed() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
