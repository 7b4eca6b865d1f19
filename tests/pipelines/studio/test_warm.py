"""The process that makes previews: it answers, is replaced where it was killed, and ends with whoever started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.studio.warm import Warm


def gone(process: int) -> bool:
    """Whether it ends, within reason; a process that nobody has waited for yet has ended, too."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def running(warm: Warm) -> int:
    assert warm._process is not None
    return warm._process.pid


def test_it_carries_out_commands_and_outlives_bad_ones(place: Path) -> None:
    warm = Warm(loaded=())
    try:
        warm.start()
        first = running(warm)
        assert warm.ask(["runs"])["code"] == 0
        wrong = warm.ask(["render", "--run", "nothing"])
        assert wrong["code"] == 2 and "retarget render: nothing" in wrong["said"]
        assert warm.ask(["render", "--nonsense"])["code"] == 2
        assert running(warm) == first, "one process for all of them"
        os.kill(first, signal.SIGKILL)
        assert warm.ask(["runs"])["code"] == 0
        assert running(warm) != first and gone(first)
    finally:
        warm.end()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes as Linux shows them")
def test_it_ends_with_whoever_started_it(place: Path) -> None:
    program = "from pipelines.studio.warm import Warm; w = Warm(()); w.ask(['runs']); print(w._process.pid, flush=True)"
    owner = subprocess.Popen(
        [sys.executable, "-c", f"{program}; input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert owner.stdout and owner.stdin
    process = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    assert gone(process)
