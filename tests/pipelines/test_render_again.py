"""Rendering again: only what is the same in weights, clip, person, options and program is left as it is."""

from pathlib import Path

import pytest

import pipelines.render as stage
from pipelines.cli import run
from tests.media import write_portrait
from tests.pipelines.runs import TINY, draw, train_drawn


def rendered(capsys: pytest.CaptureFixture[str], *words: str) -> bool:
    """Whether a render did anything."""
    capsys.readouterr()
    assert run(["render", "--output", "r.mp4", *words]) == 0
    return "already rendered" not in capsys.readouterr().out


def test_what_changes_the_result_renders_again(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_drawn(place, steps=3)
    assert rendered(capsys) and not rendered(capsys)
    (place / "runs/a-b").rename(place / "runs/moved")
    assert not rendered(capsys), "the same weights under another name"
    train_drawn(place, "--seed", "1", steps=3)
    assert rendered(capsys, "--run", "runs/a-b"), "the same steps, other weights"
    assert not rendered(capsys, "--run", "runs/a-b")
    assert rendered(capsys, "--run", "runs/a-b", "--no-colour-match")
    draw(place / "c.mp4", seed=5)
    assert rendered(capsys, "--input", "c.mp4") and not rendered(capsys, "--input", "c.mp4")
    draw(place / "c.mp4", seed=6)
    assert rendered(capsys, "--input", "c.mp4"), "another clip under the same name"
    monkeypatch.setattr(stage, "version", lambda name: "another")
    assert rendered(capsys, "--input", "c.mp4")


def test_another_person_renders_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_portrait(place / "p.mp4", frames=12)
    assert run(["extract", "p.mp4", "--align", "haar", "--size", "32"]) == 0
    assert run(["extract", "p.mp4", "--align", "haar", "--size", "32", "--name", "q"]) == 0
    assert run(["train", "p", "q", *TINY, "--steps", "2"]) == 0
    assert rendered(capsys, "--input", "p.mp4") and not rendered(capsys, "--input", "p.mp4")
    assert rendered(capsys, "--input", "p.mp4", "--face", "1")
