"""Saving beside training: what is saved is what was there, what fails is told, older checkpoints are lighter."""

import errno
import os
from dataclasses import replace

import pytest
import torch

from recycle.runs.checkpoint import CheckpointError, load, load_newest
from recycle.training.saver import Saver
from tests.recycle.training.tiny_runs import SHORT, final_bytes, run_training, saved_steps


def groups(value: float) -> dict[str, dict[str, torch.Tensor]]:
    return {group: {"x": torch.full((3,), value)} for group in ("weights", "ema", "optimizers", "process-0000")}


def test_what_training_changes_afterwards_is_not_in_it(tmp_path):
    saver, live = Saver(tmp_path, keep=3), groups(1.0)
    for step in range(1, 4):
        saver.save(step, live, {}, None)
        for named in live.values():
            named["x"].add_(1.0)
    saver.wait()
    saver.close()
    found = load_newest(tmp_path)
    assert (found.step, found.tensors["optimizers"]["x"].tolist()) == (3, [3.0] * 3)


def test_older_checkpoints_keep_what_rendering_reads(tmp_path):
    saver = Saver(tmp_path, keep=4)
    for step in (1, 2, 3, 4):
        saver.save(step, groups(step), {}, {"step": 1})
    saver.close()
    files = {step: {p.stem for p in (tmp_path / f"step-{step:08d}").glob("*.safetensors")} for step in (1, 2, 3, 4)}
    assert files[3] == files[4] == {"weights", "ema", "optimizers", "process-0000"}
    assert files[1] == files[2] == {"weights", "ema"}
    best, choice = load(tmp_path, "best", groups=("weights", "ema"))
    assert (best.step, choice, best.tensors["ema"]["x"].tolist()) == (1, "best", [1.0] * 3)
    for step in (3, 4):
        (tmp_path / f"step-{step:08d}" / "state.json").write_text("")
    notes = []
    with pytest.raises(CheckpointError, match=r"can be gone on from, but the weights of step .* --from "):
        load_newest(tmp_path, on_note=notes.append)
    assert len(notes) == 4
    assert "no optimisers any more" in notes[2]
    assert load_newest(tmp_path, groups=("weights", "ema")).step == 2


def test_a_disk_that_fills_while_training_goes_on_is_told_and_the_last_good_one_stays(tmp_path, monkeypatch):
    run_training(tmp_path, replace(SHORT, steps=4))
    before = final_bytes(tmp_path)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        run_training(
            tmp_path,
            replace(SHORT, steps=12),
            on_samples=lambda *_: None,
            on_note=lambda line: patched.setattr(os, "fsync", full),
        )
    assert saved_steps(tmp_path) == [4]
    assert final_bytes(tmp_path) == before
    assert run_training(tmp_path, replace(SHORT, steps=12)).step == 12
