"""How the studio opens, and what keeps it from it: one line each."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.studio.guard import Pass
from tests.pipelines.runs import one_error
from tests.pipelines.studio.server import studio


def test_a_port_that_is_taken_and_a_host_that_is_none_are_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"--port {port}" in one_error(capsys, "studio", "--port", port, code=1)
    assert "--host no.such.name" in one_error(capsys, "studio", "--host", "no.such.name.invalid")
    assert "above 0" in one_error(capsys, "studio", "--upload-gigabytes", "0")


def test_without_its_extra_it_says_what_to_install(place: Path) -> None:
    program = "import sys; sys.modules['uvicorn'] = None; from pipelines.cli import main; main(['studio'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "pip install -e '.[studio]'" in done.stderr and len(done.stderr.splitlines()) == 1


def test_ctrl_c_closes_it_without_a_word(place: Path) -> None:
    with studio(place) as client:
        process = client.process
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("host", "alone", "open_"),
    [
        ("127.0.0.1:9", True, True),
        ("localhost:9", True, True),
        ("LOCALHOST:9", True, True),
        ("[::1]:9", True, True),
        ("192.168.0.5:9", False, True),
        ("workstation:9", False, True),
        ("evil.example:9", False, False),
        ("localhost.evil.example:9", False, False),
        ("127.0.0.1:10", False, False),
        ("127.0.0.1", False, False),
        ("127.0.0.1:9:9", False, False),
        ("", False, False),
        ("user@localhost:9", False, False),
    ],
)
def test_by_which_names_it_is_called(host: str, alone: bool, open_: bool) -> None:
    """Where it is for this machine alone, and where `--host` has opened it."""
    assert Pass(9).is_ours(host) == alone
    assert Pass(9, frozenset({"localhost", "workstation"}), loopback=False).is_ours(host) == open_
