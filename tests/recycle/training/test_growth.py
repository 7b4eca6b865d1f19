"""Pictures that grow while training goes on: their side, how they are made smaller, and that nothing is lost at it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from recycle.methods.recyclegan import RecycleGAN
from recycle.runs.runfolder import load_for_rendering
from recycle.training.growth import Growth, shrink, side_at
from recycle.training.heldout import HeldOut
from tests.recycle.training.tiny_runs import (
    GROWING,
    SHORT,
    Clock,
    final_bytes,
    held_out,
    rows,
    run_training,
    saved_steps,
    timeless,
)

torch.set_num_threads(1)


class CutOffError(Exception):
    """A training that ends where nobody asked it to."""


class Sides(list[int]):
    """Sides of pictures, a step each. most: steps after which training is cut off."""

    most: int | None = None


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """Sides of the pictures that each step is made on, as the method is given them."""
    sides = Sides()
    whole = RecycleGAN.generator_losses

    def watched(self, a, b, moment):
        assert a.shape == b.shape == (1, 3, 3, a.shape[-1], a.shape[-1])
        if len(sides) == sides.most:
            raise CutOffError
        sides.append(a.shape[-1])
        return whole(self, a, b, moment)

    monkeypatch.setattr(RecycleGAN, "generator_losses", watched)
    return sides


@pytest.mark.parametrize("doublings", [1, 2, 3, 4])
@pytest.mark.parametrize("first", [32, 36, 100])
def test_the_smaller_sides_share_the_first_half_evenly_and_the_full_one_has_the_second(first, doublings):
    steps = 2 * doublings * 50
    sides = [side_at(done / steps, first, first * 2**doublings) for done in range(steps)]
    assert sides == sorted(sides)
    assert sides[0] == first
    for times in range(doublings):
        assert sides.count(first * 2**times) == pytest.approx(50, abs=1)  # a border may round to either side
    assert sides[steps // 2 :] == [first * 2**doublings] * (steps // 2)


@pytest.mark.parametrize("side", [8, 16, 32])
def test_windows_are_made_smaller_by_area(side):
    windows = torch.rand(2, 3, 3, 32, 32) * 2 - 1
    small = shrink(windows, side)
    for k in range(2):
        for t in range(3):
            wanted = cv2.resize(
                windows[k, t].permute(1, 2, 0).numpy(), (side, side), interpolation=cv2.INTER_AREA
            ).transpose(2, 0, 1)
            np.testing.assert_allclose(small[k, t].numpy(), wanted, atol=1e-6)


def test_without_it_windows_stay_as_they_are():
    a, b = torch.rand(2, 1, 3, 3, 32, 32)
    fitted = Growth(None).fit((a, b), 0.0)
    assert fitted[0] is a
    assert fitted[1] is b


def test_training_begins_small_and_is_at_full_size_for_the_second_half(tmp_path, shown):
    run_training(tmp_path, SHORT, GROWING)
    assert shown == [16] * 4 + [32] * 4


def test_under_minutes_it_is_the_second_half_of_the_time(tmp_path, shown, monkeypatch):
    monkeypatch.setattr("recycle.training.trainer.time", Clock())  # two seconds a step
    run_training(tmp_path, replace(SHORT, steps=None, minutes=12 / 60), GROWING)
    assert shown == [16, 16, 16, 32, 32, 32]


def test_a_run_that_is_made_longer_never_goes_back(tmp_path, shown):
    notes: list[str] = []
    exact = replace(SHORT, precision="float32", save_every=100)
    run_training(tmp_path, replace(exact, steps=4), GROWING, on_note=notes.append)
    run_training(tmp_path, replace(exact, steps=40), GROWING, on_note=notes.append)
    assert shown == [16, 16] + [32] * 38
    assert [line for line in notes if "px up" in line] == [
        "training on cpu, 1 process, in float32, on pictures from 16 px up",
        "training on cpu, 1 process, in float32, on pictures from 32 px up, going on from step 4",
    ]


def stopped_after(step: int, run: Path, target: Path) -> Path:
    """`run`, which kept every checkpoint, as a kill after that step's checkpoint leaves it."""
    shutil.copytree(run, target)
    for later in filter(lambda number: number > step, saved_steps(run)):
        shutil.rmtree(target / "checkpoints" / f"step-{later:08d}")
    return target


def test_stopped_on_either_side_of_a_growth_it_ends_with_the_same_bytes(tmp_path, shown):
    config = replace(SHORT, save_every=1, log_every=1, keep=100)
    straight = tmp_path / "straight"
    run_training(straight, config, GROWING)
    for step in (3, 4, 5):
        stopped = tmp_path / f"stopped-{step}"
        shown.clear()
        shown.most = step
        with pytest.raises(CutOffError):
            run_training(stopped, config, GROWING)
        shown.clear()
        shown.most = None
        run_training(stopped, config, GROWING)
        assert shown == ([16] * 4 + [32] * 4)[step:]
        assert final_bytes(stopped) == final_bytes(straight)
        assert timeless(stopped) == timeless(straight)


def test_history_pools_hold_pictures_of_the_size_that_is_trained(tmp_path):
    method = RecycleGAN(GROWING)
    run_training(tmp_path / "small", replace(SHORT, steps=8), GROWING, method=method)
    pictures, _ = method.pool_state()
    assert {pool.shape[1:] for pool in pictures.values()} == {(3, 32, 32)}


def test_sheets_and_scores_are_at_full_size_from_the_first_on(tmp_path):
    seen: dict[int, set[tuple[int, ...]]] = {}
    config = replace(SHORT, save_every=2, sample_every=2, keep=100)
    run_training(
        tmp_path / "run",
        config,
        GROWING,
        on_samples=lambda step, samples: seen.update({step: {tuple(p.shape) for p in samples.values()}}),
    )
    assert seen == {step: {(2, 3, 32, 32)} for step in (2, 4, 6, 8)}
    early = load_for_rendering(stopped_after(2, tmp_path / "run", tmp_path / "early"), "ema", "newest").method
    parts = HeldOut(early, held_out()).parts(torch.device("cpu"))
    row = rows(tmp_path / "run", "selection")[0]
    assert (row["step"], float(row["score"])) == ("2", pytest.approx(sum(parts.values()), rel=1e-4))
