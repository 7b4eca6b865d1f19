"""Work shared by a folder alone: any number of processes leave the same bytes, a killed one costs what it was at."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data.domain.domain import Domain
from data.errors import SettingsError
from pipelines.cli import run
from pipelines.shards import Shard, shard_of
from tests.media import write_frames
from tests.pipelines.runs import draw, one_error, train_drawn

WORDS = ("--name", "d", "--align", "none", "--size", "32")
ROOT = Path(__file__).parents[2]


def start(*words: str) -> subprocess.Popen:
    """A command in a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipelines.cli", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        (None, {}, Shard(0, 1)),
        ("3/4", {"RANK": "0", "WORLD_SIZE": "2"}, Shard(3, 4)),
        (None, {"RANK": "1", "WORLD_SIZE": "2"}, Shard(1, 2)),
        (None, {"JOB_COMPLETION_INDEX": "5", "JOB_COMPLETIONS": "8"}, Shard(5, 8)),
        (None, {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "3"}, Shard(2, 3)),
        (
            None,
            {
                "SLURM_ARRAY_TASK_ID": "14",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_STEP": "2",
                "SLURM_ARRAY_TASK_COUNT": "3",
            },
            Shard(2, 3),
        ),
    ],
)
def test_a_shard_is_what_is_asked_for_or_what_the_cluster_says(
    text: str | None, environment: dict[str, str], shard: Shard
) -> None:
    assert shard_of(text, environment) == shard


@pytest.mark.parametrize("text", ["4/4", "1", "a/b", "-1/2", "0/0", "1/2/3"])
def test_no_shard(text: str) -> None:
    with pytest.raises(SettingsError, match="--shard"):
        shard_of(text, {})


@pytest.mark.parametrize(
    "environment", [{"JOB_COMPLETION_INDEX": "1"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "x"}]
)
def test_a_cluster_that_says_half_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="give --shard I/N"):
        shard_of(None, environment)


def test_every_unit_is_one_shards() -> None:
    for count in (1, 2, 3, 7):
        assert [sum(Shard(i, count).takes(unit) for i in range(count)) for unit in range(20)] == [1] * 20


def test_any_number_of_shards_in_any_order_extracts_the_same_bytes(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [
        draw(place / f"{name}.mp4", look, frames=9, seed=ord(name)).name
        for name, look in zip("abcde", "ABABA", strict=True)
    ]
    assert run(["extract", *clips, *WORDS, "--domains", "one"]) == 0
    whole = content(place / "one/d")
    assert {f"clips/{name}.jsonl" for name in "abcde"} <= set(whole)
    for count, order in ((2, (1, 0)), (4, (3, 0, 2, 1))):
        for number in order:
            capsys.readouterr()
            assert run(["extract", *clips, *WORDS, "--domains", f"of{count}", "--shard", f"{number}/{count}"]) == 0
            said = capsys.readouterr().out
            assert ("still to come from other shards" in said) == (number != order[-1])
        assert content(place / f"of{count}/d") == whole


def test_two_extracts_into_one_domain_at_once(place: Path) -> None:
    for name in "abcd":
        draw(place / f"{name}.mp4", frames=9, seed=ord(name))
    both = [start("extract", f"{one}.mp4", f"{two}.mp4", *WORDS) for one, two in ("ab", "dc")]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    domain = Domain.load(place / "domains/d")
    assert sorted(clip.clip for clip in domain.clips) == ["a", "b", "c", "d"]
    assert len(list(domain.records())) == 36 == len(list((domain.folder / "frames").glob("*/*.jpg")))
    assert not [path for path in domain.folder.rglob(".*") if path.name != ".cache"]


def write_scenes(path: Path, scenes: int) -> None:
    """Shots of ten frames that differ throughout."""
    rng = np.random.default_rng(0)
    pictures = []
    for number in range(scenes):
        dark = 150 * (number % 2)
        scene = np.kron(rng.integers(dark, dark + 100, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        pictures += [np.roll(scene, n, (0, 1)) for n in range(10)]
    write_frames(path, pictures)


@pytest.fixture
def scenes(place: Path) -> Path:
    """Five shots, and a run to translate them with."""
    train_drawn(place, steps=3)
    write_scenes(place / "scenes.mp4", 5)
    return place


def test_any_number_of_shards_renders_the_same_bytes(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["render", "--input", "scenes.mp4", "--output"]
    assert run([*words, "whole.mp4"]) == 0
    assert "50 of 50 frames translated" in capsys.readouterr().out
    for number in (2, 0, 1):
        assert not (scenes / "shared.mp4").exists()
        assert run([*words, "shared.mp4", "--shard", f"{number}/3"]) == 0
    assert "50 of 50 frames translated" in capsys.readouterr().out
    assert (scenes / "shared.mp4").read_bytes() == (scenes / "whole.mp4").read_bytes()
    assert not list(scenes.glob(".shared*"))
    # another number midway: what is there is taken
    assert run([*words, "midway.mp4", "--shard", "0/2"]) == 0
    capsys.readouterr()
    assert run([*words, "midway.mp4", "--shard", "1/4"]) == 0
    assert "1 of 5 parts are still to come" in capsys.readouterr().out
    assert run([*words, "midway.mp4"]) == 0
    assert (scenes / "midway.mp4").read_bytes() == (scenes / "whole.mp4").read_bytes()


def test_a_killed_shard_costs_what_it_was_at(scenes: Path) -> None:
    words = ["render", "--input", "scenes.mp4", "--output", "out.mp4"]
    assert run([*words[:-1], "whole.mp4"]) == 0
    assert run([*words, "--shard", "0/2"]) == 0
    (parts,) = scenes.glob(".out-*.parts")
    before = {path.name: path.stat().st_mtime_ns for path in parts.glob("*.mp4")}
    assert sorted(before) == ["00000.mp4", "00002.mp4", "00004.mp4"]
    process = start(*words, "--shard", "1/2")
    deadline = time.monotonic() + 240
    while not (parts / "00001.json").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if process.returncode == -signal.SIGKILL and parts.exists():
        after = {path.name: path.stat().st_mtime_ns for path in parts.glob("0*.mp4")}
        assert before.items() <= after.items()
        assert run([*words, "--shard", "1/2"]) == 0
    assert (scenes / "out.mp4").read_bytes() == (scenes / "whole.mp4").read_bytes()


def test_parts_under_other_settings_are_cleared_up(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["render", "--input", "scenes.mp4", "--output", "out.mp4"]
    assert run([*words, "--shard", "0/2"]) == 0
    assert run([*words, "--weights", "raw", "--shard", "0/2"]) == 0
    assert "parts of it under other settings are removed" in capsys.readouterr().out
    assert len(list(scenes.glob(".out-*.parts"))) == 1


def test_a_shard_that_is_none_is_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(place / "a.mp4", frames=9)
    assert "--shard 2/2: give I/N" in one_error(capsys, "extract", "a.mp4", *WORDS, "--shard", "2/2")
