"""Training that runs out of memory says in a line what would fit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import run
from tests.pipelines.runs import TINY, draw

ROOT = Path(__file__).parents[2]
LIMITED = """
import re, resource, sys
from pathlib import Path
import pipelines.train
from pipelines.cli import run
now = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (now + 1_500_000_000,) * 2)
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_too_little_memory_is_told_with_what_would_fit(place: Path) -> None:
    """A process that may take 1.5 GB more than it began with: what does not fit is large, for native code that gets no
    room for something small may end in a segmentation fault."""
    for name in ("a", "b"):
        draw(place / f"{name}.mp4", frames=12, size=64)
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "64"]) == 0
    small = [word for word in TINY if word not in ("--size", "32")]
    train = ["train", "a", "b", *small, "--size", "64", "--no-crop-jitter", "--precision", "float32", "--steps", "1"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *train, "--batch-size", "1024"], capture_output=True, text=True, timeout=500,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("retarget")]
    assert done.returncode == 1 and len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    told = re.search(r"64 px in batches of 1024 take about ([\d.]+) GB, and ([\d.]+) GB are there", lines[0])
    assert told and float(told[1]) > float(told[2]), lines
    batch = re.search(r"--batch-size (\d+)", lines[0])
    assert batch and 1 <= int(batch[1]) < 256
    assert not list(Path("runs/a-b/checkpoints").glob("*"))
