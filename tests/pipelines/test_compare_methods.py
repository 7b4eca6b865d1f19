"""A comparison of methods: real trainings, a table that says what they came to, and going on where it stopped."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from pipelines.cli import run
from pipelines.compare_methods import CONTENDERS
from pipelines.judging.results import Result, written
from pipelines.options import CompareMethodsOptions, Contender

SMALL = ["--frames", "24", "--test-frames", "10", "--size", "32", "--methods", "cyclegan", "recyclegan", "--seeds", "0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that has been made."""
    folder = tmp_path_factory.mktemp("compared") / "comparison"
    assert run(["compare-methods", *SMALL, "--steps", "6", "--folder", str(folder)]) == 0
    return folder


def psnr_of(folder: Path, name: str) -> float:
    content = json.loads((folder / "runs" / name / "evaluation" / "evaluation.json").read_text())
    return next(measure["value"] for measure in content["measures"] if measure["name"] == "psnr")


def row_of(report: str, name: str) -> str:
    """The first row of that name."""
    return next(line for line in report.splitlines() if line.startswith(f"| {name} |"))


@pytest.mark.slow
def test_every_run_is_trained_and_judged_and_stands_in_the_table(folder: Path) -> None:
    report = (folder / "results.md").read_text()
    for name in ("cyclegan", "recyclegan"):
        assert f"{psnr_of(folder, f'{name}-6-steps-seed-0'):.2f}" in row_of(report, name)
    assert "| inf | 1 |" in row_of(report, "*the truth itself*")
    assert (folder / "sheet.png").stat().st_size > 500


def test_what_is_done_is_not_done_again(folder: Path) -> None:
    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in folder.glob("r*/**/*.json")}

    before, report = state(), (folder / "results.md").read_text()
    assert run(["compare-methods", *SMALL, "--steps", "6", "--folder", str(folder)]) == 0
    assert state() == before and (folder / "results.md").read_text() == report


def test_another_world_does_not_mix_with_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["compare-methods", *SMALL, "--frames", "30", "--folder", str(folder)]) == 2
    assert "give another --folder" in capfd.readouterr().err


@pytest.mark.slow
def test_one_run_that_fails_leaves_the_others_their_table(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = (folder / "results.md").read_text()
    broken = folder / "runs" / "cyclegan-4-steps-seed-0"
    broken.mkdir()
    (broken / "checkpoints").write_text("not a folder")
    try:
        assert run(["compare-methods", *SMALL, "--steps", "4", "--folder", str(folder)]) == 1
        said = capfd.readouterr()
        assert "1 of 2 runs have no result: cyclegan with seed 0" in said.err and "Traceback" not in said.err
        assert "| recyclegan |" in said.out and "| cyclegan |" not in said.out
    finally:
        (folder / "results.md").write_text(report)


@pytest.mark.slow
def test_a_comparison_that_is_stopped_saves_what_it_trains(folder: Path) -> None:
    words = [*SMALL, "--steps", "100000", "--jobs", "1", "--folder", str(folder)]
    command = [sys.executable, "-m", "pipelines.cli", "compare-methods", *words]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])})
    log = folder / "runs" / "cyclegan-100000-steps-seed-0.log"
    deadline = time.monotonic() + 120
    while not (log.exists() and "training on" in log.read_text()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert "stopped and saved" in log.read_text()
    assert list(log.with_suffix("").glob("checkpoints/step-*"))


def test_every_contender_has_its_words() -> None:
    assert set(CONTENDERS) == set(get_args(Contender))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--steps", "3", "--minutes", "1"], "one budget"),
        (["--seeds", "1", "1"], "none twice"),
        (["--methods"], "at least one"),
        (["--frames", "5"], "at least 20"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["compare-methods", *words]) == 2
    error = capfd.readouterr().err
    assert says in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_table_gives_mean_and_standard_deviation_and_marks_the_best() -> None:
    psnrs = {"cyclegan": [20.0, 22.0, 21.5], "recyclegan": [19.0, 18.0, 25.0]}
    results = {
        (name, seed): Result({"psnr": psnr, "warp_error": 1 / psnr, "parameter mouth": 0.01 * psnr}, 6, 1.5)
        for name, of_name in psnrs.items()
        for seed, psnr in enumerate(of_name)
    }
    references = {"the truth itself": Result({"psnr": float("inf")}, 6, 1.5)}
    lines = written(results, references, CompareMethodsOptions(minutes=1.5)).splitlines()  # type: ignore[arg-type]
    spread = {name: f"{statistics.mean(of):.2f} ± {statistics.stdev(of):.2f}" for name, of in psnrs.items()}
    first, second = (
        line for line in lines if line.startswith(("| cyclegan | 6 |", "| recyclegan | 6 |")) and "±" in line
    )
    assert f"| **{spread['cyclegan']}** |" in first and f"| {spread['recyclegan']} |" in second
    assert any(line.startswith("| *the truth itself* |") and "| inf |" in line for line in lines)
    mouth = [line for line in lines if line.startswith(("| cyclegan | 0.", "| recyclegan | **"))]
    assert len(mouth) == 2 and "**0.207 ±" in mouth[1], "the smaller error is the better one"
    every = [line for line in lines if re.match(r"\| (re)?cyclegan \| [012] \|", line)]
    assert len(every) == 6 and "| 25.00 |" in every[-1]
