"""`retarget train --measure`: what training would take here, told and kept, and nothing trained."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.cli import run
from pipelines.keeping.paces import known
from pipelines.training import measuring
from recycle.config import TrainingConfig
from recycle.methods import METHODS
from recycle.training.measuring import measure
from recycle.training.parallel import make_fabric


def test_it_is_told_and_kept_and_nothing_is_trained(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.setattr(measuring, "SECONDS", 0.0)
    assert known() == []
    assert run(["train", "--measure", "--preset", "tiny", "--method", "cyclegan"]) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"cyclegan, 64 px, batch 1: [\d.]+ \w+ per 1,000 steps and \d+\.\d GB of memory, by 1 step here", said
    )
    assert re.search(r"5,000 steps take [\d.]+ \w+", said)
    (kept,) = known()
    assert (kept["method"], kept["preset"]) == ("cyclegan", "tiny")
    assert 0 < kept["seconds"] < 600 and kept["bytes"] > 1e8
    assert run(["train", "--measure", "--preset", "tiny", "--method", "cyclegan", "--generator-filters", "8"]) == 0
    assert known() == [kept], "what is not the preset's own is told alone"
    for path in (place / "cache").rglob("*.json"):
        path.write_text("{")
    assert known() == [], "what is damaged is measured anew"
    assert not (place / "runs").exists()
    assert run(["train", "--measure", "--from", "runs/x"]) == 2


@pytest.mark.parametrize(("name", "domains"), [("pairedcycle", 2), ("recyclegan", 2), ("stargan", 3)])
def test_every_kind_of_method_can_be_measured(name: str, domains: int) -> None:
    config = METHODS[name].defaults("tiny")[0]
    small = replace(config.networks, size=32, generator_filters=4, discriminator_filters=4, predictor_filters=4)
    training = TrainingConfig(steps=1, accelerator="cpu")
    fabric = make_fabric(training)
    method = METHODS[name](replace(config, networks=small), domains)
    taken = measure(method, training, fabric, side=32, domains=domains, seconds=0.0)
    assert taken.steps == 1 and taken.seconds > 0 and taken.bytes > 1e8
