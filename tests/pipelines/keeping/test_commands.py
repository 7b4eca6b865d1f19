"""`retarget runs`, `domains` and `remove`: what is there, and what goes and comes back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.cli import run
from pipelines.keeping.course import course_of, holder
from tests.pages import write_config, write_domain, write_logs
from tests.pipelines.runs import one_error


@contextmanager
def training(lock: Path) -> Iterator[int]:
    """A process that holds a run's lock, as training does; gives its number."""
    program = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", program, str(lock)], **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout and process.stdin
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


@pytest.fixture
def full(place: Path) -> Path:
    """A domain, a run and a result."""
    write_domain(place / "domains/anna", frames=6)
    (place / "runs/anna-ben").mkdir(parents=True)
    write_config(place / "runs/anna-ben")
    write_logs(place / "runs/anna-ben", rows=30)
    (place / "renders").mkdir()
    (place / "renders/anna.mp4").write_bytes(b"video")
    return place


def test_what_is_there_is_listed(full: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (full / "runs/broken").mkdir()
    (full / "runs/broken/config.json").write_text("{")
    assert run(["runs"]) == 0
    heads, *lines = capsys.readouterr().out.splitlines()
    assert heads.split() == ["run", "method", "state", "step", "best", "size", "age"]
    told = {line.split()[0]: line for line in lines}
    assert "cyclegan" in told["anna-ben"] and "150 of 5,000" in told["anna-ben"] and "stopped" in told["anna-ben"]
    assert "damaged" in told["broken"]
    assert run(["domains"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["anna", "6", "1"]


def test_empty_folders_say_what_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs"]) == run(["domains"]) == 0
    said = capsys.readouterr().out
    assert "retarget train A B" in said and "retarget extract VIDEO" in said


def test_time_left_is_told_from_the_pace_of_late(full: Path) -> None:
    folder = full / "runs/anna-ben"
    course = course_of(folder, json.loads((folder / "config.json").read_bytes()))
    assert (course.state, course.step, course.sample) == ("stopped", 150, 300)
    assert course.left_seconds == pytest.approx((5000 - 150) * 0.5)  # half a second a step in what was written


def test_who_trains_is_seen_without_keeping_anybody_out(place: Path) -> None:
    lock = place / ".lock"
    with training(lock) as process:
        assert holder(lock) == process
    assert holder(lock) is None and holder(place / "nothing") is None


@pytest.mark.parametrize("name", ["runs/anna-ben", "anna-ben", "domains/anna", "renders/anna.mp4", "anna.mp4"])
def test_what_is_removed_comes_back_as_it_was(full: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in full.rglob("*") if path.is_file()}
    assert run(["remove", name]) == 0
    assert not (full / name).exists() and set(before) - set(full.rglob("*"))
    assert run(["remove", "--undo", name]) == 0
    assert {path: path.read_bytes() for path in full.rglob("*") if path.is_file()} == before


def test_of_two_that_were_removed_the_last_comes_back_and_takes_no_ones_place(
    full: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = full / "renders/anna.mp4"
    assert run(["remove", "renders/anna.mp4"]) == 0
    clip.write_bytes(b"second")
    assert run(["remove", "renders/anna.mp4"]) == 0
    clip.write_bytes(b"third")
    assert "another one" in one_error(capsys, "remove", "--undo", "renders/anna.mp4")
    assert clip.read_bytes() == b"third"
    clip.unlink()
    assert run(["remove", "--undo", "renders/anna.mp4"]) == 0
    assert clip.read_bytes() == b"second"


NONE_OF_THEM = ("nobody", "..", ".", "domains", "domains/..", "domains/.", "setup.py", "/etc", "domains/anna/frames")


@pytest.mark.parametrize("name", NONE_OF_THEM)
def test_nothing_else_is_removed(full: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    before = sorted(full.rglob("*"))
    one_error(capsys, "remove", name)
    one_error(capsys, "remove", "--undo", name)
    one_error(capsys, "remove", "anna-ben", name)  # all of it or nothing
    assert sorted(full.rglob("*")) == before


def test_a_run_that_trains_stays(full: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with training(full / "runs/anna-ben/.lock"):
        assert "is being trained" in one_error(capsys, "remove", "anna-ben")
    assert run(["remove", "anna-ben"]) == 0
