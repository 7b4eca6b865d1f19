"""kill -9 at random moments of looking, extracting and rendering: is the end the same, and is anything done twice?

    python benchmarks/kills.py [--kills 100] [--frames 40] [--seed 0] [--only look extract render]

A command is started, killed, and started again until it ends; then its files are compared, byte for byte, with those of
one that was never disturbed, and it begins anew, until so many kills have been made. Processes are forked from one that
has loaded everything, so that a kill meets work and not imports.
"""

import argparse
import hashlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.faces.haar import Haar
from pipelines.cli import run
from tests.media import write_portrait
from tests.pipelines.runs import TINY

TALLY = "tally"
LOOK = ("extract", "p.mp4", "--align", "haar", "--size", "32")
WORDS: dict[str, tuple[str, ...]] = {
    "look": (*LOOK, "--name", "who", "--people"),
    "extract": (*LOOK, "--name", "p"),
    "render": ("render", "--input", "q.mp4", "--output", "out/r.mp4"),
}
MADE = {
    "look": ("domains/.looks", "domains/who"),
    "extract": ("domains/.looks", "domains/p"),
    "render": ("out", "domains/.looks"),
}
"""What a command makes, and what is removed before it begins anew."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=list(WORDS), choices=list(WORDS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for command in ("extract", "train", "render"):
        importlib.import_module(f"pipelines.{command}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["RETARGET_MODELS"] = os.environ["TORCH_HOME"] = "none"
        prepare(options.frames)
        print("| command | kills | ended | other bytes | frames looked at twice, most in one run | kills in that run |")
        print("|---|---|---|---|---|---|")
        for name in options.only:
            print(f"| {name} | " + " | ".join(map(str, trial(name, options))) + " |", flush=True)


def prepare(frames: int) -> None:
    """Two clips, a domain of each, and a run over them."""
    write_portrait(Path("p.mp4"), frames=frames, size=128, without=range(10, 18))
    write_portrait(Path("q.mp4"), frames=frames, size=128)
    Path("domains").mkdir()
    steps = (
        (*LOOK, "--name", "a"),
        ("extract", "q.mp4", "--align", "haar", "--size", "32", "--name", "b"),
        ("train", "a", "b", *TINY, "--steps", "2"),
    )
    for words in steps:
        assert attempt(words, None), words


def trial(name: str, options: argparse.Namespace) -> tuple[int, int, int, int, int]:
    """Kills made, runs that ended, of these with other bytes, most frames that one looked at twice, and its kills."""
    moments = random.Random(options.seed)
    begin(name)
    started = time.monotonic()
    assert attempt(WORDS[name], None)
    seconds, wanted, once = time.monotonic() - started, made(name), looked()
    kills = ended = other = 0
    worst = (0, 0)
    while kills < options.kills:
        begin(name)
        here = 0
        while not attempt(WORDS[name], moments.uniform(0, seconds) if kills < options.kills else None):
            kills, here = kills + 1, here + 1
        ended, other = ended + 1, other + (made(name) != wanted)
        worst = max(worst, (looked() - once, here))
    return kills, ended, other, *worst


def begin(name: str) -> None:
    """As if the command had never run."""
    Path(TALLY).unlink(missing_ok=True)
    for path in MADE[name]:
        shutil.rmtree(path, ignore_errors=True)


def looked() -> int:
    """Frames in which faces were looked for."""
    return Path(TALLY).stat().st_size if Path(TALLY).exists() else 0


def made(name: str) -> dict[str, str]:
    """Digest of each file that the command makes."""
    files = (path for folder in MADE[name] for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def attempt(words: Sequence[str], seconds: float | None) -> bool:
    """Runs a command in a process of its own, killed after so long; whether it ended by itself, and well."""
    child = os.fork()
    if child == 0:
        find = Haar.find

        def counted(self, rgb):
            with Path(TALLY).open("a") as tally:
                tally.write("x")
            return find(self, rgb)

        Haar.find = counted
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os._exit(run(list(words)))
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, f"{words}: {status}"
    return os.WIFEXITED(status)


if __name__ == "__main__":
    main()
