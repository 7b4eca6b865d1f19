"""What a translation is worth to recognition, and labels that are held fast in training: through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.domain.pictures import read_picture
from pipelines.cli import run
from tests.pipelines.runs import SMALL, one_error

WORLD = Path("worlds/plain")


@pytest.fixture
def labelled(place: Path) -> Path:
    assert run(["world", "--labelled", "--looks", "2", "--size", "32", "--frames", "24", "--test-frames", "10"]) == 0
    for name in ("anna", "ben"):
        assert run(["extract", f"{WORLD}/{name}.mp4", "--align", "none", "--size", "32"]) == 0
    words = ("train", "anna", "ben", "--method", "cyclegan", "--generator", "resnet_1blocks", *SMALL, "--steps", "2")
    assert run(list(words)) == 0
    return place


def test_labels_learned_on_a_are_tested_on_b_and_guard_a_training(labelled, capsys):
    sets = ("--source", f"{WORLD}/anna-labelled", "--target", f"{WORLD}/ben-labelled")
    palette = ("--labels", f"{WORLD}/anna-labelled/palette.json")
    assert run(["adapt", *sets, *palette, "--steps", "40", "--seeds", "0", "1"]) == 0
    folder = labelled / "runs/anna-ben/adapt"
    results = json.loads((folder / "adapt.json").read_text())["results"]
    assert list(results) == ["source only", "adapted", "oracle"]
    assert all(len(scores) == 2 and 0 < scores[0]["mean IoU"] < 1 for scores in results.values())
    # B's own labels teach more than those of another character, also in 40 steps
    assert np.mean([s["mean IoU"] for s in results["oracle"]]) > np.mean(
        [s["mean IoU"] for s in results["source only"]]
    )
    assert "±" in (folder / "adapt.md").read_text()

    guard = ("--semantic", "1", "--guard", str(folder / "labeller.safetensors"))
    words = ("train", "anna", "ben", "--method", "recyclegan", "--generator", "resnet_1blocks", *SMALL, "--steps", "2")
    words = (*words, "--predictor-filters", "4", "--run", "runs/guarded")
    assert run([*words, *guard]) == 0
    assert "semantic_a" in (labelled / "runs/guarded/metrics.csv").read_text().splitlines()[0]
    assert "one wants the other" in one_error(capsys, *words[:-1], "runs/other", "--semantic", "1")
    assert "no labeller" in one_error(capsys, *words[:-1], "runs/other", *guard[:3], f"{WORLD}/test.mp4")
    assert "palette" in one_error(capsys, "adapt", *sets, "--labels", "gone.json")
    assert "images" in one_error(capsys, "adapt", "--source", "gone", *sets[2:], *palette)


def test_the_world_has_looks_and_labels(labelled):
    palette = json.loads((WORLD / "anna-labelled/palette.json").read_text())
    colours = {tuple(colour) for colour in palette.values()}
    for name in ("anna", "ben"):
        maps = sorted((WORLD / f"{name}-labelled/labels").iterdir())
        assert len(maps) == 24
        assert {tuple(c) for c in read_picture(maps[0]).reshape(-1, 3)} <= colours
    for clip in ("look-0", "look-1", "truth-look-1"):
        assert (WORLD / f"{clip}.mp4").exists()
