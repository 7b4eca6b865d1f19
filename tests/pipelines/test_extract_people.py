"""Who is in a clip and whose domain it is: strangers are refused, people have numbers, hidden faces are left out."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import data.faces.recognise as recognise
from data.domain.domain import Domain
from pipelines.cli import run
from tests.media import portrait, write_frames
from tests.pipelines.runs import one_error

SHARED = Path(__file__).parents[3] / "shared"
needs_clips = pytest.mark.skipif(not (SHARED / "clips").exists(), reason="no shared clips beside the checkout")
HAAR = ("--align", "haar", "--size", "32")


def shown(path: Path, change=lambda rgb, number: rgb, frames: int = 8) -> str:
    write_frames(path, [change(portrait(n / 25, 160), n) for n in range(frames)])
    return str(path)


@pytest.fixture
def no_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """No face recognition at hand."""
    monkeypatch.setattr(recognise, "_dlib_files", lambda: None)


def stranger(rgb: np.ndarray, number: int) -> np.ndarray:
    """A face with a beard, dark and blue, that no look of the portrait is like."""
    other = np.ascontiguousarray(rgb[:, ::-1, ::-1]).astype(float) * [0.5, 0.7, 0.9]
    other[70:, 30:120] = other[70:, 30:120] * 0.5 + 20
    return other.astype(np.uint8)


@needs_clips
def test_a_strangers_clip_is_refused_and_ones_own_is_not(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces = SHARED / "clips/faces"
    assert run(["extract", str(faces / "grid_s2_pwij3p.mpg"), "--name", "d", *HAAR, "--to", "0.6"]) == 0
    before = (place / "domains/d/clips/grid_s2_pwij3p.jsonl").read_bytes()
    said = one_error(capsys, "extract", faces / "grid_lbax4n.mpg", "--name", "d", *HAAR, "--to", "0.6")
    assert "grid_lbax4n.mpg: nobody in the clip is the person" in said and "likeness of 0." in said and "dlib" in said
    assert (place / "domains/d/clips/grid_s2_pwij3p.jsonl").read_bytes() == before
    assert run(["extract", str(faces / "grid_s2_id2_vcd_swwp2s.mpg"), "--name", "d", *HAAR, "--to", "0.6"]) == 0
    records = list(Domain.load(place / "domains/d").records())
    assert len(records) == 30 and all(record.likeness and record.likeness > 0.5 for record in records)
    assert "likeness" in capsys.readouterr().out.splitlines()[-1]


@needs_clips
def test_every_number_reaches_its_person(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(SHARED / "clips/scenes/two_faces_side_by_side.mp4")
    words = (*HAAR, "--to", "0.6")
    assert run(["extract", clip, "--people", "--name", "both", *words]) == 0
    said = capsys.readouterr().out
    assert "1: 0.6 s in view (15 frames), likeness 1.00" in said and "2: 0.6 s" in said and "--face 1 to 2" in said
    assert [path.name for path in (place / "domains/both").iterdir()] == ["people.jpg"]
    assert cv2.imread("domains/both/people.jpg").shape[0] > 2 * 128
    assert run(["extract", clip, "--face", "all", "--name", "both", *words]) == 0
    sides = []
    for number in (1, 2):
        across = [
            np.mean(record.landmarks, axis=0)[0] for record in Domain.load(place / f"domains/both-{number}").records()
        ]
        sides.append({x > 360 for x in across})
    assert sorted(map(sorted, sides)) == [[False], [True]]
    assert "so there is no face 3" in one_error(capsys, "extract", clip, "--face", 3, *words)


@needs_clips
def test_numbers_reach_their_people_in_a_crowd(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real scene: a woman in front, another behind her."""
    words = ("--align", "yunet", "--models", str(SHARED / "models"), "--size", "32", "--from", "2.4", "--to", "2.8")
    clip, centres = str(SHARED / "clips/scenes/friday.mp4"), []
    for number in ("1", "2"):
        assert run(["extract", clip, "--face", number, "--name", f"p{number}", *words]) == 0
        records = list(Domain.load(place / f"domains/p{number}").records())
        centres.append(np.mean([np.mean(record.landmarks, axis=0) for record in records if record.landmarks], axis=0))
    assert centres[0][0] < 320 < centres[1][0] and centres[1][1] < 180 < centres[0][1]
    assert "so there is no face 3" in one_error(capsys, "extract", clip, "--face", 3, *words)


def test_by_looks_alone_it_is_said_or_refused(place: Path, capsys: pytest.CaptureFixture[str], no_net: None) -> None:
    assert run(["extract", shown(place / "a.mp4"), "--name", "d", *HAAR]) == 0
    assert "no face recognition here" in capsys.readouterr().out
    assert run(["extract", shown(place / "b.mp4", frames=9), "--name", "d", *HAAR]) == 0
    assert "b.mp4: taken for the same person by looks alone" in capsys.readouterr().out
    said = one_error(capsys, "extract", shown(place / "c.mp4", stranger), "--name", "d", *HAAR)
    assert "c.mp4: nobody in the clip is the person" in said and ".[identity]" in said
    cv2.imwrite("her.png", portrait(0.2, 300)[..., ::-1])
    cv2.imwrite("him.png", stranger(portrait(0.2, 160), 0)[..., ::-1])
    assert run(["extract", "a.mp4", "--name", "e", "--face", "her.png", *HAAR]) == 0
    assert "a.mp4: taken for the same person by looks alone" in capsys.readouterr().out
    assert "nobody in the clip" in one_error(capsys, "extract", "a.mp4", "--name", "f", "--face", "him.png", *HAAR)


def hand(rgb: np.ndarray, number: int) -> np.ndarray:
    """Before the mouth in frames 20 to 25."""
    if 20 <= number < 26:
        cv2.ellipse(rgb, (74 + number % 3, 82), (20, 11), 15, 0, 360, (205, 150, 125), -1)
    return rgb


def test_hidden_faces_are_left_out_unless_they_are_wanted(place: Path) -> None:
    clip = shown(place / "a.mp4", hand, frames=40)
    assert run(["extract", clip, "--name", "d", *HAAR]) == 0
    records = list(Domain.load(place / "domains/d").records())
    out = [record.number for record in records if record.reason == "hidden"]
    assert set(out) >= set(range(20, 26)) and len(out) <= 8
    assert run(["extract", clip, "--name", "e", "--hidden", "keep", *HAAR]) == 0
    assert not [record for record in Domain.load(place / "domains/e").records() if record.reason]
