"""Frames a second of extract and render at 1080p, stage by stage and whole, and what a frame costs in computing.

    python -m benchmarks.stages CLIP [--align yunet] [--models FOLDER] [--frames 140]

The beginning of CLIP, which shows a face, is made 1920 x 1080. A run of preset tiny after two steps translates it:
what a network costs is in other scripts. Seconds of computing are of the whole process; so is the memory, at its most.
"""

import argparse
import resource
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av

from data.timings import Timings, timed

SIZE, RATE = (1920, 1080), 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--align", default="yunet")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--frames", type=int, default=140)
    asked = parser.parse_args()
    models = [] if asked.models is None else ["--models", str(asked.models)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        frames = large(asked.clip, folder / "a.mp4", asked.frames)
        where, run = ["--domains", str(folder / "domains")], ["--run", str(folder / "run")]
        extract = ["extract", str(folder / "a.mp4"), "--align", asked.align, *where, *models]
        measured(extract, frames)
        command([*extract, "--name", "b"])
        command(["train", "a", "b", "--preset", "tiny", "--steps", "2", *where, *run])
        render = ["render", "--input", str(folder / "a.mp4"), *where, *run, *models, "--output"]
        measured([*render, str(folder / "b.mp4")], frames, "of a clip that was looked at")
        for path in (folder / "domains" / ".looks").glob("*"):
            path.unlink()
        measured([*render, str(folder / "c.mp4")], frames, "of a new clip")


def large(source: Path, path: Path, most: int) -> int:
    """Writes the clip. Gives its frames."""
    number = 0
    with av.open(str(source)) as taken, av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "medium", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame, number in zip(taken.decode(video=0), range(1, most + 1), strict=False):
            scaled = frame.reformat(*SIZE, "yuv420p")
            scaled.pts, scaled.time_base = number - 1, Fraction(1, RATE)
            output.mux(stream.encode(scaled))
        output.mux(stream.encode(None))
    return number


def command(words: list[str]) -> None:
    from pipelines.cli import run

    code = run(words)
    assert code == 0, f"retarget {words[0]} ended with {code}"


def measured(words: list[str], frames: int, of: str = "") -> None:
    """Runs a command and prints what its stages did."""
    computed, began = time.process_time(), time.perf_counter()
    with timed() as timings:
        command(words)
    wall, computed = time.perf_counter() - began, time.process_time() - computed
    print(f"\n{words[0]} {of}\n\n| stage | computing, ms a frame | by itself, frames/s |\n|---|---|---|")
    for name, spent in timings.stages.items():
        each = 1000 * spent.computing / spent.items
        print(f"| {name} | {each:.1f} | {spent.items / spent.busy:.1f} |")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| whole | {1000 * computed / frames:.1f} | {frames / wall:.1f} |")
    print(f"\nslowest stages alone {alone(timings, frames):.1f} frames/s; at most {most:.0f} MiB", flush=True)


def alone(timings: Timings, frames: int) -> float:
    """Frames a second of the slowest stage of each pass over the clip, one pass after the other."""
    passes: list[list[float]] = [[]]
    for name, spent in timings.stages.items():
        if name in ("look", "decode"):
            passes.append([])
        passes[-1].append(spent.busy)
    return frames / sum(max(one) for one in passes if one)


if __name__ == "__main__":
    main()
