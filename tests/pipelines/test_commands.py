"""The whole way, as a user goes it: commands, exit codes, what stands on disk, and what is said when it goes wrong."""

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.domain.domain import Domain
from data.domain.pictures import read_picture
from data.video.reader import probe, read_frames, read_metadata
from pipelines.cli import run
from tests.media import frame_times, sound_packets, write_av, write_frames, write_portrait
from tests.pipelines.runs import TINY, draw, one_error, train_drawn


def test_the_whole_way_on_whole_frames(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_drawn(place)
    domain = Domain.load(place / "domains" / "a")
    records = list(domain.records())
    assert len(records) == 24
    assert [r.split for r in records] == ["train"] * 16 + ["gap"] * 5 + ["test"] * 3
    assert read_picture(domain.folder / records[0].picture).shape == (32, 32, 3)
    assert read_picture(domain.folder / "contact-sheet.jpg").size
    run_folder = place / "runs" / "a-b"
    assert sorted(p.name for p in (run_folder / "samples").iterdir()) == ["step-000003.jpg", "step-000006.jpg"]
    assert (run_folder / "metrics.csv").read_text().splitlines()[-1].startswith("6,")
    assert list((run_folder / "log").iterdir())

    assert run(["render", "--checkpoint", "newest"]) == 0
    run_folder.rename(place / "runs" / "again")
    assert run(["render"]) == 0
    (place / "runs" / "again").rename(run_folder)
    assert sorted(p.name for p in (place / "renders").iterdir()) == ["a-as-b-again.mp4", "a-as-b-newest.mp4"]
    assert run(["render", "--compare"]) == 0
    result = place / "renders" / "a-as-b.mp4"
    source_times = frame_times(place / "a.mp4")
    start = next(r.seconds for r in records if r.split == "test")
    assert frame_times(result) == [t - start for t in source_times if t >= start]
    assert "held-out end" in capsys.readouterr().out

    assert run(["render", "--input", "a.mp4", "--output", "whole.mp4"]) == 0
    assert frame_times(place / "whole.mp4") == source_times
    assert sound_packets(place / "whole.mp4") == sound_packets(place / "a.mp4")
    assert (probe("whole.mp4").width, probe("whole.mp4").height) == (48, 48)
    tags = read_metadata(place / "whole.mp4")
    assert "Synthetic" in tags["comment"] and "TrainedAlgorithmicMedia" in tags["digital_source_type"]
    assert run(["render", "--input", "b.mp4", "--reverse", "--output", "back.mkv"]) == 0
    assert len(frame_times(place / "back.mkv")) == 24
    write_av(place / "early.ts", video_seconds=2, sound_seconds=2, events=[], start=Fraction(2**33, 90_000) - 1)
    assert run(["render", "--input", "early.ts", "--output", "early.mp4"]) == 0
    assert len(frame_times(place / "early.mp4")) == 50, "frames before the clock wraps to zero are frames"
    assert not [p for p in place.rglob("*") if "partial" in p.name or p.name.endswith(".parts")]


def test_the_whole_way_on_faces(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A face is translated and pasted back: outside the mask, and in frames without it, the picture stays."""
    write_portrait(place / "p.mp4", frames=40, without=range(12, 24))
    write_portrait(place / "q.mp4", frames=20)
    assert run(["extract", "p.mp4", "--align", "haar", "--size", "64"]) == 0
    assert run(["extract", "q.mp4", "--align", "haar", "--size", "64"]) == 0
    domain = Domain.load(place / "domains" / "p")
    records = list(domain.records())
    assert [r.number for r in records if r.split == "excluded"] == list(range(12, 24))
    assert {r.reason for r in records if r.split == "excluded"} == {"no face"}
    assert domain.clips[0].excluded == {"no face": 12}
    assert run(["train", "p", "q", *TINY, "--steps", "3"]) == 0
    assert run(["render", "--input", "p.mp4", "--output", "r.mp4"]) == 0
    assert frame_times(place / "r.mp4") == frame_times(place / "p.mp4")
    before = np.stack([f.rgb for f in read_frames("p.mp4")]).astype(int)
    after = np.stack([f.rgb for f in read_frames("r.mp4")]).astype(int)
    changed = (np.abs(before - after).mean(axis=3) > 20).mean(axis=(1, 2))
    assert changed[12:24].max() < 0.002, f"frames without the face pass through: {changed}"
    assert changed[:12].min() > 0.02, f"the face is translated: {changed}"
    corner = np.abs(before - after)[:, :40, :40]
    assert corner.mean() < 2.5, "far from the face nothing changes"

    write_frames(place / "wall.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 9)
    assert run(["evaluate", "--input", "p.mp4"]) == 0
    before = sorted((path, path.stat().st_mtime_ns) for path in place.rglob("*.mp4"))
    for command in ("render", "evaluate"):
        capsys.readouterr()
        assert "no face found in any of 9 frames" in one_error(capsys, command, "--input", "wall.mp4")
    assert sorted((path, path.stat().st_mtime_ns) for path in place.rglob("*.mp4")) == before


def test_a_folder_of_strips_becomes_windows(place: Path) -> None:
    (place / "trainA").mkdir()
    for n in range(4):
        cv2.imwrite(f"trainA/{n}.png", np.random.default_rng(n).integers(0, 255, (32, 96, 3)).astype(np.uint8))
    assert run(["extract", "trainA", "--align", "none", "--size", "32"]) == 0
    records = list(Domain.load(place / "domains/trainA").records())
    assert [(r.number, r.shot) for r in records] == [(n, n // 3) for n in range(12)]


def test_wrong_input_is_one_line_and_leaves_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(place / "a.mp4", frames=9)
    draw(place / "two.mp4", frames=2)
    (place / "empty.mp4").touch()
    (place / "text.mp4").write_text("hello")
    before = sorted(p.name for p in place.iterdir())
    assert "no such" in one_error(capsys, "extract", "none.mp4")
    assert "empty.mp4" in one_error(capsys, "extract", "empty.mp4")
    assert "text.mp4" in one_error(capsys, "extract", "text.mp4")
    assert "--name" in one_error(capsys, "extract", "a.mp4", "--name", "../x")
    assert "--size 30" in one_error(capsys, "extract", "a.mp4", "--size", 30)
    assert "give a video" in one_error(capsys, "extract")
    said = one_error(capsys, "extract", "two.mp4", "--align", "none")
    assert "2 usable frames" in said and "needs 3" in said
    write_frames(place / "wall.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 9)
    said = one_error(capsys, "extract", "wall.mp4", "--align", "haar")
    assert "9 frames" in said and "--align none" in said
    assert "yunet" in one_error(capsys, "extract", "a.mp4", "--align", "yunet")
    assert "no trained run" in one_error(capsys, "render")
    said = one_error(capsys, "train", "x", "y")
    assert "no such domain" in said and "retarget extract VIDEO --name x" in said
    assert not [p for p in (place / "domains").rglob("*") if p.is_file() and p.parent.name != ".looks"]
    assert {p.name for p in place.iterdir()} - set(before) <= {"domains", "no-models", "wall.mp4"}


def test_a_folder_that_is_no_domain_is_never_touched(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of the user's own pictures, named so that the domain would be made in it."""
    (place / "photos").mkdir()
    cv2.imwrite("photos/1.png", np.full((40, 40, 3), 90, np.uint8))
    before = (place / "photos/1.png").read_bytes()
    assert "no domain" in one_error(capsys, "extract", "photos", "--align", "none", "--domains", ".")
    assert [path.name for path in (place / "photos").iterdir()] == ["1.png"]
    assert (place / "photos/1.png").read_bytes() == before


def test_settings_that_do_not_fit_are_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train_drawn(place, steps=3)
    assert "--recycle 3" in one_error(capsys, "train", "a", "b", "--method", "cyclegan", "--recycle", 3)
    assert "--size 30" in one_error(capsys, "train", "a", "b", "--size", 30)
    assert "named twice" in one_error(capsys, "train", "a", "a")
    assert "--size 64" in one_error(capsys, "train", "a", "b", "--preset", "tiny", "--run", "r")
    assert "--steps and --minutes" in one_error(capsys, "train", "a", "b", "--steps", 3, "--minutes", 3)
    said = one_error(capsys, "train", "a", "b", *TINY, "--steps", 6, "--seed", 5)
    assert "--seed 0 (now 5)" in said
    assert "--size 32 (now 64)" in one_error(capsys, "extract", "a.mp4", "--align", "none", "--size", 64)
    assert ".mp4" in one_error(capsys, "render", "--input", "a.mp4", "--output", "x.txt")
    (place / "file").write_text("")
    one_error(capsys, "render", "--input", "a.mp4", "--output", "file/x.mp4", code=1)


def test_bad_usage_exits_2(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dance"]) == 2
    for words in (["train"], ["train", "a"]):
        assert run(words) == 2
    for words in (["extract", "a.mp4", "--size", "big"], ["render", "--no-such-option"]):
        with pytest.raises(SystemExit) as stop:
            run(words)
        assert stop.value.code == 2


def test_help_names_every_option_and_imports_nothing_heavy(place: Path) -> None:
    code = "import sys, pipelines.cli as c\ntry: c.run([sys.argv[1], '--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'cv2', 'av'} & set(sys.modules), 'heavy'"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    for command, flag in (
        ("extract", "--align"),
        ("train", "--recycle"),
        ("render", "--compare"),
        ("evaluate", "--truth"),
        ("report", "--output"),
        ("study", "--score"),
        ("compare-methods", "--seeds"),
        ("demo", "--minutes"),
    ):
        done = subprocess.run([sys.executable, "-c", code, command], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert flag in done.stdout


def test_config_says_what_was_trained(place: Path) -> None:
    train_drawn(place, "--cycle", "10", steps=3)
    config = json.loads((place / "runs/a-b/config.json").read_text())
    weights = config["settings"]["config"]["weights"]
    assert {term: weight for term, weight in weights.items() if weight} == {
        "adversarial": 1.0,
        "recurrent": 10.0,
        "recycle": 10.0,
        "cycle": 10.0,
    }
    header = (place / "runs/a-b/metrics.csv").read_text().splitlines()[0]
    assert "cycle_a" in header and "identity_a" not in header
