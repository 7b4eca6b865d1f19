"""Jobs live in files: real commands in real processes, which are stopped, killed and begun again."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import MissingInputError, SettingsError
from pipelines.studio.jobs import Jobs


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert true()


def state(jobs: Jobs, key: str) -> str:
    return jobs.told(key)["state"]


def test_what_is_asked_for_is_done_and_failures_say_why(place: Path) -> None:
    jobs = Jobs(place / "jobs")
    good = jobs.add(["runs"], "work", {"command": "runs"})
    bad = jobs.add(["extract", "nothing.mp4"], "work", {})
    until(lambda: state(jobs, bad) == "failed" and state(jobs, good) == "done")
    assert "no run in it" in jobs.told(good)["log"]
    assert jobs.told(bad)["why"].startswith("retarget extract: nothing.mp4")
    assert [job["id"] for job in Jobs(place / "jobs").listed()] == [bad, good]  # another server sees the same
    jobs.forget(good)
    assert [job["id"] for job in jobs.listed()] == [bad]
    again = jobs.again(bad)
    assert again != bad and jobs.told(again)["words"] == ["extract", "nothing.mp4"]
    until(lambda: state(jobs, again) == "failed")


def test_a_queue_is_kept_without_anybody_and_what_is_cancelled_never_runs(place: Path) -> None:
    jobs = Jobs(place / "jobs")
    (place / "jobs").mkdir()
    with (place / "jobs/.work.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the lane is busy
        first, second = (jobs.add(["runs"], "work", {}) for _ in range(2))
        with pytest.raises(SettingsError):
            jobs.forget(first)
        jobs.stop(first)
        assert (state(jobs, first), state(jobs, second)) == ("stopped", "queued")
    Jobs(place / "jobs").wake()  # as the next server does
    until(lambda: state(jobs, second) == "done")
    assert not (place / "jobs" / first / "log.txt").exists()


def test_a_job_whose_processes_were_killed_is_broken_off_and_goes_on(place: Path) -> None:
    jobs = Jobs(place / "jobs")
    key = jobs.add(["studio", "--port", "0"], "work", {})  # a command that lasts
    until(lambda: "open http" in jobs.told(key)["log"])
    told = jobs.told(key)
    assert told["state"] == "running"
    dispatcher = int(Path(f"/proc/{told['process']}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(dispatcher, signal.SIGKILL)
    time.sleep(0.2)
    assert state(jobs, key) == "running"  # the command is not the dispatcher's to lose
    os.kill(told["process"], signal.SIGKILL)
    until(lambda: state(jobs, key) == "broken off")
    again = jobs.again(key)
    until(lambda: "open http" in jobs.told(again)["log"])
    jobs.stop(again)
    until(lambda: state(jobs, again) == "stopped")


def test_damaged_files_are_no_jobs(place: Path) -> None:
    jobs = Jobs(place / "jobs")
    for name, text in (("1-a", "{"), ("2-b", "[]"), ("3-c", json.dumps({"words": []}))):
        (place / "jobs" / name).mkdir(parents=True)
        (place / "jobs" / name / "job.json").write_text(text)
    assert jobs.listed() == []
    with pytest.raises(MissingInputError):
        jobs.told("1-a")
