"""The loop: the same bytes after any interruption, a log without holes, and a way out of every trouble."""

import csv
import errno
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from recycle.config import LossWeights, MethodConfig, NetworkConfig, TrainingConfig, from_json, to_json
from recycle.methods import METHODS
from recycle.runs import checkpoint
from recycle.runs.checkpoint import CheckpointError, load_newest
from recycle.runs.runfolder import RunInUse, SettingsMismatch, load_for_rendering
from recycle.training import parallel, trainer
from recycle.training.ema import EMA
from recycle.training.health import WON_STEPS, TrainingDiverged, Watch
from recycle.training.interrupt import stop_signals
from recycle.training.parallel import DeviceError, leave_group, make_fabric, resolve_precision
from recycle.training.runlog import RunLog
from recycle.training.schedule import Schedule
from recycle.training.trainer import TrainingResult, train

torch.set_num_threads(1)

TINY = MethodConfig(
    NetworkConfig(
        size=32,
        generator="resnet_1blocks",
        generator_filters=2,
        predictor_filters=2,
        discriminator_filters=2,
        discriminator_layers=2,
    ),
    LossWeights(recurrent=10.0, recycle=10.0, predictor_adversarial=1.0),
    pool_size=3,
)
SHORT = TrainingConfig(steps=8, save_every=4, sample_every=100, log_every=3, ema_decay=0.9)
SETTINGS = {"method": "recyclegan", "config": to_json(TINY), "domains": {"a": "x", "b": "y"}}


class Drawn(Dataset):
    """Window number k is noise drawn from k alone."""

    def __getitem__(self, k: int) -> tuple[Tensor, Tensor]:
        a, b = np.random.default_rng(k).random((2, 3, 3, 32, 32), dtype=np.float32) * 2 - 1
        return torch.from_numpy(a), torch.from_numpy(b)


