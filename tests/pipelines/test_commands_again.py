"""Commands run again: nothing is done twice, what broke off goes on, what changed is done anew."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data.domain.domain import Domain
from data.video.reader import read_frames
from pipelines.cli import run
from tests.media import write_frames
from tests.pipelines.runs import TINY, draw, train_drawn


def test_extract_again_does_nothing_twice(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(place / "a.mp4")
    draw(place / "b.mp4", "B")
    assert run(["extract", "a.mp4", "--name", "d", "--align", "none", "--size", "32"]) == 0
    table = (place / "domains/d/clips/a.jsonl").read_bytes()
    stamp = (place / "domains/d/frames/a/000001.jpg").stat().st_mtime_ns
    capsys.readouterr()
    assert run(["extract", "a.mp4", "b.mp4", "--name", "d", "--align", "none", "--size", "32"]) == 0
    assert "already in" in capsys.readouterr().out
    assert (place / "domains/d/frames/a/000001.jpg").stat().st_mtime_ns == stamp
    assert (place / "domains/d/clips/a.jsonl").read_bytes() == table
    assert [clip.clip for clip in Domain.load(place / "domains/d").clips] == ["a", "b"]


def test_a_clip_that_changed_is_extracted_anew(place: Path) -> None:
    draw(place / "a.mp4", frames=12)
    assert run(["extract", "a.mp4", "--align", "none", "--size", "32"]) == 0
    draw(place / "a.mp4", frames=15)
    assert run(["extract", "a.mp4", "--align", "none", "--size", "32"]) == 0
    domain = Domain.load(place / "domains/a")
    assert [clip.frames for clip in domain.clips] == [15]
    assert len(list(domain.records())) == 15 == len(list((domain.folder / "frames/a").glob("*.jpg")))


def test_two_files_of_one_name_are_two_clips(place: Path) -> None:
    for folder, look in (("x", "A"), ("y", "B")):
        (place / folder).mkdir()
        draw(place / folder / "take.mp4", look, frames=9)
    assert run(["extract", "x/take.mp4", "y/take.mp4", "--align", "none", "--size", "32"]) == 0
    assert [clip.clip for clip in Domain.load(place / "domains/take").clips] == ["take", "take-2"]


def test_training_again_goes_on_and_ends_at_once_when_done(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_drawn(place, steps=3)
    train_drawn(place, steps=6)
    assert "going on from step 3" in capsys.readouterr().out
    weights = (place / "runs/a-b/checkpoints/step-00000006/weights.safetensors").read_bytes()
    train_drawn(place, "--run", "runs/straight", steps=6)
    # the schedule of a longer run differs, so only the length is compared here; bytes are compared in test_trainer
    assert len((place / "runs/straight/checkpoints/step-00000006/weights.safetensors").read_bytes()) == len(weights)
    capsys.readouterr()
    train_drawn(place, steps=6)
    assert "done already" in capsys.readouterr().out


def test_a_killed_training_ends_with_the_same_bytes(place: Path) -> None:
    train_drawn(place, "--run", "runs/whole", steps=14)
    command = [sys.executable, "-m", "pipelines.cli", "train", "a", "b", *TINY, "--steps", "14"]
    command += ["--sample-every", "3", "--save-every", "3", "--run", "runs/killed"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    folder = place / "runs/killed/checkpoints"
    for saved in (3, 9):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not list(folder.glob(f"step-{saved:08d}")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, env=environment, check=False, capture_output=True).returncode == 0
    for name in ("weights", "ema"):
        killed = (folder / f"step-00000014/{name}.safetensors").read_bytes()
        assert killed == (place / f"runs/whole/checkpoints/step-00000014/{name}.safetensors").read_bytes(), name


def test_an_interrupted_render_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the second shot, the first is not done again, and the result is the one of an uninterrupted run."""
    train_drawn(place, steps=3)
    dark, light = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 220, np.uint8)
    dark[::7], light[:, ::5] = (200, 30, 30), (20, 90, 200)
    write_frames(place / "cut.mp4", [dark] * 12 + [light] * 12)
    command = ["render", "--input", "cut.mp4", "--output"]
    assert run([*command, "whole.mp4"]) == 0

    import pipelines.translating.paint as stage

    translate, seen = stage.WholeFrames.translate, []

    def stop_in_the_second_shot(self, cuts):
        seen.extend(cut.frame.number for cut in cuts)
        if cuts[0].frame.number >= 16:
            raise KeyboardInterrupt
        return translate(self, cuts)

    monkeypatch.setattr(stage.WholeFrames, "translate", stop_in_the_second_shot)
    assert run([*command, "part.mp4"]) == 130
    assert not (place / "part.mp4").exists()
    monkeypatch.setattr(stage.WholeFrames, "translate", lambda self, cuts: seen.extend([-1]) or translate(self, cuts))
    seen.clear()
    assert run([*command, "part.mp4"]) == 0
    assert len(seen) == 6, "only the second shot is translated again"
    whole, part = (np.stack([f.rgb for f in read_frames(name)]) for name in ("whole.mp4", "part.mp4"))
    assert np.array_equal(whole, part)


def test_a_finished_render_is_not_done_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_drawn(place, steps=3)
    assert run(["render", "--input", "a.mp4"]) == 0
    stamp = (place / "renders/a-as-b.mp4").stat().st_mtime_ns
    assert run(["render", "--input", "a.mp4"]) == 0
    assert "already rendered" in capsys.readouterr().out
    assert (place / "renders/a-as-b.mp4").stat().st_mtime_ns == stamp
    assert run(["render", "--input", "a.mp4", "--weights", "raw"]) == 0
    assert (place / "renders/a-as-b.mp4").stat().st_mtime_ns != stamp
