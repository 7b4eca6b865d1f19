"""A growing file: whole lines stay, a torn one goes, and of two processes one waits."""

import subprocess
import sys
from pathlib import Path

import pytest

from durable.growing import growing


def test_lines_are_added_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with growing(path) as log:
        assert (log.lines, log.last) == (0, "")
        log.add("one", "zwei")
    with growing(path) as log:
        assert (log.lines, log.last) == (2, "zwei")
        log.add("trois")
    assert path.read_text() == "one\nzwei\ntrois\n"


@pytest.mark.parametrize("torn", ["th", "\u00e4"])
def test_a_torn_line_is_cut_off(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\n" + torn.encode()[:2])
    with growing(path) as log:
        assert (log.lines, log.last) == (2, "two")
        log.add("three")
    assert path.read_text() == "one\ntwo\nthree\n"


def test_what_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    program = (
        "import sys, time; from pathlib import Path; from durable.growing import growing\n"
        "with growing(Path(sys.argv[1])) as log:\n"
        "    print('in', flush=True); time.sleep(0.3); log.add('first')\n"
    )
    root = Path(__file__).parents[2]
    other = subprocess.Popen([sys.executable, "-c", program, str(path)], cwd=root, stdout=subprocess.PIPE)
    assert other.stdout is not None and other.stdout.readline() == b"in\n"
    waited: list[int] = []
    with growing(path, lambda: waited.append(1)) as log:
        assert waited == [1] and log.last == "first"
    assert other.wait() == 0
