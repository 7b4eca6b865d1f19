"""What is loaded to render: the newest whole checkpoint, its running mean, or one line of why not."""

import json
from dataclasses import replace

import pytest
import torch

from recycle.runs.checkpoint import CheckpointError
from recycle.runs.runfolder import load_for_rendering
from tests.recycle.training.tiny_runs import SETTINGS, SHORT, run_training


def test_rendering_takes_the_newest_whole_checkpoint(tmp_path):
    run_training(tmp_path)
    loaded = load_for_rendering(tmp_path, choice="newest")
    assert loaded.settings == SETTINGS
    assert not loaded.method.training
    assert (loaded.step, loaded.choice) == (8, "newest")
    (tmp_path / "checkpoints" / "step-00000008" / "ema.safetensors").write_bytes(b"")
    notes = []
    assert load_for_rendering(tmp_path, choice="newest", on_note=notes.append).step == 4
    assert "step-00000008" in notes[0]


def test_a_run_without_running_mean_renders_its_weights(tmp_path):
    run_training(tmp_path, replace(SHORT, ema_decay=0.0))
    states = [load_for_rendering(tmp_path, weights)[1].state_dict() for weights in ("ema", "raw")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_what_is_no_run_is_said_in_one_line(tmp_path):
    with pytest.raises(CheckpointError, match="not a training run"):
        load_for_rendering(tmp_path / "missing")
    with pytest.raises(ConnectionError):
        run_training(tmp_path, batches=lambda start: (_ for _ in ()).throw(ConnectionError()))
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        load_for_rendering(tmp_path)
    run_training(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["settings"]["config"]["networks"]["generator_filters"] = 5
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="do not belong together") as caught:
        load_for_rendering(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        load_for_rendering(tmp_path)
