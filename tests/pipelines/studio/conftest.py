"""What tests of the studio share: two drawn domains."""

import shutil
from pathlib import Path

import pytest

from pipelines.cli import run
from tests.pipelines.runs import draw


@pytest.fixture(scope="package")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the domains anna and ben, of 40 drawn frames each. Not to be changed."""
    folder = tmp_path_factory.mktemp("drawn")
    for name, look in (("anna", "A"), ("ben", "B")):
        clip = draw(folder / f"{name}.mp4", look, 40, seed=ord(name[0]))
        assert run(["extract", str(clip), "--align", "none", "--size", "64", "--domains", str(folder / "domains")]) == 0
    return folder


@pytest.fixture
def domains(place: Path, drawn: Path) -> Path:
    """A folder with a copy of these domains."""
    shutil.copytree(drawn / "domains", place / "domains")
    return place
