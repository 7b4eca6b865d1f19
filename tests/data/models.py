"""Model files in tests: none of this machine's, none from the network, but those that a test puts there."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from data.models import MODELS


def no_models_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's models nor the network."""
    monkeypatch.delenv("RETARGET_MODELS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    for name, model in list(MODELS.items()):
        monkeypatch.setitem(MODELS, name, replace(model, urls=("http://127.0.0.1:9/" + model.file_name,)))


def pinned(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes whatever lies at `path` for that model."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(MODELS, name, replace(MODELS[name], sha256=digest))
