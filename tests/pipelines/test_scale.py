"""`render --scale`: whole frames as large as they were learned from, or any other size, and back to their own."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from data.domain.pictures import resize
from data.video.reader import read_frames
from pipelines.cli import run
from recycle.runs.runfolder import load_for_rendering
from tests.pipelines.evaluations import by_name, draw, evaluate, extract, make_run
from tests.pipelines.runs import one_error

RENDER = ("render", "--input", "test.mp4", "--codec", "ffv1", "--accelerator", "cpu")


def rendered(scale: str) -> np.ndarray:
    """The frames of test.mp4 translated at a scale, in grey: colours have half of the resolution in the file."""
    assert run([*RENDER, "--scale", scale, "--output", f"{scale}.mkv"]) == 0
    return grey([frame.rgb for frame in read_frames(Path(f"{scale}.mkv"))])


def grey(pictures: list[np.ndarray]) -> np.ndarray:
    return np.stack([cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in pictures]).astype(int)


def test_frames_are_translated_at_that_size_and_come_back_to_their_own(place: Path) -> None:
    """Held against the same steps by hand: made smaller, through the generator, made larger."""
    draw("test.mp4", "A", 3, size=64)
    make_run()
    found = {scale: rendered(scale) for scale in ("native", "training", "48")}
    generator = load_for_rendering(Path("runs/a-b")).method
    frames = [frame.rgb for frame in read_frames(Path("test.mp4"))]
    for scale, side in (("native", 64), ("training", 32), ("48", 48)):
        assert found[scale].shape == (3, 64, 64)
        small = np.stack([resize(rgb, (side, side)) for rgb in frames])
        pictures = torch.from_numpy(small).permute(0, 3, 1, 2).float() / 127.5 - 1
        made = generator.translate(pictures, "a_to_b").add(1).mul(127.5).round().clamp(0, 255).byte()
        wanted = grey([resize(rgb, (64, 64)) for rgb in made.permute(0, 2, 3, 1).numpy()])
        assert np.abs(found[scale] - wanted).mean() < 2, scale
    assert np.abs(found["native"] - found["training"]).mean() > 4, "the size makes a difference here"


def test_another_scale_is_another_render(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("test.mp4", "A", 2, size=64)
    make_run()
    for scale, said in (("training", False), ("training", True), ("native", False)):
        assert run([*RENDER, "--scale", scale, "--output", "out.mkv"]) == 0
        assert ("already rendered" in capsys.readouterr().out) == said


def test_an_evaluation_is_made_at_the_scale_that_is_asked_for(place: Path) -> None:
    draw("test.mp4", "A", 3, size=64), draw("truth.mp4", "B", 3, size=64)
    draw("b.mp4", "B", 8, seed=9)
    extract("b")
    make_run()
    words = ("--input", "test.mp4", "--truth", "truth.mp4")
    psnr = {scale: by_name(evaluate(*words, "--scale", scale))["psnr"]["value"] for scale in ("native", "training")}
    assert psnr["native"] != psnr["training"]


def test_a_scale_that_is_none_is_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("test.mp4", "A", 2, size=64)
    make_run()
    for scale in ("large", "12", "-64"):
        said = one_error(capsys, *RENDER, f"--scale={scale}", "--output", "out.mkv")
        assert f"--scale {scale}: give training, native, or" in said
    assert not Path("out.mkv").exists()


@pytest.mark.parametrize("word", ["--feather=0", "--feather=0.6", "--feather=nan", "--match-strength=1.1"])
def test_how_a_face_is_laid_in_is_refused_before_anything_is_read(
    place: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert word.partition("=")[0] in one_error(capsys, "render", "--input", "gone.mp4", word)
