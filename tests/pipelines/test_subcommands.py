"""Commands that are run by others: what each of them sees of the machine."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipelines.subcommands import Quiet


def test_each_command_has_one_gpu_and_all_of_them_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,7")
    with Quiet(1) as commands, (tmp_path / "log").open("w") as log, ExitStack() as stack:
        seen = []
        for _ in range(4):
            process = stack.enter_context(commands._started(("doctor", "--help"), log))
            seen.append(_gpu_of(process.pid))
        assert sorted(seen) == ["3", "3", "7", "7"] and seen[0] != seen[1]


def _gpu_of(pid: int) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # for a moment a new process has no environment yet
        for line in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if line.startswith(b"CUDA_VISIBLE_DEVICES="):
                return line.decode().partition("=")[2]
    raise AssertionError("it sees no such variable")