def batches_of(rank: int = 0, world_size: int = 1, batch_size: int = 1, dtype: torch.dtype = torch.float32):
    def batches(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        first = [(step * world_size + rank) * batch_size for step in range(start, start + 1000)]
        sampler = [list(range(place, place + batch_size)) for place in first]
        for a, b in DataLoader(Drawn(), batch_sampler=sampler):
            yield a.to(dtype), b.to(dtype)

    return batches


def windows(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    return next(batches_of(batch_size=2, dtype=dtype)(900))


def held_out(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    return dict(zip("ab", windows(dtype), strict=True))


def run_training(
    run: Path, config: TrainingConfig = SHORT, method_config: MethodConfig = TINY, **changes
) -> TrainingResult:
    """Builds and trains as a command does."""
    fabric = make_fabric(config)
    name = changes.pop("method_name", "recyclegan")
    method = changes.pop("method", None) or METHODS[name](method_config)
    arguments = {
        "batches": batches_of(fabric.global_rank, fabric.world_size, config.batch_size),
        "settings": SETTINGS | {"method": name, "config": to_json(method_config)},
        "sample_windows": windows(),
        "held_out": held_out(),
        "on_samples": lambda step, samples: None,
        "on_note": lambda line: None,
    }
    return train(method, config=config, run=run, fabric=fabric, **(arguments | changes))


def final_bytes(run: Path) -> dict[str, bytes]:
    newest = max((run / "checkpoints").iterdir())
    return {path.name: path.read_bytes() for path in newest.glob("*.safetensors")}


def rows(run: Path, table: str = "metrics") -> list[dict[str, str]]:
    with (run / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def timeless(run: Path) -> list[dict[str, str]]:
    return [row | {"seconds": ""} for row in rows(run)]


# Interruptions, in real processes


def _child(run: str, config: TrainingConfig, results, step_seconds: float) -> None:
    torch.set_num_threads(1)

    def slowed(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches_of()(start):
            time.sleep(step_seconds)
            yield batch

    result = run_training(Path(run), config, batches=slowed)
    results.put((result.step, result.interrupted))


@pytest.fixture(scope="module")
def processes():
    """Starts trainings as processes of their own: fork(run, config) -> (process, queue of its result)."""
    context = multiprocessing.get_context("forkserver")
    root = str(Path(__file__).parents[3])
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", root)
        context.set_forkserver_preload([__name__])
        forkserver.ensure_running()

    def start(run: Path, config: TrainingConfig, step_seconds: float = 0.0):
        results = context.Queue()
        process = context.Process(target=_child, args=(str(run), config, results, step_seconds))
        process.start()
        return process, results

    return start


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def saved_steps(run: Path) -> list[int]:
    return [int(path.name.split("-")[1]) for path in run.glob("checkpoints/step-*")]


@pytest.mark.slow
def test_killed_again_and_again_ends_with_the_same_bytes(processes, tmp_path):
    config = replace(SHORT, steps=24, save_every=2, log_every=3, sample_every=10)
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    run_training(straight, config)
    draw = random.Random(1)
    kills = 0
    for kills in range(100):
        before = max(saved_steps(killed), default=0)
        process, _ = processes(killed, config)
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
        with pytest.raises(RunInUse, match="another process"):
            run_training(tmp_path)
    finally:
        process.kill()
        process.join()
    assert run_training(tmp_path, replace(SHORT, steps=1)).step >= 1


# Two processes

NO_POOL = replace(TINY, pool_size=0)  # each process has pools of its own, so with them two are not one with two batches
TOGETHER = replace(SHORT, steps=4, constant_part=1.0, accelerator="cpu")


def method_of_seed(seed: int):
    torch.manual_seed(seed)
    return METHODS["recyclegan"](NO_POOL).double()


def under_torchrun(root: Path) -> None:
    """What each of two processes does; the test looks at what it leaves behind."""
    rank = int(os.environ["RANK"])
    method = method_of_seed(100 + rank)  # weights of their own at first: those of the first process have to win
    doubles = {"sample_windows": windows(torch.float64), "held_out": held_out(torch.float64) if rank == 0 else {}}
    batches = batches_of(rank, 2, dtype=torch.float64)
    run_training(root / "two", TOGETHER, NO_POOL, method=method, batches=batches, **doubles)
    torch.save(method.state_dict(), root / f"rank{rank}.pt")

    run_training(root / "straight", TOGETHER)
    run_training(root / "resumed", replace(TOGETHER, steps=2))
    run_training(root / "resumed", TOGETHER)

    def asked_to_stop(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for step, batch in enumerate(batches_of(rank, 2)(start)):
            if (step, rank) == (2, 1):  # only one of the two is told
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    result = run_training(root / "stopped", TOGETHER, batches=asked_to_stop)
    (root / f"stopped{rank}.json").write_text(json.dumps([result.step, result.interrupted]))
    leave_group()


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("torchrun")
    script = root / "script.py"
    script.write_text(
        "import sys, pathlib\nfrom tests.recycle.training import test_trainer\n"
        "test_trainer.under_torchrun(pathlib.Path(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script, root],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return root


@pytest.mark.slow
def test_two_processes_agree_and_do_what_one_does_with_both_batches(two_processes, tmp_path):
    first, second = (torch.load(two_processes / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)

    # In float64: sign(x - y), L1's slope, and Adam blow up the rounding of float32 within a few steps.
    alone = method_of_seed(100)
    doubles = {"sample_windows": windows(torch.float64), "held_out": held_out(torch.float64)}
    batches = batches_of(batch_size=2, dtype=torch.float64)
    run_training(tmp_path, replace(TOGETHER, batch_size=2), NO_POOL, method=alone, batches=batches, **doubles)
    initial, expected = method_of_seed(100).state_dict(), alone.state_dict()
    assert all(torch.allclose(first[name], expected[name], rtol=0, atol=1e-5) for name in first)
    assert max((first[name] - initial[name]).abs().max().item() for name in first) > 5e-4
    logged = [[float(row["generators"]) for row in rows(run)] for run in (two_processes / "two", tmp_path)]
    assert logged[0] == pytest.approx(logged[1], rel=1e-5)
    judged = [[float(row["score"]) for row in rows(run, "selection")] for run in (two_processes / "two", tmp_path)]
    assert judged[0] == pytest.approx(judged[1], rel=1e-3)
    assert len(judged[0]) == 1


@pytest.mark.slow
def test_two_processes_go_on_with_the_same_bytes(two_processes):
    straight = final_bytes(two_processes / "straight")
    assert {"process-0000.safetensors", "process-0001.safetensors"} <= set(straight)
    assert straight["process-0000.safetensors"] != straight["process-0001.safetensors"]
    assert final_bytes(two_processes / "resumed") == straight


@pytest.mark.slow
def test_two_processes_stop_together_when_one_is_told(two_processes):
    results = [json.loads((two_processes / f"stopped{rank}.json").read_text()) for rank in (0, 1)]
    assert results[0] == results[1] == [3, True]
    assert saved_steps(two_processes / "stopped") == [3]


@pytest.mark.slow
def test_a_run_of_two_processes_goes_on_with_one(two_processes, tmp_path):
    notes = []
    result = run_training(two_processes / "straight", replace(TOGETHER, steps=8), on_note=notes.append)
    assert result.step == 8
    assert "1 processes from here on, 2 until now" in notes


# Length, rate, clock


@given(
    length=st.integers(1, 10_000) | st.floats(0.1, 1e6),
    constant_part=st.floats(0, 1),
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2),
)
def test_the_rate_is_full_then_falls_and_never_is_zero(length, constant_part, places):
    schedule = Schedule(length, isinstance(length, int), constant_part)
    earlier, later = (int(p * length) if schedule.in_steps else p * length for p in sorted(places))
    factors = [schedule.factor(done, done) for done in (earlier, later)]
    assert 0 < factors[1] <= factors[0] <= 1
    if earlier < constant_part * length:
        assert factors[0] == 1
    assert schedule.over(length, length)
    assert not schedule.over(later, later)


def test_the_rate_of_every_step(tmp_path):
    config = replace(SHORT, steps=8, constant_part=0.5, learning_rate=1e-3, log_every=1)
    run_training(tmp_path, config)
    expected = [1e-3 * factor for factor in (1, 1, 1, 1, 1, 0.75, 0.5, 0.25)]
    assert [float(row["rate"]) for row in rows(tmp_path)] == pytest.approx(expected)


class Clock:
    """Stands in for the time module: every look at it takes two seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += 2.0
        return self.now


def test_minutes_count_across_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "time", Clock())
    config = replace(SHORT, steps=None, minutes=0.5, log_every=1, save_every=5, constant_part=0.5)

    def broken(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for step, batch in enumerate(batches_of()(start), start=start):
            if step == 9:
                raise ConnectionError("gone")
            yield batch

    with pytest.raises(ConnectionError):
        run_training(tmp_path, config, batches=broken)
    assert saved_steps(tmp_path) == [5]
    result = run_training(tmp_path, config)
    assert (result.step, result.seconds, result.interrupted) == (15, 30.0, False)
    table = rows(tmp_path)
    assert [int(row["step"]) for row in table] == list(range(1, 16))
    assert [float(row["seconds"]) for row in table] == [2.0 * step for step in range(1, 16)]
    rates = [float(row["rate"]) / config.learning_rate for row in table]
    assert rates[:8] == [1.0] * 8
    assert rates[8:] == pytest.approx([(30 - 2 * step) / 15 for step in range(8, 15)])
    assert min(rates) > 0


def test_slow_steps_are_saved_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "time", Clock())
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 5)
    run_training(tmp_path, replace(SHORT, steps=8, save_every=1000, keep=10))
    assert sorted(saved_steps(tmp_path)) == [3, 6, 8]


def test_a_finished_run_says_so_and_a_longer_one_goes_on(tmp_path):
    run_training(tmp_path)
    before = final_bytes(tmp_path)
    notes = []
    assert run_training(tmp_path, on_note=notes.append).step == 8
    assert len(notes) == 1
    assert "done already, at step 8" in notes[0]
    assert final_bytes(tmp_path) == before
    assert run_training(tmp_path, replace(SHORT, steps=10)).step == 10
    assert [int(row["step"]) for row in rows(tmp_path)] == [3, 6, 8, 9, 10]


# Settings


def test_other_settings_are_refused_by_name_and_value(tmp_path):
    run_training(tmp_path)
    smaller = replace(TINY, networks=replace(TINY.networks, generator_filters=4))
    with pytest.raises(SettingsMismatch) as caught:
        run_training(tmp_path, replace(SHORT, steps=9, seed=3, save_every=7), smaller)
    message = str(caught.value)
    assert "--generator-filters 2 (now 4)" in message
    assert "--seed 0 (now 3)" in message
    assert "save-every" not in message
    assert "steps" not in message
    assert "\n" not in message
    assert json.loads((tmp_path / "config.json").read_text())["training"]["seed"] == 0


def test_what_helps_a_diverged_run_may_change_but_is_told(tmp_path):
    run_training(tmp_path)
    notes = []
    changed = replace(SHORT, steps=10, learning_rate=1e-4, precision="float32", accelerator="cpu", keep=1)
    run_training(tmp_path, changed, on_note=notes.append)
    assert "--learning-rate: 0.0002 until now, 0.0001 from here on" in notes
    assert "--precision: auto until now, float32 from here on" in notes
    assert not [note for note in notes if "--keep" in note or "--accelerator" in note]


def test_settings_may_change_as_long_as_nothing_was_saved(tmp_path):
    with pytest.raises(ConnectionError):
        run_training(
            tmp_path, on_samples=lambda *_: None, batches=lambda start: (_ for _ in ()).throw(ConnectionError())
        )
    assert run_training(tmp_path, replace(SHORT, seed=5)).step == 8


def test_configurations_survive_json():
    method = MethodConfig(NetworkConfig(size=48, upsampling="nearest"), LossWeights(cycle=0.1), pool_size=7)
    assert from_json(MethodConfig, json.loads(json.dumps(to_json(method)))) == method
    training = TrainingConfig(minutes=1 / 3, devices=2)
    assert from_json(TrainingConfig, json.loads(json.dumps(to_json(training)))) == training
    assert from_json(MethodConfig, {"pool_size": 5}) == MethodConfig(pool_size=5)
    with pytest.raises(ValueError, match="no field poolsize"):
        from_json(MethodConfig, {"poolsize": 5})


# What a run leaves to look at


def test_rows_hold_means_and_no_step_twice(tmp_path):
    config = replace(SHORT, steps=6, log_every=1)
    run_training(tmp_path / "each", config)
    run_training(tmp_path / "third", replace(config, log_every=3))
    each, third = rows(tmp_path / "each"), rows(tmp_path / "third")
    assert [row["step"] for row in third] == ["3", "6"]
    for name in ("generators", "recycle_a", "discriminator_b", "generator_gradient"):
        assert float(third[1][name]) == pytest.approx(np.mean([float(row[name]) for row in each[3:]]))
    parts = [name for name in third[0] if name.split("_")[0] in ("adversarial", "predictor", "recurrent", "recycle")]
    assert len(parts) == 8
    assert sum(float(third[0][name]) for name in parts) == pytest.approx(float(third[0]["generators"]))


def test_a_torn_last_row_and_later_ones_are_taken_back(tmp_path):
    run_training(tmp_path, replace(SHORT, log_every=1))
    whole = rows(tmp_path)
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write("9," + "1," * (len(whole[0]) - 2) + "1\n10,0.5,2e")
    log = RunLog(tmp_path, Schedule(20, True, 0.5), step=8, seconds=1.0)
    log.close()
    assert rows(tmp_path) == whole


def test_tensorboard_shows_each_step_once_after_going_on(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = replace(SHORT, steps=8, log_every=1, save_every=3)

    def broken(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield from [batch for batch, _ in zip(batches_of()(start), range(5), strict=False)]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        run_training(tmp_path, config, batches=broken)
    run_training(tmp_path, config)
    events = EventAccumulator(str(tmp_path / "log"), size_guidance={"images": 0, "scalars": 0}).Reload()
    assert [event.step for event in events.Scalars("recycle_a")] == list(range(1, 9))
    assert [event.step for event in events.Images("samples/a_translated")] == [8]


def test_samples_come_at_their_steps_and_from_the_running_mean(tmp_path):
    seen = {}
    config = replace(SHORT, steps=8, sample_every=3, ema_decay=0.99, precision="float32")
    run_training(tmp_path, config, on_samples=lambda step, samples: seen.update({step: samples}))
    assert list(seen) == [3, 6, 8]
    a, _ = windows()
    for pictures in seen[8].values():
        assert (pictures.shape, pictures.dtype) == ((2, 3, 32, 32), torch.float32)
        assert pictures.abs().max() <= 1
    assert torch.equal(seen[8]["a_source"], a[:, 2])
    for weights, alike in (("ema", True), ("raw", False)):
        method = load_for_rendering(tmp_path, weights, "newest").method
        assert torch.equal(method.translate(a[:, 2], "a_to_b"), seen[8]["a_translated"]) == alike


def test_looking_does_not_change_the_training(tmp_path):
    run_training(tmp_path / "much", replace(SHORT, log_every=1, sample_every=1, save_every=1))
    run_training(tmp_path / "little")
    assert final_bytes(tmp_path / "much") == final_bytes(tmp_path / "little")


def test_cyclegan_trains_on_the_same_windows(tmp_path):
    config = replace(TINY, weights=LossWeights(cycle=10.0, identity=5.0))
    assert run_training(tmp_path, replace(SHORT, steps=2), config, method_name="cyclegan").step == 2
    loaded = load_for_rendering(tmp_path)
    assert loaded.settings["method"] == "cyclegan"
    assert type(loaded.method) is METHODS["cyclegan"]


# Rendering


def test_rendering_takes_the_newest_whole_checkpoint(tmp_path):
    run_training(tmp_path)
    loaded = load_for_rendering(tmp_path, choice="newest")
    assert loaded.settings == SETTINGS
    assert not loaded.method.training
    assert (loaded.step, loaded.choice) == (8, "newest")
    (tmp_path / "checkpoints" / "step-00000008" / "ema.safetensors").write_bytes(b"")
    notes = []
    assert load_for_rendering(tmp_path, choice="newest", on_note=notes.append).step == 4
    assert "step-00000008" in notes[0]


def test_a_run_without_running_mean_renders_its_weights(tmp_path):
    run_training(tmp_path, replace(SHORT, ema_decay=0.0))
    states = [load_for_rendering(tmp_path, weights)[1].state_dict() for weights in ("ema", "raw")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_what_is_no_run_is_said_in_one_line(tmp_path):
    with pytest.raises(CheckpointError, match="not a training run"):
        load_for_rendering(tmp_path / "missing")
    with pytest.raises(ConnectionError):
        run_training(tmp_path, batches=lambda start: (_ for _ in ()).throw(ConnectionError()))
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        load_for_rendering(tmp_path)
    run_training(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["settings"]["config"]["networks"]["generator_filters"] = 5
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="do not belong together") as caught:
        load_for_rendering(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        load_for_rendering(tmp_path)


# Trouble


def poisoned(what: str, at: int):
    """A method whose loss, or whose gradient alone, is no number in step `at`."""

    class Poisoned(METHODS["recyclegan"]):
        calls = 0

        def generator_losses(self, a, b):
            fakes, losses = super().generator_losses(a, b)
            type(self).calls += 1
            if type(self).calls == at:
                if what == "loss":
                    losses["recycle_a"] = losses["recycle_a"] * float("nan")
                else:
                    weight = next(self.generator_ab.parameters())
                    losses["recycle_a"] = losses["recycle_a"] + (weight * 0).abs().sum().sqrt()  # slope at 0: 0 * inf
            return fakes, losses

    torch.manual_seed(0)
    return Poisoned(TINY)


@pytest.mark.parametrize(("what", "named"), [("loss", "generators is nan"), ("gradient", "generator_gradient is nan")])
def test_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path, what, named):
    with pytest.raises(TrainingDiverged) as caught:
        run_training(tmp_path, replace(SHORT, save_every=2), method=poisoned(what, at=6))
    message = str(caught.value)
    assert named in message
    assert "at step 6" in message
    assert "goes on from step 4" in message
    assert "--learning-rate than 0.0002" in message
    assert "\n" not in message
    loaded = load_newest(tmp_path / "checkpoints")
    assert loaded.step == 4
    assert all(torch.isfinite(value).all() for value in loaded.tensors["weights"].values())
    assert run_training(tmp_path, replace(SHORT, learning_rate=1e-4)).step == 8


def test_weights_that_are_no_numbers_are_never_saved(tmp_path):
    method = METHODS["recyclegan"](TINY)
    with torch.no_grad():
        method.discriminator_a.register_buffer("odd", torch.tensor(float("inf")))
    with pytest.raises(TrainingDiverged, match=r"discriminator_a.odd is not finite at step 4.*starts anew"):
        run_training(tmp_path, method=method)
    assert saved_steps(tmp_path) == []


def test_a_full_disk_comes_through_and_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    run_training(tmp_path, replace(SHORT, steps=4))
    before = final_bytes(tmp_path)

    def full(path: Path, content: bytes) -> dict[str, object]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(checkpoint, "_write", full)
        run_training(tmp_path)
    assert final_bytes(tmp_path) == before
    run_training(tmp_path)
    assert max(saved_steps(tmp_path)) == 8


def test_a_side_that_has_won_is_told_once_a_spell():
    watch = Watch()
    lines = [watch.see_loss(2.0)]
    lines += [watch.see_loss(0.01) for _ in range(WON_STEPS - 1)]
    assert not any(lines)
    resumed = Watch()
    resumed.load(json.loads(json.dumps(watch.state())))
    lines = [resumed.see_loss(0.01) for _ in range(2 * WON_STEPS)]
    assert [number for number, line in enumerate(lines) if line] == [0]
    assert "discriminators have won" in lines[0]
    assert resumed.see_loss(1.0) is None
    assert sum(resumed.see_loss(0.01) is not None for _ in range(2 * WON_STEPS)) == 1


def test_translations_that_are_all_alike_are_told_once_a_spell():
    sources = {"a_source": torch.randn(4, 3, 8, 8), "b_source": torch.randn(4, 3, 8, 8)}
    alike = torch.randn(1, 3, 8, 8).expand(4, -1, -1, -1) + 0.01 * torch.randn(4, 3, 8, 8)
    good = sources | {"a_translated": torch.randn(4, 3, 8, 8), "b_translated": torch.randn(4, 3, 8, 8)}
    bad = good | {"b_translated": alike}
    watch = Watch()
    lines = [watch.see_samples(samples) for samples in (good, bad, bad, good, bad)]
    assert [line is not None for line in lines] == [False, True, False, False, True]
    assert "pictures of B" in lines[1]
    # A domain that itself hardly moves may look alike; so may a single picture.
    still = bad | {"a_source": alike, "b_source": alike}
    assert Watch().see_samples(still) is None
    assert Watch().see_samples({name: pictures[:1] for name, pictures in bad.items()}) is None


# Running mean, precision, devices


def test_the_running_mean_is_the_formula_of_its_steps():
    network = torch.nn.Linear(2, 1)
    ema = EMA({"generator": network}, decay=0.9)
    assert set(ema.weights) == {"generator.weight", "generator.bias"}
    mean = network.weight.detach().double().numpy().copy()
    for step in range(1, 101):
        with torch.no_grad():
            network.weight.copy_(torch.tensor([[float(step), -2.0 * step]]))
        ema.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * np.array([[step, -2.0 * step]])
    assert np.allclose(ema.weights["generator.weight"].numpy(), mean, rtol=1e-5)
    own = network.weight.detach().clone()
    with pytest.raises(KeyError), ema.applied():
        assert torch.equal(network.weight, ema.weights["generator.weight"])
        raise KeyError
    assert torch.equal(network.weight, own)


def test_batch_statistics_are_averaged_with_the_weights_they_belong_to():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
    ema = EMA({"generator": network}, decay=0.5)
    network[1].running_mean.fill_(4.0)
    ema.update(100)
    assert ema.weights["generator.1.running_mean"].item() == 2.0
    with ema.applied():
        assert network[1].running_mean.item() == 2.0
    assert network[1].running_mean.item() == 4.0
    assert not any(name.endswith("num_batches_tracked") for name in ema.weights)


def test_bfloat16_computes_its_losses_in_float32(tmp_path):
    seen = []

    class Watched(METHODS["recyclegan"]):
        def discriminator_losses(self, a, b, fakes):
            seen.append(fakes["a"].dtype)
            return super().discriminator_losses(a, b, fakes)

    config = replace(SHORT, steps=2, precision="bfloat16", log_every=1)
    run_training(tmp_path, config, method=Watched(TINY))
    assert torch.bfloat16 in seen
    assert json.loads((tmp_path / "config.json").read_text())["computes_in"] == "bfloat16"
    loaded = load_newest(tmp_path / "checkpoints")
    assert {value.dtype for value in loaded.tensors["weights"].values()} == {torch.float32}
    # A bfloat16 sum of about 30 would be a multiple of 1/8.
    assert any(float(row["generators"]) * 8 % 1 for row in rows(tmp_path))


def test_auto_precision_asks_for_hardware_that_does_not_imitate(monkeypatch):
    monkeypatch.setattr(parallel.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    for has, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has)
        assert resolve_precision("auto", "cpu") == expected
        assert resolve_precision("bfloat16", "cpu") == "bfloat16"
        assert resolve_precision("float32", "cpu") == "float32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    assert resolve_precision("auto", "cuda") == "bfloat16"
    assert resolve_precision("auto", "mps") == "float32"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what the test wants missing")
def test_missing_hardware_is_said_in_one_line():
    with pytest.raises(DeviceError, match="--accelerator cuda") as caught:
        make_fabric(replace(SHORT, accelerator="cuda", devices=1))
    assert "\n" not in str(caught.value)


def test_the_seed_decides_the_weights(tmp_path):
    for name, seed in (("first", 1), ("second", 1), ("other", 2)):
        run_training(tmp_path / name, replace(SHORT, steps=2, seed=seed))
    assert final_bytes(tmp_path / "first") == final_bytes(tmp_path / "second")
    assert (
        final_bytes(tmp_path / "first")["weights.safetensors"] != final_bytes(tmp_path / "other")["weights.safetensors"]
    )
