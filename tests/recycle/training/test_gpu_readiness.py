"""Every method trains, saves and goes on on a device that keeps the rules of a GPU; training imports what it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recycle.methods import METHODS

ROOT = Path(__file__).parents[3]
CASES = [*METHODS, "attention, spectral norm, dropout and hinge", "growing, recomputing"]


@pytest.fixture(scope="module")
def came_of_it(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By case: nothing, or what was wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.recycle.training.on_fake_gpu", tmp_path_factory.mktemp("fake-gpu")],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_step_makes_no_device_wait_and_a_resume_ends_with_the_same_bytes(came_of_it, case):
    assert came_of_it[case] == ""


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["item", "bool", "copy there", "copy back", "two devices"])
def test_the_device_finds_what_it_is_there_to_find(came_of_it, fault):
    assert came_of_it[f"fault: {fault}"] in ("HostWaitError", "DeviceMismatchError")
