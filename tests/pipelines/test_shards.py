"""Work shared by a folder alone: any number of processes leave the same bytes, a killed one costs what it was at."""

import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from data.domain.domain import Domain
from data.video.reader import read_metadata
from pipelines.cli import run
from pipelines.rendering.leaving import KEY
from tests.media import write_frames
from tests.pipelines.runs import draw, one_error, train_drawn
from tests.pipelines.shells import content, has_hosts, start

WORDS = ("--name", "d", "--align", "none", "--size", "32")


@pytest.fixture
def clips(place: Path) -> list[str]:
    """Five drawn clips."""
    looks = zip("abcde", "ABABA", strict=True)
    return [draw(place / f"{name}.mp4", look, frames=9, seed=ord(name)).name for name, look in looks]


def test_any_number_of_shards_in_any_order_extracts_the_same_bytes(
    place: Path, clips: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["extract", *clips, *WORDS, "--domains", "one"]) == 0
    whole = content(place / "one/d")
    assert {f"clips/{name}.jsonl" for name in "abcde"} <= set(whole)
    # the last: another number midway, where the first of four has been
    for name, order in (
        ("two", ("1/2", "0/2")),
        ("four", ("3/4", "0/4", "2/4", "1/4")),
        ("both", ("0/4", "1/2", "0/2")),
    ):
        for number in order:
            capsys.readouterr()
            assert run(["extract", *clips, *WORDS, "--domains", name, "--shard", number]) == 0
            said = capsys.readouterr().out
            assert ("still to come from other shards" in said) == (number != order[-1])
        assert content(place / f"{name}/d") == whole
    # what a kill leaves between the last two steps of a clip
    (place / "one/d/frames/.b").mkdir()
    (place / "one/d/frames/.b.lock").touch()
    assert run(["extract", *clips, *WORDS, "--domains", "one"]) == 0
    assert content(place / "one/d") == whole and not (place / "one/d/frames/.b").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "6", "SLURM_ARRAY_TASK_COUNT": "4"},
        {"JOB_COMPLETION_INDEX": "1", "JOB_COMPLETIONS": "4"},
        {"RANK": "1", "WORLD_SIZE": "4"},
    ],
)
def test_a_cluster_gives_a_process_its_clips_and_join_says_which_are_missing(
    environment: dict[str, str], clips: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "d: no such domain" in one_error(capsys, "join", "extract", *clips, *WORDS)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run(["extract", *clips, *WORDS]) == 0
    said = capsys.readouterr().out
    assert f"shard 1 of 4, by {next(iter(environment))}" in said and said.count("is extracted") == 1
    missing = one_error(capsys, "join", "extract", *clips, *WORDS, code=1)
    assert "domains/d: 4 (a, c, d, e) of 5 clips are missing" in missing
    for number in "023":
        assert run(["extract", *clips, *WORDS, "--shard", f"{number}/4"]) == 0
    Path("domains/d/contact-sheet.jpg").unlink()
    assert run(["join", "extract", *clips, *WORDS]) == 0
    assert Path("domains/d/contact-sheet.jpg").is_file()


def test_two_extracts_into_one_domain_at_once(place: Path, clips: list[str]) -> None:
    """On two machines that have the folder in common and nothing else, where this one can play them."""
    host = has_hosts()
    both = [start("extract", f"{one}.mp4", f"{two}.mp4", *WORDS, host=host) for one, two in ("ab", "dc")]
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


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five shots, and a run to translate them with."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train_drawn(folder, steps=3)
    write_scenes(folder / "scenes.mp4", 5)
    return folder


@pytest.fixture
def scenes(place: Path, trained: Path) -> Path:
    """A copy of that to work in."""
    return shutil.copytree(trained, place, dirs_exist_ok=True)


def test_any_number_of_shards_renders_the_same_bytes(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["render", "--input", "scenes.mp4", "--output"]
    assert run([*words, "whole.mp4"]) == 0
    assert "50 of 50 frames translated" in capsys.readouterr().out
    assert "5 (1, 2, 3, 4, 5) of 5 parts are missing" in one_error(capsys, "join", *words, "shared.mp4", code=1)
    assert not list(scenes.glob(".shared*"))
    painted = 0
    for number in (2, 0, 1):
        assert not (scenes / "shared.mp4").exists()
        assert run([*words, "shared.mp4", "--shard", f"{number}/3"]) == 0
        said = capsys.readouterr().out
        painted += said.count("is painted")
    assert "50 of 50 frames translated" in said and painted == 5
    assert (scenes / "shared.mp4").read_bytes() == (scenes / "whole.mp4").read_bytes()
    assert not list(scenes.glob(".shared*"))
    # another number midway: what is there is taken
    assert run([*words, "midway.mp4", "--shard", "0/2"]) == 0
    there = capsys.readouterr().out.count("is painted")
    assert 0 < there < 5 and f"{5 - there} (" in one_error(capsys, "join", *words, "midway.mp4", code=1)
    assert run([*words, "midway.mp4"]) == 0
    assert (scenes / "midway.mp4").read_bytes() == (scenes / "whole.mp4").read_bytes()
    # what a kill between the last two steps leaves
    left = scenes / f".midway-{read_metadata(scenes / 'midway.mp4')[KEY][:12]}.parts"
    left.mkdir()
    left.with_name(f"{left.name}.lock").touch()
    assert run([*words, "midway.mp4"]) == 0
    assert not list(scenes.glob(".midway*"))


def test_clips_of_one_shot_are_dealt_out_too(
    scenes: Path, clips: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is the first shot of every one of them: what a clip holds decides."""
    painted = []
    for number in range(5):
        capsys.readouterr()
        assert run(["render", "--input", *clips, "--output", "all", "--shard", f"{number}/5"]) == 0
        painted.append(capsys.readouterr().out.count("is painted"))
    assert sum(painted) == 5 and max(painted) < 5
    assert len(list(scenes.glob("all/*.mp4"))) == 5


@pytest.mark.parametrize("command", ["render", "extract"])
def test_one_of_two_shards_is_killed_and_started_again(command: str, scenes: Path, clips: list[str]) -> None:
    """No unit is done twice, by what both said; and one that ends while the other is at work leaves the end to it."""
    if command == "render":
        words, unit = ["render", "--input", "scenes.mp4", "--output"], r"part \d"
        whole, result, done = "whole.mp4", "out.mp4", ".out-*.parts/0*.json"
    else:
        words, unit = ["extract", *clips, *WORDS, "--domains"], r"\w\.mp4: is"
        whole, result, done = "whole", "out", "out/d/clips/*.jsonl"
    assert run([*words, whole]) == 0
    both = [start(*words, result, "--shard", f"{number}/2") for number in (0, 1)]
    deadline = time.monotonic() + 240
    while len(list(scenes.glob(done))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)
    both[1].send_signal(signal.SIGKILL)
    both.append(start(*words, result, "--shard", "1/2"))
    said = "".join(process.communicate(timeout=300)[0] for process in both)
    assert [process.returncode for process in both] in ([0, -signal.SIGKILL, 0], [0, 0, 0]), said
    units = re.findall(rf"({unit}).* (?:painted|extracted)", said)
    assert len(set(units)) == len(units) >= 4, said  # of the one that it had just done, the killed one may say nothing
    if command == "render":
        assert (scenes / result).read_bytes() == (scenes / whole).read_bytes()
    else:
        assert content(scenes / result / "d") == content(scenes / whole / "d")


def test_parts_under_other_settings_are_cleared_up(scenes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["render", "--input", "scenes.mp4", "--output", "out.mp4"]
    assert run([*words, "--shard", "0/2"]) == 0
    assert run([*words, "--weights", "raw", "--shard", "0/2"]) == 0
    assert "parts of it under other settings are removed" in capsys.readouterr().out
    assert len(list(scenes.glob(".out-*.parts"))) == 1


def test_a_shard_that_is_none_is_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(place / "a.mp4", frames=9)
    assert "--shard 2/2: give I/N" in one_error(capsys, "extract", "a.mp4", *WORDS, "--shard", "2/2")
    assert "leave it away" in one_error(capsys, "join", "extract", "a.mp4", *WORDS, "--shard", "0/2")
    assert "join extract or join render" in one_error(capsys, "join", "a.mp4")
    assert {"extract", "train", "render", "join"} <= set(re.findall(r"[\w-]+", one_error(capsys, "jion", "a.mp4")))
