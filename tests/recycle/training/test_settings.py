"""Settings of a run that goes on: refused, told, or kept."""

import json
from dataclasses import replace

import pytest

from recycle.config import LossWeights, MethodConfig, NetworkConfig, TrainingConfig, from_json, to_json
from recycle.runs.runfolder import SettingsMismatch
from tests.recycle.training.tiny_runs import SHORT, TINY, run_training


def test_other_settings_are_refused_by_name_and_value(tmp_path):
    run_training(tmp_path)
    smaller = replace(TINY, networks=replace(TINY.networks, generator_filters=4))
    with pytest.raises(SettingsMismatch) as caught:
        run_training(tmp_path, replace(SHORT, steps=9, seed=3, save_every=7), smaller)
    message = str(caught.value)
    assert "--generator-filters 2 (now 4)" in message
    assert "--seed 0 (now 3)" in message
    assert "save-every" not in message
    assert "steps" not in message
    assert "\n" not in message
    assert json.loads((tmp_path / "config.json").read_text())["training"]["seed"] == 0


def test_what_helps_a_diverged_run_may_change_but_is_told(tmp_path):
    run_training(tmp_path)
    notes = []
    changed = replace(SHORT, steps=10, learning_rate=1e-4, precision="float32", accelerator="cpu", keep=1)
    run_training(tmp_path, changed, on_note=notes.append)
    assert "--learning-rate: 0.0002 until now, 0.0001 from here on" in notes
    assert "--precision: auto until now, float32 from here on" in notes
    assert not [note for note in notes if "--keep" in note or "--accelerator" in note]


def test_settings_may_change_as_long_as_nothing_was_saved(tmp_path):
    with pytest.raises(ConnectionError):
        run_training(
            tmp_path, on_samples=lambda *_: None, batches=lambda start: (_ for _ in ()).throw(ConnectionError())
        )
    assert run_training(tmp_path, replace(SHORT, seed=5)).step == 8


def test_configurations_survive_json():
    method = MethodConfig(NetworkConfig(size=48, upsampling="nearest"), LossWeights(cycle=0.1), pool_size=7)
    assert from_json(MethodConfig, json.loads(json.dumps(to_json(method)))) == method
    training = TrainingConfig(minutes=1 / 3, devices=2)
    assert from_json(TrainingConfig, json.loads(json.dumps(to_json(training)))) == training
    assert from_json(MethodConfig, {"pool_size": 5}) == MethodConfig(pool_size=5)
    with pytest.raises(ValueError, match="no field poolsize"):
        from_json(MethodConfig, {"poolsize": 5})
