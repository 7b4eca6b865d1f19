"""Carries out what is queued in one lane, one job after the other, and ends: `python -m` this, FOLDER LANE.

A process of its own session, so that neither the server's end nor Ctrl-C in its terminal reaches what it runs.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from data.disk import write_json
from pipelines.progress import PROGRESS_FILE
from pipelines.studio.jobs import Jobs


def main(folder: Path, lane: str) -> None:
    """Until nothing is queued. Another such process of the lane, where there is one, does it all."""
    jobs = Jobs(folder)
    while (key := _next(jobs, lane)) is not None:
        with (folder / f".{lane}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # it looks once more after it has let go
            while (key := _next(jobs, lane)) is not None:
                _carry_out(folder / key, jobs)


def _next(jobs: Jobs, lane: str) -> str | None:
    queued = [job["id"] for job in jobs.listed() if job["lane"] == lane and job["state"] == "queued"]
    return min(queued, default=None)


def _carry_out(place: Path, jobs: Jobs) -> None:
    words = jobs.told(place.name)["words"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", PROGRESS_FILE: str(place / "progress.json")}
    with (place / "lock").open("w") as lock, (place / "log.txt").open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, pass_fds=(lock.fileno(),),
        )  # fmt: skip
        write_json(place / "started.json", {"process": process.pid, "at": time.time()})
        if (place / "stop").exists():
            process.terminate()  # asked for between the queue and the start
        code = process.wait()
        write_json(place / "ended.json", {"code": code, "at": time.time()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
