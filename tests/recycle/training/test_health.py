"""Trouble: a loss that is no number, a full disk, a side that has won, translations that are all alike."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recycle.methods import METHODS
from recycle.runs import checkpoint
from recycle.runs.checkpoint import load_newest
from recycle.training.health import WON_STEPS, TrainingDiverged, Watch
from tests.recycle.training.tiny_runs import SHORT, TINY, final_bytes, run_training, saved_steps


def poisoned(what: str, at: int):
    """A method whose loss, or whose gradient alone, is no number in step `at`."""

    class Poisoned(METHODS["recyclegan"].load()):
        calls = 0

        def generator_losses(self, a, b, moment):
            fakes, losses = super().generator_losses(a, b, moment)
            type(self).calls += 1
            if type(self).calls == at:
                if what == "loss":
                    losses["recycle_a"] = losses["recycle_a"] * float("nan")
                else:
                    weight = next(self.generator_ab.parameters())
                    losses["recycle_a"] = losses["recycle_a"] + (weight * 0).abs().sum().sqrt()  # slope at 0: 0 * inf
            return fakes, losses

    torch.manual_seed(0)
    return Poisoned(TINY)


@pytest.mark.parametrize(("what", "named"), [("loss", "generators is nan"), ("gradient", "generator_gradient is nan")])
def test_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path, what, named):
    with pytest.raises(TrainingDiverged) as caught:
        run_training(tmp_path, replace(SHORT, save_every=2), method=poisoned(what, at=6))
    message = str(caught.value)
    assert named in message
    assert "at step 6" in message
    assert "goes on from step 4" in message
    assert "--learning-rate than 0.0002" in message
    assert "\n" not in message
    loaded = load_newest(tmp_path / "checkpoints")
    assert loaded.step == 4
    assert all(torch.isfinite(value).all() for value in loaded.tensors["weights"].values())
    assert run_training(tmp_path, replace(SHORT, learning_rate=1e-4)).step == 8


def test_weights_that_are_no_numbers_are_never_saved(tmp_path):
    method = METHODS["recyclegan"](TINY)
    with torch.no_grad():
        method.discriminator_a.register_buffer("odd", torch.tensor(float("inf")))
    with pytest.raises(TrainingDiverged, match=r"discriminator_a.odd is not finite at step 4.*starts anew"):
        run_training(tmp_path, method=method)
    assert saved_steps(tmp_path) == []


def test_a_full_disk_comes_through_and_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    run_training(tmp_path, replace(SHORT, steps=4))
    before = final_bytes(tmp_path)

    def full(path: Path, content: bytes) -> dict[str, object]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(checkpoint, "_write", full)
        run_training(tmp_path)
    assert final_bytes(tmp_path) == before
    run_training(tmp_path)
    assert max(saved_steps(tmp_path)) == 8


def test_a_side_that_has_won_is_told_once_a_spell():
    watch = Watch()
    lines = [watch.see_loss(2.0)]
    lines += [watch.see_loss(0.01) for _ in range(WON_STEPS - 1)]
    assert not any(lines)
    resumed = Watch()
    resumed.load(json.loads(json.dumps(watch.state())))
    lines = [resumed.see_loss(0.01) for _ in range(2 * WON_STEPS)]
    assert [number for number, line in enumerate(lines) if line] == [0]
    assert "discriminators have won" in lines[0]
    assert resumed.see_loss(1.0) is None
    assert sum(resumed.see_loss(0.01) is not None for _ in range(2 * WON_STEPS)) == 1


def test_translations_that_are_all_alike_are_told_once_a_spell():
    sources = {"a_source": torch.randn(4, 3, 8, 8), "b_source": torch.randn(4, 3, 8, 8)}
    alike = torch.randn(1, 3, 8, 8).expand(4, -1, -1, -1) + 0.01 * torch.randn(4, 3, 8, 8)
    good = sources | {"a_translated": torch.randn(4, 3, 8, 8), "b_translated": torch.randn(4, 3, 8, 8)}
    bad = good | {"b_translated": alike}
    watch = Watch()
    lines = [watch.see_samples(samples) for samples in (good, bad, bad, good, bad)]
    assert [line is not None for line in lines] == [False, True, False, False, True]
    assert "pictures of B" in lines[1]
    # A domain that itself hardly moves may look alike; so may a single picture.
    still = bad | {"a_source": alike, "b_source": alike}
    assert Watch().see_samples(still) is None
    assert Watch().see_samples({name: pictures[:1] for name, pictures in bad.items()}) is None
