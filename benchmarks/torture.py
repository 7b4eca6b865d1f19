"""What this program survives: commands broken off at random moments, full disks, damaged and hostile files.

    python benchmarks/torture.py [--kills 1000] [--full 120] [--files 10000] [--seed 0] [--minutes 30]

Prints a table: the fault, how often it was tried, survived and lost. Survived is: told in one line with the right exit
code, or noticed and left out; and the same command again ends in the same files, byte for byte, as one that was never
disturbed, and leaves nothing beside them. It stops after so many minutes with what was tried by then. Exit code 1 where
anything was lost; what that was is printed below the table.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.torture_commands import STAGES, Workshop, fill, interrupt
from benchmarks.torture_files import (
    damaged_checkpoints,
    damaged_domains,
    damaged_palettes,
    damaged_runs,
    damaged_studies,
)

Try = Callable[[int], list[str]]
"""Tries a fault so many times; gives what was lost."""
SIGNALS = {signal.SIGKILL: 0.6, signal.SIGTERM: 0.2, signal.SIGINT: 0.2}
"""Of the kills, how large a part each has."""
AT_ONCE = 20
"""Times that a fault is tried before the clock is looked at."""
FILES = {
    "a checkpoint cut or a bit flipped": 0.4,
    "a domain's files": 0.3,
    "a run's config.json": 0.05,
    "palettes": 0.1,
    "keys of and answers to studies": 0.15,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--full", type=int, default=120)
    parser.add_argument("--files", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = torture(Path(folder), options.kills, options.full, options.files, options.seed, options.minutes)
    print("| fault | tried | survived | lost |\n|---|---|---|---|")
    for name, tried, lost in rows:
        print(f"| {name} | {tried} | {tried - len(lost)} | {len(lost)} |")
    for name, _, lost in rows:
        for fault in lost[:5]:
            print(f"{name}: {fault}", file=sys.stderr)
    sys.exit(any(lost for _, _, lost in rows))


def torture(
    folder: Path, kills: int, full: int, files: int, seed: int, minutes: float
) -> list[tuple[str, int, list[str]]]:
    """Each fault: its name, how often it was tried, and what was lost."""
    deadline = time.monotonic() + 60 * minutes
    found = []
    for name, times, attempt in _faults(folder, kills, full, files, random.Random(seed)):
        tried, lost = 0, []
        while tried < times and time.monotonic() < deadline:
            some = min(AT_ONCE, times - tried)
            lost += attempt(some)
            tried += some
        found.append((name, tried, lost))
    return found


def _faults(folder: Path, kills: int, full: int, files: int, draw: random.Random) -> Iterator[tuple[str, int, Try]]:
    """Name of every fault, how often it is to be tried, and what tries it: the quick ones first."""
    shop = Workshop(folder / "shop")
    shop.fresh()
    shop.must(STAGES["train"].words)
    run = shop.place.rename(folder / "trained") / "run"
    tries: dict[str, Callable[[Path, int], list[str]]] = {
        "a checkpoint cut or a bit flipped": lambda at, times: damaged_checkpoints(run, at, times, draw),
        "a domain's files": lambda at, times: damaged_domains(at, times, draw),
        "a run's config.json": lambda at, times: damaged_runs(run, at, times, draw),
        "palettes": lambda at, times: damaged_palettes(at, times, draw),
        "keys of and answers to studies": lambda at, times: damaged_studies(at, times, draw),
    }
    for name, part in FILES.items():
        yield name, round(part * files), lambda times, name=name: tries[name](_empty(folder), times)  # type: ignore[misc]
    for name in STAGES:
        yield f"{name}: no room", full // len(STAGES), lambda times, name=name: fill(shop, name, times, draw)  # type: ignore[misc]
    for name in STAGES:
        for number, part in SIGNALS.items():
            times = round(part * kills / len(STAGES))
            yield (
                f"{name}: {number.name}",
                times,
                lambda times, name=name, number=number: interrupt(shop, name, number, times, draw),  # type: ignore[misc]
            )


def _empty(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


if __name__ == "__main__":
    main()
