"""When in training a step is made, as methods are told it: alike for a run that was stopped and one that was not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recycle.config import TrainingConfig
from recycle.methods.base import Moment
from recycle.methods.recyclegan import RecycleGAN
from recycle.training import trainer
from recycle.training.schedule import Schedule
from tests.recycle.training.tiny_runs import SHORT, TINY, Clock, run_training

torch.set_num_threads(1)


class Told(RecycleGAN):
    """Keeps what both halves of each step were told."""

    def __init__(self) -> None:
        super().__init__(TINY)
        self.told: list[tuple[Moment, Moment]] = []

    def generator_losses(self, a, b, moment):
        self._first = moment
        return super().generator_losses(a, b, moment)

    def discriminator_losses(self, a, b, fakes, moment):
        self.told.append((self._first, moment))
        return super().discriminator_losses(a, b, fakes, moment)


def told(run: Path, config: TrainingConfig) -> list[Moment]:
    method = Told()
    run_training(run, config, method=method)
    assert all(first == second for first, second in method.told)
    return [moment for moment, _ in method.told]


def test_steps_are_counted_on_where_a_run_goes_on(tmp_path):
    assert told(tmp_path / "whole", replace(SHORT, steps=4)) == [Moment(k + 1, k / 4) for k in range(4)]
    assert told(tmp_path / "parts", replace(SHORT, steps=2)) == [Moment(1, 0.0), Moment(2, 0.5)]
    assert told(tmp_path / "parts", replace(SHORT, steps=4)) == [Moment(3, 0.5), Moment(4, 0.75)]


def test_under_minutes_progress_is_the_part_of_the_time(tmp_path, monkeypatch):
    """Every step takes two seconds by this clock, before an interruption and after it."""
    monkeypatch.setattr(trainer, "time", Clock())
    assert told(tmp_path, replace(SHORT, steps=None, minutes=0.1)) == [
        Moment(1, 0.0),
        Moment(2, 2 / 6),
        Moment(3, 4 / 6),
    ]
    assert told(tmp_path, replace(SHORT, steps=None, minutes=0.2)) == [Moment(k + 1, 2 * k / 12) for k in range(3, 6)]


@pytest.mark.parametrize("schedule", [Schedule(40, True, 0.5), Schedule(40.0, False, 0.5)], ids=["steps", "seconds"])
def test_progress_is_the_part_that_is_done_and_never_more_than_all(schedule):
    assert [schedule.progress(done, done) for done in (0, 10, 40, 50)] == [0, 0.25, 1, 1]
