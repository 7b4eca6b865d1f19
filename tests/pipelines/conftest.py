"""What tests of commands share: a folder to work in and a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages import browser


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without model files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path / "no-models"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-torch"))
    return tmp_path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as program:
        yield program
