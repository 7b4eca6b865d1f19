"""What tests of the studio share: two drawn domains."""

from pathlib import Path

import pytest

from pipelines.cli import run
from tests.pipelines.runs import draw


@pytest.fixture
def domains(place: Path) -> Path:
    """A folder with the domains anna and ben, of 40 drawn frames each."""
    for name, look in (("anna", "A"), ("ben", "B")):
        clip = draw(place / f"{name}.mp4", look, 40, seed=ord(name[0]))
        assert run(["extract", str(clip), "--align", "none", "--size", "64"]) == 0
    return place
