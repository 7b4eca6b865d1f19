"""What leaves: parts of clips, single frames, other codecs, pictures, many clips at once."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.domain.domain import Domain
from data.domain.pictures import read_picture
from data.video.reader import probe, read_frames
from pipelines.cli import run
from tests.data.video.drawn import encoded, planar
from tests.media import frame_times, sound_packets
from tests.pipelines.runs import draw, one_error, train_drawn


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, and a clip of two seconds."""
    folder = tmp_path_factory.mktemp("leaving")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RETARGET_MODELS", str(folder / "no-models"))
        train_drawn(folder, steps=3)
        draw(folder / "clip.mp4", frames=50, seed=5)
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def test_a_part_is_those_frames_and_their_sound(here: Path) -> None:
    assert run(["render", "--input", "clip.mp4", "--output", "whole.mp4"]) == 0
    assert run(["render", "--input", "clip.mp4", "--from", "0.4", "--to", "0:01.2", "--output", "part.mp4"]) == 0
    assert frame_times(here / "part.mp4") == [Fraction(n, 25) for n in range(20)]
    whole, part = ([frame.rgb for frame in read_frames(here / name)] for name in ("whole.mp4", "part.mp4"))
    assert np.abs(np.stack(whole[10:30]).astype(int) - np.stack(part)).mean() < 2
    told = [time for time, _ in sound_packets(here / "part.mp4")[0]]
    assert told[-1] < Fraction(8, 10) and told[-1] > Fraction(7, 10)


def test_a_part_is_extracted_and_its_held_out_end_is_rendered(here: Path) -> None:
    words = ["extract", "clip.mp4", "--name", "p", "--align", "none", "--size", "32", "--domains", "parts"]
    assert run([*words, "--from", "0.4", "--to", "1.6"]) == 0
    records = list(Domain.load(here / "parts/p").records())
    assert [record.seconds for record in records] == [Fraction(n, 25) for n in range(10, 40)]
    assert [record.number for record in records] == list(range(30))
    assert run([*words, "--from", "1.6"]) == 0
    assert [clip.frames for clip in Domain.load(here / "parts/p").clips] == [30, 10]
    assert run([*words, "--from", "0.4", "--to", "1.6"]) == 0
    assert len(Domain.load(here / "parts/p").clips) == 2


def test_a_preview_is_that_frame_of_the_whole_render(here: Path) -> None:
    assert run(["render", "--input", "clip.mp4", "--codec", "png", "--output", "all"]) == 0
    assert run(["render", "--input", "clip.mp4", "--preview", "1.01"]) == 0
    shown = read_picture(here / "renders/clip-as-b-at-1.01.png")
    assert np.array_equal(shown, read_picture(here / "all/000026.png"))
    assert "Synthetic" in Image.open(here / "renders/clip-as-b-at-1.01.png").text["comment"]


def test_pictures_leave_with_the_times_of_their_source(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["render", "--input", "clip.mp4", "--from", "1", "--codec", "png", "--output", "pictures"]
    assert run(words) == 0
    rows = list(csv.DictReader((here / "pictures/times.csv").open(newline="")))
    assert [int(row["pts"]) * Fraction(row["time_base"]) for row in rows] == frame_times(here / "clip.mp4")[25:]
    assert [row["picture"] for row in rows] == [f"{n + 1:06d}.png" for n in range(25)]
    assert "digital_source_type" in json.loads((here / "pictures/about.json").read_text())
    assert {path.suffix for path in (here / "pictures").iterdir()} == {".png", ".csv", ".json"}
    capsys.readouterr()
    assert run(words) == 0 and "already rendered" in capsys.readouterr().out
    (here / "mine").mkdir()
    (here / "mine" / "letter.txt").write_text("keep me")
    assert run([*words[:-1], "mine"]) == 2
    assert [path.name for path in (here / "mine").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(("codec", "suffix"), [("hevc", ".mp4"), ("prores", ".mov"), ("ffv1", ".mkv")])
def test_codecs(here: Path, codec: str, suffix: str) -> None:
    draw(here / "large.mp4", frames=6, size=64)
    assert run(["render", "--input", "large.mp4", "--codec", codec, "--compare"]) == 0
    result = here / f"renders/large-as-b{suffix}"
    assert probe(result).codec == codec and len(list(read_frames(result))) == 6
    assert probe(here / f"renders/large-as-b-compare{suffix}").width == 128


def test_hdr_is_kept_where_that_is_asked_and_there_is_any(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ramp = np.tile(np.linspace(64, 900, 64).astype("<u2"), (64, 1))
    frame = planar([ramp, *[np.full((32, 32), 512, "<u2")] * 2], "yuv420p10le")
    encoded(here / "hdr.mp4", [frame] * 3, color_trc=16, colorspace=9, color_primaries=9)
    assert run(["render", "--input", "hdr.mp4", "--output", "sdr.mp4"]) == 0
    assert run(["render", "--input", "hdr.mp4", "--output", "kept.mp4", "--hdr", "keep"]) == 0
    told = probe(here / "kept.mp4")
    assert (told.codec, told.pixel_format, told.colour["transfer"]) == ("hevc", "yuv420p10le", "smpte2084")
    both = [next(read_frames(here / name)).rgb.astype(int) for name in ("sdr.mp4", "kept.mp4")]
    assert np.abs(both[0] - both[1]).mean() < 8  # what networks that learned nothing make is hard to encode
    assert "not HDR" not in capsys.readouterr().out
    assert run(["render", "--input", "a.mp4", "--output", "same.mp4", "--hdr", "keep"]) == 0
    assert "not HDR" in capsys.readouterr().out and probe(here / "same.mp4").codec == "h264"


def test_many_clips_are_done_whole_and_what_fails_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "footage" / "deep"
    folder.mkdir(parents=True)
    for name in ("take2.mp4", "take10.mkv"):
        draw(folder / name, frames=6)
    draw(here / "footage" / "take2.mov", frames=8)
    (folder / "broken.mp4").write_text("no video")
    (folder / "notes.txt").write_text("no video by its name")
    said = one_error(capsys, "render", "--input", "a.mp4", "--input", "footage", "gone.mp4", "--output", "out")
    assert "2 of 6 not done" in said and "broken.mp4" in said and "gone.mp4" in said
    done = {path.name: len(frame_times(path)) for path in (here / "out").glob("*.mp4")}
    assert done == {"a-as-b.mp4": 24, "take2-as-b.mp4": 6, "take10-as-b.mp4": 6, "take2-2-as-b.mp4": 8}
    assert not list((here / "out").glob(".*"))
    assert run(["render", "--input", "footage", "a.mp4", "--output", "one.mp4"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "2", "--to", "1"], "--to 1"),
        (["--from", "soon"], "--from soon"),
        (["--from", "9"], "no frame from 9.00 s on"),
        (["--preview", "9"], "nothing at 9.00 s"),
        (["--preview", "1", "--from", "1"], "--preview"),
        (["--quality", "101"], "--quality 101"),
        (["--codec", "prores", "--output", "x.mp4"], "does not hold prores"),
        (["--codec", "png", "--hdr", "keep"], "--hdr keep"),
        (["--codec", "hevc"], "cannot hold 48x48"),
        (["--codec", "prores", "--hardware"], "--hardware"),
    ],
)
def test_what_cannot_be_is_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert said in one_error(capsys, "render", "--input", "clip.mp4", *words)
    assert not list(here.rglob(".*.parts")) and not list(here.rglob("*partial*"))
