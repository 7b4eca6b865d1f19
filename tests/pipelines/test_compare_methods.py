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
from xml.etree import ElementTree

import pytest

from pipelines.cli import run
from pipelines.compare_methods import CONTENDERS
from pipelines.comparing import pace
from pipelines.comparing.setting import Setting
from pipelines.judging.results import Result, written
from pipelines.pages.chart import line_chart
from pipelines.world_options import CompareMethodsOptions, Contender

SMALL = ["--frames", "24", "--test-frames", "10", "--size", "32", "--methods", "cyclegan", "recyclegan", "--seeds", "0"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that has been made."""
    folder = tmp_path_factory.mktemp("compared") / "comparison"
    assert run(["compare-methods", *SMALL, "--steps", "6", "--folder", str(folder)]) == 0
    return folder


def psnr_of(folder: Path, name: str) -> float:
    content = json.loads((folder / "runs" / "plain" / name / "evaluation" / "evaluation.json").read_text())
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
    assert (folder / "plain.png").stat().st_size > 500
    assert "cyclegan" in (folder / "plain.svg").read_text() and "plain.svg" in report


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
    broken = folder / "runs" / "plain" / "cyclegan-4-steps-seed-0"
    broken.mkdir()
    (broken / "checkpoints").write_text("not a folder")
    try:
        assert run(["compare-methods", *SMALL, "--steps", "4", "--folder", str(folder)]) == 1
        said = capfd.readouterr()
        assert "1 of 2 runs have no result: cyclegan on plain with seed 0" in said.err and "Traceback" not in said.err
        assert "| recyclegan |" in said.out and "| cyclegan |" not in said.out
    finally:
        (folder / "results.md").write_text(report)


@pytest.mark.slow
def test_a_comparison_that_is_stopped_saves_what_it_trains(folder: Path) -> None:
    words = [*SMALL, "--steps", "100000", "--jobs", "1", "--folder", str(folder)]
    command = [sys.executable, "-m", "pipelines.cli", "compare-methods", *words]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])})
    log = folder / "runs" / "plain" / "cyclegan-100000-steps-seed-0.log"
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
        ("plain", name, seed): Result({"psnr": psnr, "warp_error": 1 / psnr, "parameter mouth": 0.01 * psnr}, 6, 1.5)
        for name, of_name in psnrs.items()
        for seed, psnr in enumerate(of_name)
    }
    references = {"plain": {"the truth itself": Result({"psnr": float("inf")}, 6, 1.5)}}
    lines = written(results, references, CompareMethodsOptions(minutes=1.5), {}).splitlines()
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


def test_several_worlds_have_a_table_each_and_one_over_all_of_the_seeds_that_saw_them_all() -> None:
    psnrs = {("plain", 0): 20.0, ("plain", 1): 30.0, ("busy", 0): 10.0}
    results = {(world, "cyclegan", seed): Result({"psnr": psnr}, 6, 1.0) for (world, seed), psnr in psnrs.items()}
    report = written(results, {}, CompareMethodsOptions(), {"busy": "busy.svg"})
    over_all, plain, busy = (report.split(f"## {title}\n")[1] for title in ("Over all worlds", "plain", "busy"))
    assert "| cyclegan | 15.00 |" in over_all
    assert "| cyclegan | 25.00 ± 7.07 |" in plain
    assert "| cyclegan | 10.00 |" in busy and "](busy.svg)" in busy and ".svg" not in plain.split("## ")[0]


def test_equal_minutes_are_steps_by_a_pace_that_is_measured_in_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is busy in one round slows all contenders alike, and what is known is not measured again."""
    paces = {"cyclegan": iter([600.0, 200.0, 580.0]), "recyclegan": iter([300.0, 100.0, 290.0])}
    monkeypatch.setattr(pace, "_trial", lambda setting, name, words: next(paces[name]))
    setting = Setting(CompareMethodsOptions(folder=tmp_path), None)  # type: ignore[arg-type]
    asked = {name: CONTENDERS[name] for name in ("cyclegan", "recyclegan")}
    assert pace.steps_in(setting, asked, 2) == {"cyclegan": 1160, "recyclegan": 580}
    assert pace.steps_in(setting, asked, 4) == {"cyclegan": 2320, "recyclegan": 1160}
    known = json.loads((tmp_path / "pace.json").read_text())
    assert known["machine"]["threads"] == 1 and len(known["rounds"]) == 3


def test_a_chart_has_a_line_a_method_and_its_points_rise_with_the_measure() -> None:
    svg = line_chart({"a & b": [(1, 10.0), (2, 20.0)], "c": [(2, 15.0)]}, "t", "minutes", "dB")
    root = ElementTree.fromstring(svg)
    lines = [e for e in root if e.tag.endswith("polyline")]
    assert len(lines) == 2 and "a & b" in [e.text for e in root]
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in lines[0].get("points", "").split())
    assert x1 > x0 and y1 < y0, "up is better"
