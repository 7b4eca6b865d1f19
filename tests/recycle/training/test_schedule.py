"""Length, rate, clock: in steps and in minutes, across interruptions."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from recycle.training import trainer
from recycle.training.schedule import Schedule
from tests.recycle.training.tiny_runs import SHORT, Clock, batches_of, final_bytes, rows, run_training, saved_steps


@given(
    length=st.integers(1, 10_000) | st.floats(0.1, 1e6),
    constant_part=st.floats(0, 1),
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2),
)
def test_the_rate_is_full_then_falls_and_never_is_zero(length, constant_part, places):
    schedule = Schedule(length, isinstance(length, int), constant_part)
    earlier, later = (int(p * length) if schedule.in_steps else p * length for p in sorted(places))
    factors = [schedule.factor(done, done) for done in (earlier, later)]
    assert 0 < factors[1] <= factors[0] <= 1
    if earlier < constant_part * length:
        assert factors[0] == 1
    assert schedule.over(length, length)
    assert not schedule.over(later, later)


def test_the_rate_of_every_step(tmp_path):
    config = replace(SHORT, steps=8, constant_part=0.5, learning_rate=1e-3, log_every=1)
    run_training(tmp_path, config)
    expected = [1e-3 * factor for factor in (1, 1, 1, 1, 1, 0.75, 0.5, 0.25)]
    assert [float(row["rate"]) for row in rows(tmp_path)] == pytest.approx(expected)


def test_minutes_count_across_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "time", Clock())
    config = replace(SHORT, steps=None, minutes=0.5, log_every=1, save_every=5, constant_part=0.5)

    def broken(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for step, batch in enumerate(batches_of()(start), start=start):
            if step == 9:
                raise ConnectionError("gone")
            yield batch

    with pytest.raises(ConnectionError):
        run_training(tmp_path, config, batches=broken)
    assert saved_steps(tmp_path) == [5]
    result = run_training(tmp_path, config)
    assert (result.step, result.seconds, result.interrupted) == (15, 30.0, False)
    table = rows(tmp_path)
    assert [int(row["step"]) for row in table] == list(range(1, 16))
    assert [float(row["seconds"]) for row in table] == [2.0 * step for step in range(1, 16)]
    rates = [float(row["rate"]) / config.learning_rate for row in table]
    assert rates[:8] == [1.0] * 8
    assert rates[8:] == pytest.approx([(30 - 2 * step) / 15 for step in range(8, 15)])
    assert min(rates) > 0


def test_slow_steps_are_saved_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "time", Clock())
    run_training(tmp_path, replace(SHORT, steps=8, save_every=1000, save_minutes=5 / 60, keep=10))
    assert sorted(saved_steps(tmp_path)) == [3, 6, 8]


def test_a_finished_run_says_so_and_a_longer_one_goes_on(tmp_path):
    run_training(tmp_path)
    before = final_bytes(tmp_path)
    notes = []
    assert run_training(tmp_path, on_note=notes.append).step == 8
    assert len(notes) == 1
    assert "done already, at step 8" in notes[0]
    assert final_bytes(tmp_path) == before
    assert run_training(tmp_path, replace(SHORT, steps=10)).step == 10
    assert [int(row["step"]) for row in rows(tmp_path)] == [3, 6, 8, 9, 10]
