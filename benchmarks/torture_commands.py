"""Commands that are killed, asked to end, or run out of room at random moments, and what is left once they have ended.

Each command is a fork of one process in which everything is loaded, so that starting it takes no time and a moment
drawn at random falls into its work.
"""

import importlib
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from data.world.movement import motion
from data.world.puppets import write_clip
from pipelines.cli import run

NETWORKS = ("--generator", "resnet_1blocks", "--generator-filters", "4", "--discriminator-filters", "4")
TRAIN = ("--preset", "tiny", "--size", "32", "--method", "cyclegan", *NETWORKS, "--accelerator", "cpu")
WHOLE = ("--align", "none", "--size", "32")
MOST_SECONDS = 600
"""What an undisturbed command may take on a busy machine before it is a hang."""


@dataclass(frozen=True)
class Stage:
    """A command, what has to be there before, and what of its result has to be the same however often it is broken off.

    results: files and folders. aside: parts of names that do not count, such as caches and logs with times.
    """

    words: tuple[str, ...]
    before: tuple[str, ...]
    results: tuple[str, ...]
    aside: tuple[str, ...] = ()


STAGES = {
    "extract": Stage(("extract", "a.mp4", "c.mp4", "--name", "d", *WHOLE), (), ("domains/d",)),
    "train": Stage(
        ("train", "a", "b", *TRAIN, "--steps", "16", "--sample-every", "8", "--save-every", "4", "--run", "run"),
        ("a", "b"),
        ("run/checkpoints/step-00000016", "run/selection.csv"),
        ("state.json", "manifest.json"),  # they hold seconds
    ),
    "render": Stage(("render", "--run", "done", "--input", "c.mp4", "--output", "out.mp4"), ("run",), ("out.mp4",)),
    "evaluate": Stage(
        ("evaluate", "--run", "done", "--input", "a.mp4", "--truth", "b.mp4", "--output", "judged"),
        ("run",),
        ("judged",),
    ),
}


class Workshop:
    """A folder with clips, two domains and a run, of which every try gets a copy."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        for name in STAGES:
            importlib.import_module(f"pipelines.{name}")
        self.base, self.place = folder / "base", folder / "place"
        self.base.mkdir(parents=True)
        for name, look, frames in (("a", "A", 24), ("b", "B", 24), ("c", "A", 40)):
            write_clip(self.base / f"{name}.mp4", motion(ord(name), frames), look, 48)
        self.place = self.base
        for words in (("extract", "a.mp4", *WHOLE), ("extract", "b.mp4", *WHOLE)):
            self.must(words)
        self.must(("train", "a", "b", *TRAIN, "--steps", "4", "--run", "done"))
        self.place = folder / "place"
        self.whole: dict[str, dict[str, bytes]] = {}
        self.seconds: dict[str, float] = {}
        for name, stage in STAGES.items():
            self.fresh()
            begun = time.monotonic()
            self.must(stage.words)
            self.seconds[name] = time.monotonic() - begun
            self.whole[name] = self.result(stage)

    def fresh(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.base, self.place)

    def must(self, words: tuple[str, ...]) -> None:
        """Runs a command that has to end well."""
        code, lines = self.end(self.start(words))
        assert code == 0, (words, code, lines)

    def start(self, words: tuple[str, ...], inside: Callable[[], None] = lambda: None) -> int:
        """Forks a process that runs `retarget WORDS...` in `place`, after `inside`. Gives its number."""
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 99
        try:
            os.setsid()
            os.chdir(self.place)
            for number in (1, 2):
                os.dup2(os.open(self._said(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            inside()
            code = run(words)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def end(self, pid: int, seconds: float = MOST_SECONDS) -> tuple[int, list[str]]:
        """Waits for a process: its exit code, negative for a signal, and the lines that it left on stderr."""
        deadline = time.monotonic() + seconds
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                break
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return 124, [f"no end within {seconds:.0f} s"]
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(status), self._said(2).read_text(errors="replace").strip().splitlines()

    def _said(self, number: int) -> Path:
        return self.base.parent / f"said-{number}"

    def result(self, stage: Stage) -> dict[str, bytes]:
        """The files that a stage has made."""
        found = {}
        for name in stage.results:
            top = self.place / name
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                hidden = any(part.startswith(".") for part in path.relative_to(self.place).parts)
                if path.is_file() and not hidden and not any(part in path.name for part in stage.aside):
                    found[str(path.relative_to(self.place))] = path.read_bytes()
        return found

    def lost(self, name: str) -> str | None:
        """What is wrong once a command was broken off and has ended well at last; None where nothing is."""
        result, whole = self.result(STAGES[name]), self.whole[name]
        if result != whole:
            differ = [key for key in {*result, *whole} if result.get(key) != whole.get(key)]
            return f"{name}: not the same: {sorted(differ)}"
        left = [str(p) for p in self.place.rglob("*") if ".partial" in p.name or p.name.endswith((".parts", ".lock"))]
        return f"{name}: left behind: {left}" if left else None


def interrupt(shop: Workshop, name: str, number: signal.Signals, times: int, draw: random.Random) -> list[str]:
    """Sends a signal to a command at random moments, `times` in all; it is begun anew when it has ended. Faults."""
    faults: list[str] = []
    stage, done = STAGES[name], 0
    shop.fresh()
    while done < times:
        pid = shop.start(stage.words)
        time.sleep(draw.uniform(0, 1.1 * shop.seconds[name]))
        os.kill(pid, number)  # it is ours until it is waited for
        done += 1
        code, lines = shop.end(pid)
        if code not in (0, -number, *((130,) if number != signal.SIGKILL else ())):
            faults.append(f"{name}, {number.name}: exit code {code}, said {lines[-3:]}")
        if code == 0 or done == times:
            faults += [f"{fault} after {number.name}" for fault in _finished(shop, name)]
            shop.fresh()
    return faults


def fill(shop: Workshop, name: str, times: int, draw: random.Random) -> list[str]:
    """Lets no file grow beyond a random size, `times`: one line and exit code 1, and afterwards the same result."""
    faults: list[str] = []
    stage = STAGES[name]
    largest = max(map(len, shop.whole[name].values()))
    for _ in range(times):
        shop.fresh()
        limit = int(2 ** draw.uniform(9, largest.bit_length() + 1))  # what it says has to fit, too

        def limited(limit: int = limit) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        code, lines = shop.end(shop.start(stage.words, limited))
        told = lines and lines[-1].startswith(f"retarget {name}: ") and not any("Traceback" in line for line in lines)
        if not (code == 0 or (code == 1 and told)):
            faults.append(f"{name}, files of at most {limit} bytes: exit code {code}, said {lines[-3:]}")
        faults += [f"{fault} after files of at most {limit} bytes" for fault in _finished(shop, name)]
    return faults


def _finished(shop: Workshop, name: str) -> list[str]:
    """Runs a command to its end, undisturbed: what is wrong then."""
    code, lines = shop.end(shop.start(STAGES[name].words))
    if code:
        return [f"{name}: does not end well: exit code {code}, said {lines[-3:]}"]
    lost = shop.lost(name)
    return [lost] if lost else []
