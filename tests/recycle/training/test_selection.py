"""Which checkpoint is the best, and what becomes of the choice."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recycle.runs.checkpoint import load_newest
from recycle.runs.runfolder import load_for_rendering
from recycle.training.heldout import PLACE_WEIGHT, HeldOut
from recycle.training.selection import PATIENCE, Selection
from tests.recycle.training.tiny_runs import (
    SHORT,
    TINY,
    batches_of,
    best_of,
    final_bytes,
    held_out,
    rows,
    run_training,
    saved_steps,
    scoring,
)

CPU = torch.device("cpu")


def test_every_save_and_the_end_are_compared_and_the_best_is_marked(tmp_path: Path) -> None:
    notes: list[str] = []
    modes_differ = replace(TINY, networks=replace(TINY.networks, norm="batch", dropout=True))
    run_training(tmp_path, replace(SHORT, steps=9, save_every=2, keep=20), modes_differ, on_note=notes.append)
    table = rows(tmp_path, "selection")
    assert [int(row["step"]) for row in table] == [2, 4, 6, 8, 9]
    assert list(table[0]) == ["step", "score", "temporal", "cycle", "look", "place"]
    for row in table:
        assert float(row["score"]) == pytest.approx(sum(float(row[part]) for part in list(row)[2:]))
    least = min(table, key=lambda row: float(row["score"]))
    assert best_of(tmp_path) == {
        "step": int(least["step"]),
        "score": float(least["score"]),
        "parts": {part: float(least[part]) for part in ("temporal", "cycle", "look", "place")},
    }
    said = f"step {least['step']} (score {float(least['score']):.3f}); render uses it"
    assert notes[-1] == f"best of 5 checkpoints compared: {said}"
    loaded = load_for_rendering(tmp_path)
    assert (loaded.step, loaded.choice) == (int(least["step"]), "best")
    parts = HeldOut(loaded.method, held_out()).parts(CPU)
    assert parts == best_of(tmp_path)["parts"], "judged as it is rendered: by the running mean, in evaluation mode"


def test_keep_never_removes_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scoring(monkeypatch, [3, 1, 2, 2, 2, 0.5, 2, 2])
    config = replace(SHORT, save_every=1, keep=2)
    run_training(tmp_path, replace(config, steps=5))
    assert sorted(saved_steps(tmp_path)) == [2, 4, 5]
    run_training(tmp_path, replace(config, steps=8))
    assert sorted(saved_steps(tmp_path)) == [6, 7, 8], "and lets the one go that was the best before"
    assert best_of(tmp_path)["step"] == 6


def test_a_run_that_was_stopped_has_the_same_history(tmp_path: Path) -> None:
    """Stopped between two evaluations, where it saves without one, then killed after a row that no save followed."""
    config = replace(SHORT, steps=10, save_every=3, keep=1)

    def interrupted(at: int):
        def batches(start: int):
            for step, batch in enumerate(batches_of()(start), start=start):
                if step == at:
                    raise ConnectionError
                yield batch

        return batches

    def stopped(at: int):
        def batches(start: int):
            for step, batch in enumerate(batches_of()(start), start=start):
                if step == at:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield batch

        return batches

    straight, other = tmp_path / "straight", tmp_path / "other"
    run_training(straight, config)
    assert run_training(other, config, batches=stopped(4)).interrupted
    assert max(saved_steps(other)) == 5
    assert [row["step"] for row in rows(other, "selection")] == ["3"]
    with (other / "selection.csv").open("a") as file:
        file.write("6,0.1,0.1,0.1,0.1,0.1\n7,0.")
    with pytest.raises(ConnectionError):
        run_training(other, config, batches=interrupted(8))
    run_training(other, config)
    for name in ("selection.csv", "checkpoints/best.json"):
        assert (other / name).read_bytes() == (straight / name).read_bytes()
    assert final_bytes(other) == final_bytes(straight)


def test_a_lost_mark_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scoring(monkeypatch, [3, 1, 2, 2, 2])
    config = replace(SHORT, save_every=1)
    run_training(tmp_path, replace(config, steps=3))
    mark = tmp_path / "checkpoints" / "best.json"
    before = mark.read_bytes()
    for damage in (mark.unlink, lambda: mark.write_text('{"step": 77}'), lambda: mark.write_text("{")):
        damage()
        run_training(tmp_path, replace(config, steps=3))
        assert mark.read_bytes() == before
    shutil.rmtree(tmp_path / "checkpoints" / "step-00000002")
    notes: list[str] = []
    run_training(tmp_path, replace(config, steps=5), on_note=notes.append)
    assert any("step 2, the best, is gone" in note for note in notes)
    assert best_of(tmp_path)["step"] == 4


def test_other_held_out_windows_begin_anew(tmp_path: Path) -> None:
    config = replace(SHORT, save_every=2)
    run_training(tmp_path, replace(config, steps=4))
    notes: list[str] = []
    fewer = {name: frames[:, :2] for name, frames in held_out().items()}
    run_training(tmp_path, replace(config, steps=6), held_out=fewer, on_note=notes.append)
    assert any("compared anew" in note for note in notes)
    assert [row["step"] for row in rows(tmp_path, "selection")] == ["6"]
    assert best_of(tmp_path)["step"] == 6


@pytest.mark.parametrize(
    ("windows_", "said"),
    [
        ({}, "nothing is held out"),
        ({name: frames[:, :1] for name, frames in held_out().items()}, "compared by cycle and look and place alone"),
    ],
)
def test_too_little_held_out_is_said(tmp_path: Path, windows_: dict[str, Tensor], said: str) -> None:
    notes: list[str] = []
    run_training(tmp_path, held_out=windows_, on_note=notes.append)
    assert sum(said in note for note in notes) == 1
    assert (tmp_path / "selection.csv").exists() == (tmp_path / "checkpoints" / "best.json").exists() == bool(windows_)
    assert any("render uses it" in note for note in notes) == bool(windows_)
    assert load_for_rendering(tmp_path).step == 8


def test_training_says_once_a_spell_that_it_stopped_improving() -> None:
    selection = Selection(Path())
    worse = [0.9, *[1.0] * 2 * PATIENCE, 0.8, *[0.8] * PATIENCE]
    lines = []
    for step, value in enumerate(worse):
        lines.append(selection.see(step, value, {"cycle": value}))
        selection = Selection(Path(), json.loads(json.dumps(selection.state())))  # as a run that goes on
    told = [step for step, line in enumerate(lines) if line]
    assert told == [PATIENCE, 3 * PATIENCE + 1]
    assert "step 0 " in lines[told[0]] and "step 11 " in lines[told[1]]
    assert "stopped improving" in lines[told[0]] and "\n" not in lines[told[0]]
    assert Selection(Path()).see(1, float("nan"), {}) is None


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """A run whose best checkpoint is step 4, the newest step 8."""
    with pytest.MonkeyPatch.context() as patched:
        scoring(patched, [1, 2])
        run_training(tmp_path)
    return tmp_path


def test_the_best_is_loaded_and_else_the_newest(marked: Path) -> None:
    def loaded(choice: str = "best") -> tuple[int, str, list[str]]:
        notes: list[str] = []
        found = load_for_rendering(marked, choice=choice, on_note=notes.append)
        return found.step, found.choice, notes

    assert loaded() == (4, "best", [])
    assert loaded("newest") == (8, "newest", [])
    (marked / "checkpoints/step-00000004/ema.safetensors").write_bytes(b"x")
    step, choice, notes = loaded()
    assert (step, choice, len(notes)) == (8, "newest", 1)
    assert "step-00000004, the best, cannot be used" in notes[0] and "taking the newest, step 8" in notes[0]
    for content in ("{", "[]", '{"step": "../../etc"}', '{"step": true}'):
        (marked / "checkpoints/best.json").write_text(content)
        assert "no checkpoint is marked" in loaded()[2][0]
    (marked / "checkpoints/best.json").unlink()
    assert loaded()[:2] == (8, "newest")


def test_the_two_checkpoints_differ(marked: Path) -> None:
    best, newest = (load_for_rendering(marked, choice=choice).method.state_dict() for choice in ("best", "newest"))
    saved = load_newest(marked / "checkpoints").tensors["ema"]
    assert all(torch.equal(newest[name], value) for name, value in saved.items())
    assert not all(torch.equal(best[name], value) for name, value in saved.items())


def test_training_warns_within_its_first_tenth_and_once_a_spell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = iter([{"temporal": 2.0, "place": 0.0}, *3 * [{"temporal": 0.3, "place": PLACE_WEIGHT}]])
    monkeypatch.setattr(HeldOut, "parts", lambda self, device: next(parts))
    told: list[tuple[str, str]] = []

    def note(line: str) -> None:
        told.append((line, rows(tmp_path)[-1]["step"] if (tmp_path / "metrics.csv").exists() else ""))

    run_training(tmp_path, replace(SHORT, steps=30, save_every=10, log_every=1), on_note=note)
    still = [step for line, step in told if "nearly one picture for all" in line]
    beside = [step for line, step in told if "lie 1.0 px" in line]
    assert (still, beside) == (["3"], ["10"])
    assert [row["step"] for row in rows(tmp_path, "selection")] == ["10", "20", "30"], "the early look chooses nothing"
