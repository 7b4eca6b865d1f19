"""The tables and curves that a run leaves: means, no step twice, no hole."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor

from recycle.training.runlog import RunLog
from recycle.training.schedule import Schedule
from tests.recycle.training.tiny_runs import SHORT, batches_of, rows, run_training


def test_rows_hold_means_and_no_step_twice(tmp_path):
    config = replace(SHORT, steps=6, log_every=1)
    run_training(tmp_path / "each", config)
    run_training(tmp_path / "third", replace(config, log_every=3))
    each, third = rows(tmp_path / "each"), rows(tmp_path / "third")
    assert [row["step"] for row in third] == ["3", "6"]
    for name in ("generators", "recycle_a", "discriminator_b", "generator_gradient"):
        assert float(third[1][name]) == pytest.approx(np.mean([float(row[name]) for row in each[3:]]))
    parts = [name for name in third[0] if name.split("_")[0] in ("adversarial", "predictor", "recurrent", "recycle")]
    assert len(parts) == 8
    assert sum(float(third[0][name]) for name in parts) == pytest.approx(float(third[0]["generators"]))


def test_a_torn_last_row_and_later_ones_are_taken_back(tmp_path):
    run_training(tmp_path, replace(SHORT, log_every=1))
    whole = rows(tmp_path)
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("9," + "1," * (len(whole[0]) - 2) + "1\n10,0.5,2e")
    log = RunLog(tmp_path, Schedule(20, True, 0.5), step=8, seconds=1.0)
    log.close()
    assert rows(tmp_path) == whole


def test_tensorboard_shows_each_step_once_after_going_on(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = replace(SHORT, steps=8, log_every=1, save_every=3)

    def broken(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield from [batch for batch, _ in zip(batches_of()(start), range(5), strict=False)]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        run_training(tmp_path, config, batches=broken)
    run_training(tmp_path, config)
    events = EventAccumulator(str(tmp_path / "log"), size_guidance={"images": 0, "scalars": 0}).Reload()
    assert [event.step for event in events.Scalars("recycle_a")] == list(range(1, 9))
    assert [event.step for event in events.Images("samples/a_translated")] == [8]
