"""A run's folder outlives the version that began it, and what was imported is not trained on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recycle.config import LossWeights, MethodConfig, NetworkConfig, TrainingConfig, to_json
from recycle.methods import METHODS
from recycle.runs.checkpoint import CheckpointError, save
from recycle.runs.runfolder import (
    IMPORTED,
    SettingsMismatch,
    check_settings,
    checkpoints_folder,
    load_for_rendering,
    read_settings,
    write_settings,
)

torch.set_num_threads(1)

OLD = {
    "settings": {
        "method": "recyclegan",
        "a": "domains/anna",
        "b": "domains/ben",
        "crop_jitter": True,
        "config": {
            "networks": {
                "size": 64,
                "generator_blocks": 3,
                "generator_filters": 4,
                "upsampling": "transposed",
                "predictor_filters": 4,
                "discriminator_filters": 4,
                "discriminator_layers": 3,
            },
            "weights": {
                "adversarial": 1.0,
                "recurrent": 10.0,
                "recycle": 10.0,
                "predictor_adversarial": 0.0,
                "cycle": 0.0,
                "identity": 0.0,
            },
            "pool_size": 0,
        },
    },
    "training": {"steps": 5000, "learning_rate": 0.0002, "precision": "auto", "seed": 0},
    "computes_in": "float32",
}
"""A config.json as the first version wrote it, before U-Net generators, other norms, adversarial losses and terms."""

NETWORKS = NetworkConfig(
    size=64, generator="resnet_3blocks", generator_filters=4, predictor_filters=4, discriminator_filters=4
)
CONFIG = MethodConfig(NETWORKS, LossWeights(recurrent=10.0, recycle=10.0))


def settings(config: MethodConfig = CONFIG) -> dict:
    return OLD["settings"] | {"config": to_json(config)}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(OLD))
    return tmp_path


def test_a_run_of_before_an_option_goes_on_with_its_default(old):
    notes = []
    check_settings(old, settings(), TrainingConfig(steps=9), "float32", notes.append)
    assert not notes


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (replace(CONFIG, networks=replace(NETWORKS, norm="batch")), "--norm instance (now batch)"),
        (replace(CONFIG, networks=replace(NETWORKS, generator="unet")), "--generator resnet_3blocks (now unet)"),
        (replace(CONFIG, adversarial_loss="hinge"), "--adversarial-loss lsgan (now hinge)"),
        (replace(CONFIG, window=5), "--window 3 (now 5)"),
    ],
)
def test_but_not_with_another_value_of_it(old, config, said):
    with pytest.raises(SettingsMismatch) as caught:
        check_settings(old, settings(config), TrainingConfig(), "float32", pytest.fail)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_training_option_of_before_counts_as_its_default(old):
    with pytest.raises(SettingsMismatch, match=r"--beta1 0.5 \(now 0.9\)"):
        check_settings(old, settings(), TrainingConfig(beta1=0.9), "float32", pytest.fail)


def test_options_of_a_later_version_are_said_in_one_line(old):
    later = json.loads(json.dumps(OLD))
    later["settings"]["config"]["networks"]["warp"] = 9
    (old / "config.json").write_text(json.dumps(later))
    with pytest.raises(CheckpointError, match="no field warp; another version") as caught:
        check_settings(old, settings(), TrainingConfig(), "float32", pytest.fail)
    assert "\n" not in str(caught.value)


def test_an_imported_run_is_not_trained_on_even_under_its_own_settings(tmp_path):
    imported = settings() | {IMPORTED: ["of this file"]}
    write_settings(tmp_path, imported, TrainingConfig(), "float32")
    with pytest.raises(SettingsMismatch, match="imported"):
        check_settings(tmp_path, imported, TrainingConfig(), "float32", pytest.fail)


def test_an_old_run_renders(old):
    method = METHODS["recyclegan"](CONFIG)
    save(checkpoints_folder(old), 5, {"weights": method.state_dict(), "ema": {}}, {}, keep=1)
    loaded = load_for_rendering(old).method
    frames = torch.rand(1, 3, 64, 64)
    assert torch.equal(loaded.translate(frames, "b_to_a"), method.translate(frames, "b_to_a"))


def test_rendering_asks_for_the_generators_alone(tmp_path):
    config = replace(CONFIG, networks=replace(NETWORKS, norm="batch"))
    method = METHODS["cyclegan"](config)
    for buffer in method.buffers():
        buffer.copy_(torch.rand(buffer.shape) * 9)
    weights = {name: value for name, value in method.state_dict().items() if name.startswith("generator_")}
    means = {name: value + 1 for name, value in method.generator_ba.named_parameters(prefix="generator_ba")}
    save(checkpoints_folder(tmp_path), 5, {"weights": weights, "ema": means}, {}, keep=1)
    write_settings(tmp_path, settings(config) | {"method": "cyclegan"}, TrainingConfig(), "float32")
    for kind, expected in (("raw", weights), ("ema", weights | means)):
        loaded = load_for_rendering(tmp_path, kind).method.state_dict()
        assert all(torch.equal(loaded[name], value) for name, value in expected.items())
    del weights["generator_ab.model.1.weight"]
    save(checkpoints_folder(tmp_path), 6, {"weights": weights, "ema": {}}, {}, keep=1)
    with pytest.raises(CheckpointError, match="do not belong together"):
        load_for_rendering(tmp_path)


def test_settings_come_back(tmp_path):
    write_settings(tmp_path, settings(), TrainingConfig(steps=3), "bfloat16")
    content = read_settings(tmp_path)
    assert content["settings"] == settings()
    assert (content["training"]["steps"], content["computes_in"]) == (3, "bfloat16")
