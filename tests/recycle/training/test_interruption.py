"""Interruptions, in real processes: the same bytes after any of them."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recycle.config import MethodConfig, TrainingConfig
from recycle.runs.runfolder import RunInUse
from recycle.training.interrupt import stop_signals
from recycle.training.schedule import TrainingResult
from tests.recycle.training.tiny_runs import (
    GROWING,
    SHORT,
    TINY,
    batches_of,
    final_bytes,
    rows,
    run_training,
    saved_steps,
    timeless,
)


def _child(run: str, config: TrainingConfig, method: MethodConfig, results, step_seconds: float) -> None:
    torch.set_num_threads(1)

    def slowed(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches_of()(start):
            time.sleep(step_seconds)
            yield batch

    result = run_training(Path(run), config, method, batches=slowed)
    results.put((result.step, result.interrupted))


@pytest.fixture(scope="module")
def processes():
    """Starts trainings as processes of their own: start(run, config) -> (process, queue of its result)."""
    context = multiprocessing.get_context("forkserver")
    root = str(Path(__file__).parents[3])
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", root)
        context.set_forkserver_preload([__name__])
        forkserver.ensure_running()

    def start(run: Path, config: TrainingConfig, step_seconds: float = 0.0, method: MethodConfig = TINY):
        results = context.Queue()
        process = context.Process(target=_child, args=(str(run), config, method, results, step_seconds))
        process.start()
        return process, results

    return start


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize("method", [TINY, GROWING], ids=["full size", "growing"])
def test_killed_again_and_again_ends_with_the_same_bytes(processes, tmp_path, method):
    config = replace(SHORT, steps=24, save_every=2, log_every=3, sample_every=10)
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    run_training(straight, config, method)
    draw = random.Random(1)
    kills = 0
    for kills in range(100):
        before = max(saved_steps(killed), default=0)
        process, _ = processes(killed, config, method=method)
        # Early ones may hit a start, later ones have to let it move on.
        if kills >= 3:
            wait_for(lambda p=process, b=before: max(saved_steps(killed), default=0) > b or not p.is_alive())
        process.join(draw.uniform(0, 0.3))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert kills >= 3
    assert saved_steps(killed)
    assert final_bytes(killed) == final_bytes(straight)
    assert set(final_bytes(killed)) == {
        "weights.safetensors",
        "ema.safetensors",
        "optimizers.safetensors",
        "process-0000.safetensors",
    }
    assert timeless(killed) == timeless(straight)
    for name in ("selection.csv", "checkpoints/best.json"):
        assert (killed / name).read_bytes() == (straight / name).read_bytes()
    assert len(rows(straight, "selection")) == 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_first_and_the_next_start_goes_on(processes, tmp_path, number):
    config = replace(SHORT, steps=12, save_every=1000)
    process, results = processes(tmp_path / "run", config, step_seconds=0.1)
    wait_for((tmp_path / "run" / "metrics.csv").exists)
    os.kill(process.pid, number)
    process.join(60)
    step, interrupted = results.get(timeout=10)
    assert interrupted
    assert saved_steps(tmp_path / "run") == [step]
    notes = []
    assert run_training(tmp_path / "run", config, on_note=notes.append) == TrainingResult(
        12, pytest.approx(0, abs=60), False
    )
    assert f"going on from step {step}" in notes[0]
    run_training(tmp_path / "straight", config)
    assert final_bytes(tmp_path / "run") == final_bytes(tmp_path / "straight")


def test_a_second_ctrl_c_insists():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    with stop_signals(insist=True) as request:
        assert not request
        os.kill(os.getpid(), signal.SIGINT)
        assert request
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with stop_signals(insist=False) as request:  # many processes: their launcher sends it once more
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        assert request
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_training_in_the_same_folder_is_refused(processes, tmp_path):
    process, _ = processes(tmp_path, replace(SHORT, steps=1000), step_seconds=0.2)
    try:
        wait_for((tmp_path / "config.json").exists)
        with pytest.raises(RunInUse, match=f"being trained by process {process.pid} of "):
            run_training(tmp_path)
    finally:
        process.kill()
        process.join()
    assert run_training(tmp_path, replace(SHORT, steps=1)).step >= 1
