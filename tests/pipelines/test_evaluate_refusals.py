"""Clips that do not fit, are short, small, odd or cut: judged by what can be said, or refused in a line."""

import gc
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.domain.sources import Video
from data.video.frame import Frame
from data.video.reader import probe
from tests.media import portrait, write_frames
from tests.pipelines.evaluations import FOLDER, by_name, draw, evaluate, extract, make_run, one_error


def test_what_does_not_fit_is_one_line_and_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("in.mp4", "A", 6, size=32), draw("short.mp4", "B", 5, size=32), draw("long.mp4", "B", 7, size=32)
    draw("large.mp4", "B", 6, size=48)
    Path("palette.csv").write_text("road,1,2,3\n")
    assert "no trained run" in one_error(capsys)
    make_run("pix2pix")
    evaluate("--input", "in.mp4")
    before = {path: path.read_bytes() for path in FOLDER.iterdir()}
    given = ("--input", "in.mp4")
    said = one_error(capsys, *given, "--truth", "short.mp4")
    assert "short.mp4: ends before the 6 frames of in.mp4" in said
    assert "long.mp4: goes on" in one_error(capsys, *given, "--result", "long.mp4")
    assert "48x48" in one_error(capsys, *given, "--truth", "large.mp4")
    assert "no.mp4" in one_error(capsys, *given, "--truth", "no.mp4")
    assert "--truth" in one_error(capsys, *given, "--labels", "palette.csv")
    assert "fewer than two" in one_error(capsys, *given, "--truth", "in.mp4", "--labels", "palette.csv")
    assert "--reverse" in one_error(capsys, *given, "--reverse")
    assert "--flow raft" in one_error(capsys, *given, "--flow", "raft")
    assert "--inception-weights" in one_error(capsys, *given, "--inception-weights", "inception.pth")
    assert "no pictures" in one_error(capsys, *given, "--result", place / "runs")
    assert "--flow-weights" in one_error(capsys, *given, "--flow-weights", "raft.pth")
    assert "another --output" in one_error(capsys, *given, "--result", FOLDER / "result.mp4")
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_one_way_methods_odd_sizes_and_missing_domains_are_told(place: Path) -> None:
    frames = [np.roll(portrait(0, 64)[:45, :51], n, axis=1) for n in range(8)]
    Path("odd").mkdir()
    for n, rgb in enumerate(frames):
        cv2.imwrite(f"odd/{n}.png", rgb[..., ::-1])
    make_run("pix2pix")
    document = evaluate("--input", "odd", "--output", "elsewhere/deep", folder=Path("elsewhere/deep"))
    assert "no way back" in by_name(document)["cycle_l1"]["why"]
    assert document["size"] == [51, 45]
    shown = probe("elsewhere/deep/source.mp4")
    assert (shown.width, shown.height, shown.pixel_format) == (52, 46, "yuv420p")
    assert not FOLDER.exists()


@pytest.mark.parametrize(("frames", "side"), [(1, 32), (3, 32), (3, 2)])
def test_clips_too_short_or_too_small_for_a_measure_are_judged_by_the_others(
    place: Path, frames: int, side: int
) -> None:
    Path("brief").mkdir()
    for n in range(frames):
        cv2.imwrite(f"brief/{n}.png", portrait(n / 25, 64)[:side, :side, ::-1])
    make_run("pix2pix")
    document = evaluate("--input", "brief", "--truth", "brief", "--result", "brief")
    found = by_name(document)
    assert document["frames"] == frames and found["psnr"]["value"] == "inf"
    assert found["ssim"]["value"] == (1 if side > 11 else None)
    assert found["tof_truth"]["value"] == (0 if frames > 1 else None)
    assert found["flicker"]["value"] is found["delay"]["value"] is None
    assert all(measure["value"] is not None or measure["why"] for measure in found.values())


def test_nothing_is_compared_across_a_cut(place: Path) -> None:
    light, dark = (np.full((48, 64, 3), value, np.uint8) for value in (220, 20))
    light[::7], dark[:, ::5] = (200, 30, 30), (20, 90, 200)
    write_frames(Path("cut.mp4"), [dark] * 12 + [light] * 12)
    make_run("pix2pix")
    document = evaluate("--input", "cut.mp4", "--result", "cut.mp4")
    for name, missing in (("tof", [0, 12]), ("warp_error", [0, 12]), ("flicker", [0, 1, 10, 11, 12, 13, 22, 23])):
        series = document["per_frame"][name]
        assert [t for t, value in enumerate(series) if value is None] == missing, name
    assert by_name(document)["flicker"]["value"] < 1


def test_frames_are_let_go_while_a_clip_is_judged(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("in.mp4", "A", 60, size=32).with_suffix(".json").unlink()
    draw("b.mp4", "B", 12, size=32)
    extract("b")
    make_run()
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    most, read = 0, Video.frames

    def watched(self, start=None):
        nonlocal most
        for frame in read(self, start):
            alive.add(frame)
            gc.collect(0)
            most = max(most, len(alive))
            yield frame

    monkeypatch.setattr(Frame, "__hash__", lambda self: id(self))
    monkeypatch.setattr(Video, "frames", watched)
    evaluate("--input", "in.mp4", "--truth", "in.mp4")
    assert 0 < most < 15
