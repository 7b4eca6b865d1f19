"""A run that was left before methods had rows: config.json word for word, and CartoonGAN's counter in its weights."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recycle.config import MethodConfig, TrainingConfig, from_json, to_json
from recycle.methods import METHODS
from recycle.runs.checkpoint import save
from recycle.runs.runfolder import (
    SettingsMismatch,
    check_settings,
    checkpoints_folder,
    load_for_rendering,
    read_settings,
)

torch.set_num_threads(1)
CONFIG = """
{"settings": {"method": "cartoongan", "a": "domains/anna", "b": "domains/ben", "aligner_a": "none",
"aligner_b": "none", "crop_jitter": false, "flip": false, "config": {"networks": {"size": 32, "generator":
"resnet_1blocks", "generator_filters": 4, "upsampling": "transposed", "dropout": false, "predictor": "unet",
"predictor_filters": 4, "discriminator": "patch", "discriminator_filters": 4, "discriminator_layers": 2,
"norm": "instance", "attention": false, "spectral_norm": "none", "init": "normal", "init_gain": 0.02},
"weights": {"adversarial": 1.0, "recurrent": 0.0, "recycle": 0.0, "predictor_adversarial": 0.0, "cycle": 0.0,
"identity": 0.0, "l1": 0.0, "content": 0.0, "edge": 1.0, "unsupervised_spatial": 0.0, "unsupervised_recycle":
0.0}, "adversarial_loss": "vanilla", "window": 3, "cycle_direction": "both", "initial_steps": 250,
"pool_size": 0}}, "training": {"steps": 50, "minutes": null, "batch_size": 1, "learning_rate": 0.0004,
"beta1": 0.5, "beta2": 0.999, "constant_part": 0.5, "ema_decay": 0.998, "precision": "auto", "accelerator":
"auto", "devices": null, "nodes": 1, "seed": 0, "save_every": 25, "sample_every": 500, "log_every": 20,
"keep": 3}, "computes_in": "bfloat16"}
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The run's folder, with weights that are as drawn from a seed."""
    (tmp_path / "config.json").write_text(CONFIG)
    torch.manual_seed(7)
    method = METHODS["cartoongan"](from_json(MethodConfig, json.loads(CONFIG)["settings"]["config"]))
    weights = {**method.state_dict(), "steps": torch.tensor(50)}
    save(checkpoints_folder(tmp_path), 50, {"weights": weights, "ema": {}}, {}, keep=1)
    return tmp_path


def test_it_is_rendered_with_the_weights_that_it_has(run):
    trained = load_for_rendering(run, "raw", "newest")
    torch.manual_seed(7)
    same = METHODS["cartoongan"](from_json(MethodConfig, read_settings(run)["settings"]["config"])).eval()
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    assert trained.step == 50
    assert torch.equal(trained.method.translate(picture, "a_to_b"), same.translate(picture, "a_to_b"))


def test_the_same_command_goes_on_and_another_is_refused(run):
    before = read_settings(run)
    config, _ = METHODS["cartoongan"].defaults("tiny")
    networks = from_json(MethodConfig, before["settings"]["config"]).networks
    config = replace(config, networks=networks, weights=replace(config.weights, content=0.0))
    training = from_json(TrainingConfig, before["training"])
    settings = before["settings"] | {"config": to_json(config)}
    notes: list[str] = []
    check_settings(run, settings, training, before["computes_in"], notes.append)
    assert notes == []
    other = settings | {"config": to_json(replace(config, initial_steps=3))}
    with pytest.raises(SettingsMismatch, match=r"--initial-steps 250 \(now 3\)"):
        check_settings(run, other, training, before["computes_in"], notes.append)
