"""Commands use the best checkpoint and say so; every method has one."""

import json
from pathlib import Path

import pytest

from pipelines.cli import run
from recycle.methods import METHODS
from tests.pipelines.runs import OWN, SMALL, draw
from tests.recycle.training.tiny_runs import best_of, rows, scoring


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Domains a and b of 60 drawn frames, six of each held out, in the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    for name, look in (("a", "A"), ("b", "B")):
        draw(tmp_path / f"{name}.mp4", look, frames=60)
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0
    return tmp_path


def test_commands_use_the_best_and_say_so(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring(monkeypatch, [1, 2])
    assert run(["train", "a", "b", "--method", "cyclegan", *SMALL, *OWN["cyclegan"], "--steps", "20"]) == 0
    assert "best of 2 checkpoints compared: step 10 (score 1.000); render uses it" in capsys.readouterr().out
    contents = {}
    for choice, step in (("best", 10), ("newest", 20)):
        words = [] if choice == "best" else ["--checkpoint", choice]
        output = place / f"{choice}.mp4"
        assert run(["render", "--input", "a.mp4", "--output", str(output), *words]) == 0
        assert f"of the {choice} checkpoint, step {step})" in capsys.readouterr().out
        assert run(["export", "--to", "torch", "--output", choice, *words]) == 0
        assert f"of the {choice} checkpoint, step {step})" in capsys.readouterr().out
        contents[choice] = output.read_bytes(), (place / choice / "latest_net_G_A.pth").read_bytes()
    assert contents["best"][0] != contents["newest"][0] and contents["best"][1] != contents["newest"][1]
    assert run(["evaluate", "--input", "a.mp4"]) == 0
    assert "of the best checkpoint, step 10)" in capsys.readouterr().out
    judged = json.loads((place / "runs/a-b/evaluation/evaluation.json").read_text())
    assert (judged["step"], judged["checkpoint"]) == (10, "best")
    assert run(["render", "--input", "a.mp4", "--output", "best.mp4"]) == 0
    assert "already rendered" in capsys.readouterr().out


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_compared(method: str, place: Path) -> None:
    parts = {"pix2pix": ["temporal", "l1", "place"], "cartoongan": ["temporal", "look", "place"]}
    parts |= {name: ["temporal", "look", "place"] for name in ("cut", "fastcut")}
    no_content = {"syntheticflow": ["--content", "0"], "cartoongan": ["--content", "0", "--initial-steps", "0"]}
    words = [*SMALL, *OWN[method], *no_content.get(method, [])]
    assert run(["train", "a", "b", "--method", method, *words, "--steps", "2"]) == 0
    (row,) = rows(place / "runs/a-b", "selection")
    assert list(row) == ["step", "score", *parts.get(method, ["temporal", "cycle", "look", "place"])]
    assert all(0 <= float(value) < 20 for value in list(row.values())[1:])
    assert best_of(place / "runs/a-b")["step"] == 2
