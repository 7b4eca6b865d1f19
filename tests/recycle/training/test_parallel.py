"""Two processes agree, stop together and go on; and what hardware is asked for."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recycle.methods import METHODS
from recycle.training import parallel
from recycle.training.parallel import DeviceError, leave_group, make_fabric, resolve_precision
from tests.recycle.training.tiny_runs import (
    SHORT,
    TINY,
    batches_of,
    final_bytes,
    held_out,
    rows,
    run_training,
    saved_steps,
    windows,
)

NO_POOL = replace(TINY, pool_size=0)  # each process has pools of its own, so with them two are not one with two batches
TOGETHER = replace(SHORT, steps=4, constant_part=1.0, accelerator="cpu")


def method_of_seed(seed: int):
    torch.manual_seed(seed)
    return METHODS["recyclegan"](NO_POOL).double()


def under_torchrun(root: Path) -> None:
    """What each of two processes does; the test looks at what it leaves behind."""
    rank, notes = int(os.environ["RANK"]), []
    if os.environ["TORCHELASTIC_RESTART_COUNT"] == "1":
        run_training(root / "killed", replace(TOGETHER, save_every=2), on_note=notes.append)
        (root / f"killed{rank}.json").write_text(json.dumps(notes))
        return leave_group()
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

    def killed(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for step, batch in enumerate(batches_of(rank, 2)(start)):
            if (step, rank) == (3, 1):
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    try:
        run_training(root / "killed", replace(TOGETHER, save_every=2), batches=killed)
    except parallel.ProcessLost as error:
        (root / "lost.txt").write_text(str(error))
        raise
    return None


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("torchrun")
    script = root / "script.py"
    script.write_text(
        "import sys, pathlib\nfrom tests.recycle.training import test_parallel\n"
        "test_parallel.under_torchrun(pathlib.Path(sys.argv[1]))\n"
    )
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "--max-restarts", "1"]
    done = subprocess.run(
        [sys.executable, *launch, script, root],
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
def test_one_of_two_processes_is_killed_and_both_are_started_again(two_processes):
    """By torchrun, which ends the other one as well."""
    assert "another process of this training has ended" in (two_processes / "lost.txt").read_text()
    first, second = (json.loads((two_processes / f"killed{rank}.json").read_text()) for rank in (0, 1))
    assert any("2 processes" in line and "going on from step 2" in line for line in first) and not second
    assert final_bytes(two_processes / "killed") == final_bytes(two_processes / "straight")


@pytest.mark.slow
def test_a_run_of_two_processes_goes_on_with_one(two_processes, tmp_path):
    notes = []
    result = run_training(two_processes / "straight", replace(TOGETHER, steps=8), on_note=notes.append)
    assert result.step == 8
    assert "1 processes from here on, 2 until now" in notes


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
