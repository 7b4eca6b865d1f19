"""Runs to be judged, and what a study's page holds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import run
from tests.pages import write_config, write_evaluation

REGULAR = [40 * number for number in range(150)]


def write_run(name: str, **changes: Any) -> Path:
    """runs/NAME with an evaluation."""
    folder = Path("runs") / name
    write_config(folder, b="domains/ben")
    write_evaluation(folder, changes.pop("times", REGULAR), **changes)
    return folder


def one_error(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Runs `retarget study`, which has to fail with one line on stderr and exit code 2."""
    capsys.readouterr()
    assert run(["study", *map(str, words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def page_data(page: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text())
    assert found
    return json.loads(found[1])
