"""Shards of a command as tasks of a Ray cluster, whose machines see the same folders under the same names.

Ray itself is somebody else's: nothing is started here, and no port opened but those by which Ray reaches this process.
"""

import contextlib
import dataclasses
import importlib
import io
import logging
import os
import re
import socket
from pathlib import Path
from typing import Any

from tqdm import tqdm

from data.errors import MissingExtraError, OutputError, RetargetError, SettingsError
from pipelines.advice import advised
from pipelines.places import say
from pipelines.shards import DONE, JOIN, Shard, shard_of

CPUS = 1
"""Cores that a part is given, and threads that it computes with."""
PARTS_A_PLACE = 2
"""Where the number of units is not known: parts for each place in the cluster, so that none waits long for the last."""
MOST_PARTS = 500
CONNECT_SECONDS = 10
RETRIES = 10
"""Times that a part is given again whose process or machine was lost."""


class LostPartsError(RetargetError):
    """Parts that failed, while the others were done. exit_code: of the failures, 1 where one of them has that."""

    def __init__(self, failures: list[tuple[int, str]], of: int) -> None:
        reasons = "; ".join(dict.fromkeys(reason for _, reason in failures))
        super().__init__(f"{len(failures)} of {of} parts failed: {reasons}")
        self.exit_code = min(code for code, _ in failures)


def shard_for(command: str, options: Any, *, units: int | None, on_gpu: bool, first: bool = False) -> Shard:
    """What this process is to do of a command: its shard, or else what is left once Ray has done all: to put together.

    units: that there are, if known. on_gpu: whether a part is quicker on a GPU. first: one part has to end before the
    others can begin. Raises SettingsError, MissingExtraError, LostPartsError, OutputError.
    """
    if options.ray is None:
        return shard_of(options.shard)
    if options.shard is not None:
        raise SettingsError("--ray: shares the work out by itself; leave --shard and join away")
    ray = _connected(options.ray)
    try:
        there = ray.cluster_resources()
        gpus = 1 if on_gpu and there.get("GPU", 0) >= 1 else 0
        places = max(1, int(there.get("GPU", 0) if gpus else there.get("CPU", 1) / CPUS))
        parts = min(units or PARTS_A_PLACE * places, MOST_PARTS)
        say(f"Ray at {options.ray}: {parts} parts, {CPUS} CPU and {gpus} GPU each; {places} places")
        task = ray.remote(num_cpus=CPUS, num_gpus=gpus, max_retries=RETRIES)(_part)
        words = [dataclasses.replace(options, ray=None, shard=f"{number}/{parts}") for number in range(parts)]
        _gather(ray, task, command, words, first)
    finally:
        ray.shutdown()
    return shard_of(JOIN)


def _connected(address: str) -> Any:
    """The module `ray`, once this process is part of the cluster. Raises SettingsError, MissingExtraError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--ray needs a package more: pip install -e '.[cluster]'") from error
    try:
        if at := re.fullmatch(r"([^/]+):(\d+)", address):  # Ray itself tries for minutes
            socket.create_connection((at[1].strip("[]"), int(at[2])), CONNECT_SECONDS).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises what it likes, of many kinds
        text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        said = " ".join(text.split()).partition(". ")[0][:200]
        raise SettingsError(
            f"--ray {address}: no cluster there ({said}); start one with: ray start --head --disable-usage-stats"
        ) from error
    return ray


def _gather(ray: Any, task: Any, command: str, words: list[Any], first: bool) -> None:
    """Has every part done, with one bar. Raises LostPartsError, OutputError."""
    here = str(Path.cwd())
    failures: list[tuple[int, str]] = []
    waiting, running = list(words), list[Any]()
    try:
        with tqdm(total=len(words), desc=f"{command} on Ray", unit="part", disable=None) as bar:
            while waiting or running:
                some = waiting[:1] if first and not bar.n else waiting
                if not (first and running and not bar.n):
                    running += [task.remote(command, options, here) for options in some]
                    waiting = waiting[len(some) :]
                (done,), running = ray.wait(running, num_returns=1)
                code, reason, lines = ray.get(done)
                failures += [(code, reason)] if code else []
                for line in lines:
                    tqdm.write(line)
                bar.update()
    except ray.exceptions.RayError as error:
        said = " ".join(str(error).split())[:300]
        raise OutputError(f"Ray has given a part up ({said}); the same command goes on from here") from error
    finally:
        for one in running:
            ray.cancel(one, force=True)
    if failures:
        raise LostPartsError(failures, len(words))


def _part(command: str, options: Any, folder: str) -> tuple[int, str, list[str]]:
    """On a machine of the cluster: one shard of a command. Gives exit code, what went wrong, and what was done."""
    os.chdir(Path(folder))
    said = io.StringIO()
    code, reason = 0, ""
    with contextlib.redirect_stdout(said):
        try:
            getattr(importlib.import_module(f"pipelines.{command}"), command)(options)
        except RetargetError as error:
            code, reason = error.exit_code, advised(error)
        except OSError as error:
            code, reason = OutputError.exit_code, f"{error.filename or 'the system'}: {error.strerror or error}"
    return code, reason, [line for line in said.getvalue().splitlines() if line.endswith(DONE)]
