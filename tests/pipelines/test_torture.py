"""Kills, full disks and damaged files, in short; at length: benchmarks/torture.py."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_nothing_is_lost_to_a_few_of_every_fault() -> None:
    """In a process of its own: it forks, and loads everything before that."""
    words = ["--kills", "8", "--full", "4", "--files", "200", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, "benchmarks/torture.py", *words], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if ": " in line]
    assert len(rows) == 16 and all(int(row[1]) > 0 for row in rows if "TERM" not in row[0] and "INT" not in row[0])
