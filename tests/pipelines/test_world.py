"""`retarget world`: what it writes has to be what it says, or every figure measured on it is wrong."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data.errors import SettingsError
from data.video.reader import read_frames
from data.world.drawnover import DrawnOver
from pipelines.cli import run
from pipelines.world import stretches
from recycle.measures.metrics import psnr
from tests.media import write_frames


def pictures(path: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in read_frames(path)])


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path / "no-models"))
    return tmp_path


def footage(path: str, frames: int) -> list[np.ndarray]:
    """A wide clip without a face: a disc that goes round on a gradient, so that every frame is another."""
    rows, columns = np.mgrid[:96, :128]
    made = []
    for number in range(frames):
        x, y = 64 + 28 * np.cos(number / 9), 48 + 28 * np.sin(number / 9)
        disc = (columns - x) ** 2 + (rows - y) ** 2 < 120
        made.append(np.stack([columns + 60, rows * 2, np.where(disc, 250, 40)], axis=-1).astype(np.uint8))
    write_frames(Path(path), made)
    return made


def test_stretches_of_footage_and_its_truth() -> None:
    frames = footage("round.mp4", 140)
    assert run(["world", "--from", "round.mp4", "--size", "96"]) == 0
    about = json.loads(Path("worlds/round/world.json").read_text())
    clips = {part: pictures(Path("worlds/round") / name) for part, name in about["clips"].items()}
    assert about["square"] == [16, 0, 96]
    (a_start, a_end), (b_start, b_end), (test_start, test_end) = about["stretches"]
    assert b_start - a_end >= 13 and test_start - b_end >= 13, "half a second at 25 a second"
    assert [len(clips[part]) for part in ("a", "b", "test", "truth")] == [
        a_end - a_start, b_end - b_start, test_end - test_start, test_end - test_start
    ]  # fmt: skip
    squares = [frame[:, 16:112] for frame in frames]
    assert psnr(clips["a"], np.stack(squares[a_start:a_end])) > 28
    assert psnr(clips["test"], np.stack(squares[test_start:test_end])) > 28
    assert psnr(clips["test"], np.stack(squares[test_start - 3 : test_end - 3])) < 28, "three frames off would be seen"
    drawn_over = DrawnOver(0)
    for part, start in (("b", b_start), ("truth", test_start)):
        wanted = np.stack([drawn_over(squares[start + number]) for number in range(len(clips[part]))])
        assert psnr(clips[part], wanted) > 22, part
    assert psnr(clips["truth"], clips["test"]) < 16


def test_a_world_that_is_there_is_not_made_again_and_never_replaced(capfd: pytest.CaptureFixture[str]) -> None:
    small = ["world", "--world", "busy", "--frames", "20", "--test-frames", "10", "--size", "32"]
    assert run(small) == 0
    before = {path: path.stat().st_mtime_ns for path in Path("worlds").rglob("*.*")}
    assert run(small) == 0
    assert "already there" in capfd.readouterr().out
    assert run([*small, "--seed", "1"]) == 2
    assert "holds another world" in capfd.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in Path("worlds").rglob("*.*")}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--world", "plain", "--from", "x.mp4"], "one world"),
        (["--from", "missing.mp4"], "missing.mp4"),
        (["--size", "8"], "at least 32"),
        (["--frames", "3"], "at least 20"),
        (["--name", "../up"], "up"),
    ],
)
def test_what_makes_no_world_is_one_line(words: list[str], says: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["world", *words]) == 2
    error = capfd.readouterr().err
    assert says in error and error.count("\n") == 1 and not list(Path().rglob("*.mp4"))


def test_too_short_a_clip_says_how_long_it_has_to_be(capfd: pytest.CaptureFixture[str]) -> None:
    footage("short.mp4", 40)
    assert run(["world", "--from", "short.mp4"]) == 2
    error = capfd.readouterr().err
    assert "40 frames" in error and error.count("\n") == 1 and not list(Path("worlds").rglob("*.mp4"))
    least = int(error.split("at least ")[1].split(",")[0])
    assert stretches(least, Fraction(25), (None,) * 3, Path("x"))
    with pytest.raises(SettingsError):
        stretches(least - 1, Fraction(25), (None,) * 3, Path("x"))


def test_footage_is_never_written_over() -> None:
    footage("talk.mp4", 110)
    Path("worlds/talk").mkdir(parents=True)
    shutil.move("talk.mp4", "worlds/talk/talk.mp4")
    before = Path("worlds/talk/talk.mp4").read_bytes()
    assert run(["world", "--from", "worlds/talk/talk.mp4"]) == 2
    assert Path("worlds/talk/talk.mp4").read_bytes() == before


@pytest.mark.slow
def test_a_talking_face_is_followed_and_harder_than_a_still(shared: Path) -> None:
    assert run(["world", "--from", str(shared / "clips/faces/talk_d3.mp4"), "--name", "talk", "--frames", "30"]) == 0
    about = json.loads(Path("worlds/talk/world.json").read_text())
    clips = {part: pictures(Path("worlds/talk") / name) for part, name in about["clips"].items()}
    constant = np.broadcast_to(clips["b"].mean(axis=0).round().astype(np.uint8), clips["truth"].shape)
    assert psnr(constant, clips["truth"]) < 21 and psnr(clips["test"], clips["truth"]) < 16
