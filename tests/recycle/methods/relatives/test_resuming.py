"""Each relative, stopped by a fault between two checkpoints and started again, ends with the same bytes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from recycle.config import MethodConfig, TrainingConfig
from recycle.methods import METHODS
from tests.recycle.training.tiny_runs import TINY, batches_of, final_bytes, run_training

RELATIVES = [name for name, row in METHODS.items() if ".relatives." in row.path]
SHORT = TrainingConfig(steps=20, save_every=6, sample_every=100, log_every=5, ema_decay=0.9)


class PowerCutError(Exception):
    pass


def config_of(name: str) -> MethodConfig:
    row = METHODS[name]
    networks = replace(TINY.networks, generator="resnet_1blocks", generator_filters=4)
    own = dict(row.own) | ({"patches": 8.0} if "patches" in row.own else {})
    return MethodConfig(networks, row.weights, adversarial_loss=row.adversarial_loss, pool_size=2, own=own)


def cut_off_before(step: int):
    def batches(start: int) -> Iterator:
        for number, windows in enumerate(batches_of()(start), start):
            if number == step:
                raise PowerCutError
            yield windows

    return batches


@pytest.mark.parametrize("name", RELATIVES)
def test_a_run_that_was_cut_off_ends_with_the_same_bytes(name, tmp_path):
    settings = {"method_name": name, "method_config": config_of(name)}
    run_training(tmp_path / "straight", SHORT, **settings)
    with pytest.raises(PowerCutError):
        run_training(tmp_path / "cut", SHORT, **settings, batches=cut_off_before(15))
    run_training(tmp_path / "cut", SHORT, **settings)
    straight = final_bytes(tmp_path / "straight")
    assert len(straight) >= 3
    assert final_bytes(tmp_path / "cut") == straight
