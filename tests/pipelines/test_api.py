"""docs/api.md is true: its examples run, one after the other, and it names exactly what is public."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import api
from recycle.methods import METHODS
from tests.pipelines.runs import draw

PAGE = (Path(__file__).parents[2] / "docs/api.md").read_text()


@pytest.mark.slow
def test_the_examples_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, look in (("anna", "A"), ("ben", "B")):
        draw(place / f"{name}.mp4", look, 24, seed=1)
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(examples) >= 5
    space: dict[str, Any] = {}
    for number, example in enumerate(examples):
        exec(compile(example, f"docs/api.md, example {number + 1}", "exec"), space)
    said = capsys.readouterr().out
    assert "2 {'a_source': (" in said or "2 {'" in said  # samples came while it trained
    assert "'psnr': " in said and "nothing.mp4" in said
    assert (place / "anna-as-ben.mp4").stat().st_size > 0
    run = space["run"]
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    both = api.translate(run, frames)
    assert np.abs(both[1].astype(int) - api.translate(run, frames[1:])[0]).max() <= 1  # each picture alone
    for wrong in (frames[0], frames.astype(float), frames[..., :2]):
        with pytest.raises(ValueError, match="uint8"):
            api.translate(run, wrong)
    with pytest.raises(api.RetargetError):
        api.open_run(place / "runs/nobody")


def test_the_page_names_what_is_public_and_nothing_else() -> None:
    listed = re.findall(r"`(\w+)`", PAGE.partition("## What is public")[2])
    assert sorted(listed) == sorted(api.__all__)
    assert all(getattr(api, name).__doc__ for name in api.__all__ if name != "METHODS")


def test_settings_are_those_of_the_command_line() -> None:
    assert api.settings_for() == METHODS["equivariant"].defaults("paper")
