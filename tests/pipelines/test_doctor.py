"""`retarget doctor`: names just what a domain lacks, lists what to drop, and brings back what was dropped."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import write_picture
from data.domain.record import Record
from data.domain.windows import Windows
from data.faces.align import crop_matrix
from pipelines.cli import run
from tests.pages import opened

HEAD = np.array([(-0.135, 0, 0), (0.135, 0, 0), (0, 0.165, 0.16), (-0.123, 0.29, 0), (0.123, 0.29, 0)])
"""Eyes, nose and corners of the mouth of a head seen from the front; the third coordinate comes towards us."""
SIDE = 64


def landmarks(yaw: float, pitch: float = 0.0) -> np.ndarray:
    """Where a head's points are seen, turned by degrees: yaw to our right, pitch down."""
    turned = HEAD @ Rotation.from_euler("yx", [yaw, -pitch], degrees=True).as_matrix().T
    return turned[:, :2] * 200 + (320, 200)


def picture(number: int) -> np.ndarray:
    """Sharp, evenly lit, another one for every number."""
    generator = np.random.default_rng(number)
    small = generator.integers(60, 200, (16, 16, 3)).astype(np.uint8)
    return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def write(folder: Path, yaws: list[float], pictures: list[np.ndarray] | None = None) -> Domain:
    """A domain of 5-point faces with these turns."""
    clip = Clip("clip", "clip.mp4", "", "video", {"window": 1}, len(yaws), len(yaws), 1, "25", [640, 480], 0, {})
    domain = Domain(folder, aligner="yunet", size=SIDE, clips=[clip])
    records = []
    for number, yaw in enumerate(yaws):
        points = landmarks(yaw)
        transform = crop_matrix(points, SIDE).tolist()
        records.append(Record("clip", number, number, "1/25", 0, "train", 0, points.tolist(), transform, None))
        path = folder / records[-1].picture
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, picture(number) if pictures is None else pictures[number])
    domain.save(records)
    return domain


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_half_of_the_poses_left_out_is_named_and_nothing_else(
    place: Path, capsys: pytest.CaptureFixture[str], chromium: Any
) -> None:
    yaws = np.linspace(-30, 30, 41).tolist()
    write(Path("domains/anna"), yaws)
    write(Path("domains/ben"), [yaw for yaw in yaws if yaw <= 0])
    assert run(["doctor", "anna", "ben"]) == 0
    said = capsys.readouterr().out
    lacking = re.findall(r"(\d+) % of (\w+) are (.+), with no like in (\w+): film (\w+) so", said)
    assert [(name, kind, other, film) for _, name, kind, other, film in lacking] == [
        ("anna", "turned to our right", "ben", "ben")
    ]
    # Of 20 frames on that side those within 9 degrees of what ben has are alike enough.
    assert 100 * 12 / 41 <= int(lacking[0][0]) <= 100 * 20 / 41
    assert "every pose and expression of ben that was measured has its like in anna" in said
    with opened(chromium, place / "doctor.html") as tab:
        text = tab.inner_text("body")
        assert "anna, with no like in ben" in text
        assert "turned to our right" in text
        assert "turned to our left" not in text
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_domains_with_the_same_poses_lack_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("anna", "ben"):
        write(Path(f"domains/{name}"), np.linspace(-20, 20, 12).tolist())
    assert run(["doctor", "anna", "ben"]) == 0
    said = capsys.readouterr().out
    assert "no like" not in said
    assert "to drop" not in said


def test_what_is_dropped_is_used_no_more_and_comes_back(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = [picture(number) for number in range(20)]
    pictures[3] = cv2.GaussianBlur(pictures[3], (0, 0), 4)
    pictures[7] = np.full((SIDE, SIDE, 3), 255, np.uint8)
    pictures[10:19] = [pictures[10]] * 9
    anna = write(Path("domains/anna"), [0.0] * 20, pictures)
    write(Path("domains/ben"), [0.0] * 6)
    before = {path.name: path.read_bytes() for path in Path("domains/anna/frames/clip").iterdir()}
    assert run(["doctor", "anna", "ben", "--drop"]) == 0
    said = capsys.readouterr().out
    assert "anna: to drop 2 blurred, 3 nearly the same as those before" in said
    assert "domains/anna: 5 frames moved to dropped/" in said
    gone = set(before) - {path.name for path in Path("domains/anna/frames/clip").iterdir()}
    assert gone == {f"{number + 1:06d}.jpg" for number in (3, 7, 16, 17, 18)}
    assert len(Windows(anna, split="train", window=1, size=SIDE, crop_jitter=False)) == 15
    assert run(["doctor", "anna", "ben", "--undo"]) == 0
    assert {path.name: path.read_bytes() for path in Path("domains/anna/frames/clip").iterdir()} == before
    assert "domains/anna: 5 frames are back" in capsys.readouterr().out


def test_what_was_made_anew_meanwhile_is_not_overwritten(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = [picture(number) for number in range(6)]
    pictures[2] = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for name in ("anna", "ben"):
        write(Path(f"domains/{name}"), [0.0] * 6, pictures)
    assert run(["doctor", "anna", "ben", "--drop"]) == 0
    write_picture(Path("domains/anna/frames/clip/000003.jpg"), picture(50))
    anew = Path("domains/anna/frames/clip/000003.jpg").read_bytes()
    assert run(["doctor", "anna", "ben", "--undo"]) == 0
    assert "domains/anna: 0 frames are back, 1 have others in their places" in capsys.readouterr().out
    assert Path("domains/anna/frames/clip/000003.jpg").read_bytes() == anew


def test_what_does_not_fit_together_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("domains/anna"), [0.0] * 6)
    ben = write(Path("domains/ben"), [0.0] * 6)
    ben.aligner, ben.size = "haar", 96
    (ben.folder / "domain.json").unlink()
    ben.begin()
    assert run(["doctor", "anna", "ben"]) == 0
    said = capsys.readouterr().out
    assert "anna was cut by yunet and ben by haar" in said
    assert "anna has pictures of 64 px and ben of 96 px" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["anna", "anna"], "named twice"),
        (["anna", "ben", "--drop", "--undo"], "each other's opposite"),
        (["anna", "carl"], "no such domain"),
    ],
)
def test_bad_input_is_one_line(place: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    for name in ("anna", "ben"):
        write(Path(f"domains/{name}"), [0.0] * 3)
    assert run(["doctor", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not Path("doctor.html").exists()
