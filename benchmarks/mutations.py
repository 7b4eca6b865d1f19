"""Damaged files through probe, extract and render: right, or one line; never a traceback, a crash or a hang.

    python -m benchmarks.mutations CLIPS/reported CLIPS/awkward CLIPS/scenes CLIPS/faces --count 10000

Excerpts of the clips, some frames each, are changed in one way after another (see benchmarks.mutating), and go through
the commands in a process of their own, in which translating is leaving everything as it is. Right is: a render that
ends well has the frames of its source at their times. Number n is the same mutation each time: `--first n --count 1`
repeats it.
"""

import argparse
import contextlib
import io
import multiprocessing
import resource
import shutil
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil

from benchmarks.mutating import excerpt, mutation

LIMIT_SECONDS = 60
"""Of computing, for a file of some frames, before it is a hang; or of waiting for nothing."""
MOST_MEMORY = 6 * 2**30
WORDS = ("--align", "none", "--size", "32", "--window", "1")


def faults(path: Path, folder: Path) -> list[str]:
    """What goes wrong with the file at `path`; empty where all is right or told in one line."""
    from data.errors import RetargetError
    from data.video.reader import read_frames

    found = []
    result = folder / "result.mp4"
    commands = {"extract": ["extract", str(path), *WORDS, "--domains", str(folder / "domains")]}
    commands["render"] = ["render", "--run", str(folder), "--input", str(path), "--output", str(result)]
    codes = {name: _run(words, found) for name, words in commands.items()}
    if codes["render"] == 0:
        before, after = [frame.seconds for frame in read_frames(path)], [frame.seconds for frame in read_frames(result)]
        if len(before) != len(after):
            found.append(f"render: {len(before)} frames became {len(after)}")
        elif any(one - before[0] != other - after[0] for one, other in zip(before, after, strict=True)):
            found.append("render: other times")
    elif codes["render"] is not None and codes["extract"] == 0:
        with contextlib.suppress(RetargetError):
            found += [f"extracts, and does not render: {next(read_frames(path)).rgb.shape}"]
    return found


def _run(words: list[str], found: list[str]) -> int | None:
    """Exit code of a command; None where it ended otherwise."""
    from pipelines.cli import run

    said, told = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            code = run(words)
    except BaseException:
        found.append(f"{words[0]}: {traceback.format_exc()}")
        return None
    lines = told.getvalue().splitlines()
    if code not in (0, 1, 2) or (code and (len(lines) != 1 or not lines[0].startswith("retarget"))):
        found.append(f"{words[0]}: exit code {code}, said {lines}")
    return code


def identity_run() -> None:
    """In this process, rendering translates nothing, with whatever run."""
    import torch

    import pipelines.render
    from pipelines.translating.paint import Cut, WholeFrames
    from pipelines.translating.translation import LoadedRun

    class Same(torch.nn.Module):
        asks: frozenset[str] = frozenset()

        def __init__(self) -> None:
            super().__init__()
            self.generators: dict[str, torch.nn.Module] = {}
            self.weight = torch.nn.Parameter(torch.zeros(1))

    def loaded(options, *, clip_is_named: bool) -> LoadedRun:
        settings = {"a": "a", "b": "b", "aligner_a": "none", "aligner_b": "none", "method": "cyclegan"}
        settings |= {"config": {"networks": {"size": 64}}, "crop_jitter": False}
        return LoadedRun(options.run, settings, Same(), 0, "best", "a_to_b", None, ("a", "b"))

    def translate(self: WholeFrames, cuts: list[Cut]) -> list[tuple[Cut, np.ndarray | None]]:
        return [(cut, cut.picture) for cut in cuts]

    torch.set_num_threads(1)
    pipelines.render.load, WholeFrames.translate = loaded, translate


def _work(seeds: list[Path], asked: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    identity_run()
    while (number := asked.recv()) is not None:
        with tempfile.TemporaryDirectory() as folder:
            name, content = mutation(seeds, number)
            path = Path(folder) / name
            path.write_bytes(content)
            asked.send((name, faults(path, Path(folder))))


class Guarded:
    """A process that tries mutations, and is started again where one of them ended or stopped it."""

    def __init__(self, seeds: list[Path]) -> None:
        self._seeds = seeds
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._asked, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(self._seeds, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def faults(self, number: int) -> list[str]:
        """Of mutation `number`."""
        self._asked.send(number)
        begin = last = self._computed()
        moved = time.monotonic()
        why = f"no end within {LIMIT_SECONDS} s"
        try:
            while last - begin < LIMIT_SECONDS and time.monotonic() - moved < LIMIT_SECONDS:
                if self._asked.poll(1):
                    return [f"{name}: {fault}" for name, found in [self._asked.recv()] for fault in found]
                if self._computed() > last:  # else other work may have the machine
                    last, moved = self._computed(), time.monotonic()
        except EOFError:
            self._process.join()
            why = f"the process ended with {self._process.exitcode}"
        self.end()
        self._start()
        return [f"{mutation(self._seeds, number)[0]}: {why}"]

    def _computed(self) -> float:
        """Seconds that the process has computed."""
        try:
            spent = psutil.Process(self._process.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return spent.user + spent.system

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def main() -> None:
    """Prints every fault, and how many mutations were tried."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop then")
    parser.add_argument("--keep", type=Path, help="folder for files that show a fault")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        files = [path for folder in asked.folders for path in sorted(folder.iterdir()) if path.is_file()]
        seeds = [short for path in files if (short := excerpt(path, Path(place)))]
        guarded, tried, kinds, begin = Guarded(seeds), 0, Counter[str](), time.monotonic()
        for number in range(asked.first, asked.first + asked.count):
            for fault in guarded.faults(number):
                print(f"{number}: {fault}", flush=True)
                kinds[fault.splitlines()[-1]] += 1
                if asked.keep:
                    name, content = mutation(seeds, number)
                    (asked.keep / f"{number}-{name}").write_bytes(content)
            tried += 1
            if time.monotonic() - begin > 60 * asked.minutes:
                break
        guarded.end()
        seconds = time.monotonic() - begin
        print(f"{tried} mutations of {len(seeds)} excerpts in {seconds:.0f} s, {sum(kinds.values())} faults")
        for kind, count in kinds.most_common():
            print(f"{count} {kind}")
    shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
