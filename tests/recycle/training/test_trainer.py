"""The loop: what it shows, in what it computes, and what its seed decides."""

import json
from dataclasses import replace

import torch

from recycle.config import LossWeights
from recycle.methods import METHODS
from recycle.runs.checkpoint import load_newest
from recycle.runs.runfolder import load_for_rendering
from tests.recycle.training.tiny_runs import SHORT, TINY, final_bytes, rows, run_training, windows


def test_samples_come_at_their_steps_and_from_the_running_mean(tmp_path):
    seen = {}
    config = replace(SHORT, steps=8, sample_every=3, ema_decay=0.99, precision="float32")
    run_training(tmp_path, config, on_samples=lambda step, samples: seen.update({step: samples}))
    assert list(seen) == [3, 6, 8]
    a, _ = windows()
    for pictures in seen[8].values():
        assert (pictures.shape, pictures.dtype) == ((2, 3, 32, 32), torch.float32)
        assert pictures.abs().max() <= 1
    assert torch.equal(seen[8]["a_source"], a[:, 2])
    for weights, alike in (("ema", True), ("raw", False)):
        method = load_for_rendering(tmp_path, weights, "newest").method
        rendered = method.translate(a[:, 2], "a_to_b")  # laid out otherwise in memory than while it trained
        assert torch.allclose(rendered, seen[8]["a_translated"], rtol=0, atol=1e-5) == alike


def test_looking_does_not_change_the_training(tmp_path):
    run_training(tmp_path / "much", replace(SHORT, log_every=1, sample_every=1, save_every=1))
    run_training(tmp_path / "little")
    assert final_bytes(tmp_path / "much") == final_bytes(tmp_path / "little")


def test_cyclegan_trains_on_the_same_windows(tmp_path):
    config = replace(TINY, weights=LossWeights(cycle=10.0, identity=5.0))
    assert run_training(tmp_path, replace(SHORT, steps=2), config, method_name="cyclegan").step == 2
    loaded = load_for_rendering(tmp_path)
    assert loaded.settings["method"] == "cyclegan"
    assert type(loaded.method) is METHODS["cyclegan"].load()


def test_bfloat16_computes_its_losses_in_float32(tmp_path):
    seen = []

    class Watched(METHODS["recyclegan"].load()):
        def discriminator_losses(self, a, b, fakes, moment):
            seen.append(fakes["a"].dtype)
            return super().discriminator_losses(a, b, fakes, moment)

    config = replace(SHORT, steps=2, precision="bfloat16", log_every=1)
    run_training(tmp_path, config, method=Watched(TINY))
    assert torch.bfloat16 in seen
    assert json.loads((tmp_path / "config.json").read_text())["computes_in"] == "bfloat16"
    loaded = load_newest(tmp_path / "checkpoints")
    assert {value.dtype for value in loaded.tensors["weights"].values()} == {torch.float32}
    # A bfloat16 sum of about 30 would be a multiple of 1/8.
    assert any(float(row["generators"]) * 8 % 1 for row in rows(tmp_path))


def test_the_seed_decides_the_weights(tmp_path):
    for name, seed in (("first", 1), ("second", 1), ("other", 2)):
        run_training(tmp_path / name, replace(SHORT, steps=2, seed=seed))
    assert final_bytes(tmp_path / "first") == final_bytes(tmp_path / "second")
    assert (
        final_bytes(tmp_path / "first")["weights.safetensors"] != final_bytes(tmp_path / "other")["weights.safetensors"]
    )
