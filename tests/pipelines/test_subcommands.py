"""Commands that are run by others: what each of them sees of the machine."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipelines.subcommands import Quiet

TELLS = "import os, time; print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); time.sleep(300)"


def test_each_command_has_one_gpu_and_all_of_them_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,7")
    monkeypatch.setattr("pipelines.subcommands._program", lambda _: [sys.executable, "-c", TELLS])
    logs = [tmp_path / str(number) for number in range(4)]
    with Quiet(1) as commands, ExitStack() as stack:
        for path in logs:
            process = stack.enter_context(commands._started((), stack.enter_context(path.open("w"))))
            stack.callback(process.kill)
        seen = [_told(path) for path in logs]
    assert sorted(seen) == ["3", "3", "7", "7"] and seen[0] != seen[1]


def _told(log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (told := log.read_text()).endswith("\n"):
            return told.strip()
        time.sleep(0.05)
    raise AssertionError("it says nothing")
