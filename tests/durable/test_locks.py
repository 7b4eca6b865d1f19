"""Locks: one process at a time, who holds it is told, and what is killed lets go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from durable.locks import HeldError, is_held, locked

HOLD = """
import sys
from pathlib import Path
from durable.locks import locked
with locked(Path(sys.argv[1]), None):
    print("inside", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds tmp_path/lock until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None and process.stdout.readline() == b"inside\n"
    yield process
    process.kill()
    process.communicate()


def test_whoever_is_kept_out_is_told_by_whom(tmp_path: Path, holder: subprocess.Popen) -> None:
    with pytest.raises(HeldError) as error, locked(tmp_path / "lock", None):
        pytest.fail("two are inside")
    assert error.value.holder.startswith(f"process {holder.pid} of ") and " since 2" in error.value.holder
    assert is_held(tmp_path / "lock") and not is_held(tmp_path / "other")


def test_a_killed_holder_lets_go(tmp_path: Path, holder: subprocess.Popen) -> None:
    told: list[str] = []

    def kill(who: str) -> None:
        told.append(who)
        holder.kill()

    with locked(tmp_path / "lock", kill) as exclusive:
        assert exclusive and f"process {os.getpid()} of " in (tmp_path / "lock").read_text()
    assert len(told) == 1
    assert not (tmp_path / "lock").exists() and not is_held(tmp_path / "lock")
