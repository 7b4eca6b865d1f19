"""`train --from RUN`: which weights are taken, which are not, and that both are said."""

from pathlib import Path

import pytest
import torch

from pipelines.cli import run
from recycle.runs.checkpoint import load_newest
from tests.pipelines.runs import SMALL, one_error, train_drawn

CYCLEGAN = ("train", "a", "b", *SMALL, "--method", "cyclegan", "--generator", "resnet_1blocks", "--steps", "1")
CYCLEGAN = (*CYCLEGAN, "--seed", "1")  # or fresh weights are those of the other run


def weights(folder: str) -> dict[str, torch.Tensor]:
    checkpoint = load_newest(Path(folder) / "checkpoints")
    assert checkpoint
    return checkpoint.tensors["weights"]


@pytest.fixture
def trained(place: Path) -> Path:
    """runs/a-b of Recycle-GAN, and runs/fresh, which is one step of CycleGAN from fresh weights."""
    train_drawn(place, steps=3)
    assert run([*CYCLEGAN, "--run", "runs/fresh"]) == 0
    return place


def apart(one: str, other: str, network: str) -> float:
    """Mean distance of the weights of a network in two runs."""
    mine, theirs = weights(one), weights(other)
    names = [name for name in mine if name.startswith(f"{network}.") and name.endswith("weight")]
    assert names
    return float(torch.stack([(mine[name].float() - theirs[name].float()).abs().mean() for name in names]).mean())


def test_networks_of_another_method_are_taken_where_they_fit(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    command = [*CYCLEGAN, "--run", "runs/warm", "--from", "runs/a-b"]
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "begins with generator_ab, generator_ba, discriminator_a, discriminator_b of runs/a-b at step 3" in said
    for network in ("generator_ab", "discriminator_a"):  # one step away from where it began, however that was
        assert apart("runs/warm", "runs/a-b", network) < 0.2 * apart("runs/fresh", "runs/a-b", network)
    assert run([*command[:-4], "--steps", "2", *command[-4:]]) == 0  # goes on, and does not begin again
    assert "begins with" not in capsys.readouterr().out


def test_only_what_is_asked_for_is_taken_and_misfits_are_named(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    one_wide = [*CYCLEGAN, "--run", "runs/wide", "--from", "runs/a-b", "--discriminator-filters", "8"]
    assert run(one_wide) == 0
    said = capsys.readouterr().out
    assert "begins with generator_ab, generator_ba of" in said
    assert "begun anew: discriminator_a (another size" in said
    assert run([*CYCLEGAN, "--run", "runs/part", "--from", "runs/a-b", "--take", "discriminators"]) == 0
    assert "begins with discriminator_a, discriminator_b of" in capsys.readouterr().out
    assert apart("runs/part", "runs/fresh", "generator_ab") < 0.2 * apart("runs/part", "runs/a-b", "generator_ab")


def test_nothing_that_fits_and_no_run_are_refused_before_anything_is_written(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = (*CYCLEGAN, "--run", "runs/none", "--generator-filters", "8", "--discriminator-filters", "8")
    assert "nothing of it fits" in one_error(capsys, *wide, "--from", "runs/a-b")
    assert "config.json" in one_error(capsys, *wide, "--from", "runs/nobody")
    assert not (trained / "runs/none/config.json").exists()
