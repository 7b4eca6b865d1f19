"""Published data folders: which are known, what they say of themselves, and what is written reads back the same."""

from pathlib import Path

import numpy as np
import pytest

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import read_picture, write_picture, write_sheet
from data.domain.published import is_published, is_single, read_published, write_published
from data.domain.record import Record
from data.errors import MissingInputError, PictureError, SettingsError, TooFewFramesError


def flat(path: Path, grey: int, width: int = 40, height: int = 32) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sheet(path, np.full((height, width, 3), grey, np.uint8))


def put(folder: Path, *parts: str) -> Path:
    """A set whose named folders hold a picture each."""
    for number, part in enumerate(parts):
        flat(folder / part / "1.png", 10 * number)
    return folder


def described(folder: Path, strips: str = "auto", frames: str = "auto") -> dict[str, list[tuple]]:
    """(what is taken, part of the domain, frames of each shot) of each source of a set."""
    return {
        letter: [(source.label, split, source.shot_frames) for source, split in sources]
        for letter, sources in read_published(folder, strips, frames).items()
    }


def test_folders_of_two_domains(tmp_path: Path) -> None:
    put(tmp_path, "trainA", "trainB", "testA", "valA")
    assert is_published(tmp_path)
    assert described(tmp_path) == {
        "A": [
            ("trainA", "train", 1),
            ("valA", "test", 1),
            ("testA", "test", 1),
        ],
        "B": [("trainB", None, 1)],
    }, "where nothing is held out, something will be"
    assert described(tmp_path, frames="sequence")["B"] == [("trainB", None, None)]


def test_folders_of_pairs(tmp_path: Path) -> None:
    put(tmp_path, "train", "val", "test")
    assert is_published(tmp_path)
    for half, letter in zip(("left half", "right half"), "AB", strict=True):
        assert described(tmp_path)[letter] == [
            (f"train, {half}", "train", 1),
            (f"val, {half}", "test", 1),
            (f"test, {half}", "test", 1),
        ]
        assert [shot for *_, shot in described(tmp_path, frames="sequence")[letter]] == [None] * 3
    with pytest.raises(SettingsError, match="for pairs side by side"):
        read_published(tmp_path, "yes", "auto")


def test_strips_give_three_frames_and_each_folder_is_looked_at_alone(tmp_path: Path) -> None:
    put(tmp_path, "trainB", "testA")
    flat(tmp_path / "trainA" / "1.png", 9, width=96)
    sources = read_published(tmp_path, "auto", "auto")["A"]
    assert [(source.path.name, source.shot_frames) for source, _ in sources] == [("trainA", 3), ("testA", 1)]
    assert [source.shot_frames for source, _ in read_published(tmp_path, "no", "auto")["A"]] == [1, 1]


def test_held_out_pictures_are_strips_where_they_are_shaped_like_the_strips_trained_on(tmp_path: Path) -> None:
    for part, width in (("trainA", 3 * 56), ("valA", 3 * 50), ("testA", 56), ("trainB", 3 * 56)):
        flat(tmp_path / part / "1.png", 9, width=width)
    sources = read_published(tmp_path, "yes", "auto")["A"]
    assert [(source.path.name, source.shot_frames) for source, _ in sources] == [
        ("trainA", 3),
        ("valA", 3),
        ("testA", 1),
    ]


def test_what_is_no_set(tmp_path: Path) -> None:
    assert not is_published(tmp_path / "none")
    assert not is_published(put(tmp_path / "classes", "horses", "zebras"))
    flat(put(tmp_path / "mixed", "train") / "own.png", 1)
    assert not is_published(tmp_path / "mixed"), "a folder of pictures is one, whatever lies beside them"
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "trainA").write_text("")
    assert not is_published(tmp_path / "file")


def test_a_set_that_lacks_a_side_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="there is no trainB;") as error:
        read_published(put(tmp_path / "a", "trainA"), "auto", "auto")
    assert "\n" not in str(error.value)
    with pytest.raises(MissingInputError, match="no trainA and no trainB"):
        read_published(put(tmp_path / "b", "testA", "testB"), "auto", "auto")
    (put(tmp_path / "c", "trainA") / "trainB").mkdir()
    with pytest.raises(MissingInputError, match="trainB: no pictures"):
        read_published(tmp_path / "c", "auto", "auto")


def test_folders_named_as_published_ones_hold_single_pictures() -> None:
    assert is_single(Path("horses/trainA"), "auto") and is_single(Path("horses"), "single")
    assert not is_single(Path("horses/trainA"), "sequence") and not is_single(Path("train"), "auto")


def make_domain(folder: Path, numbers: list[int], **split: list[int]) -> Domain:
    """Pictures of noise, which only a lossless file keeps; frames 8 and up are another shot."""
    domain = Domain(folder, "none", 32, [Clip("take", "", "", "video", {}, 9, 9, 1, "25", [40, 32], 0, {})])
    (folder / "frames" / "take").mkdir(parents=True)
    records = []
    for n in numbers:
        part = next((part for part, held in split.items() if n in held), "train")
        records.append(Record("take", n, n, "1/25", int(n >= 8), part))
        noise = np.random.default_rng(n).integers(0, 255, (32, 40, 3)).astype(np.uint8)
        write_picture(folder / records[-1].picture, noise)
    domain.save(records)
    return domain


def pixels(domain: Domain, number: int) -> np.ndarray:
    return read_picture(domain.folder / f"frames/take/{number + 1:06d}.jpg")


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    a = make_domain(tmp_path / "a", list(range(10)), gap=[3], test=[4, 5, 6])
    b = make_domain(tmp_path / "b", [0, 1, 2, 3, 5, 8, 9])
    (b.folder / "frames/take/000010.jpg").unlink()
    counts = write_published(a, b, tmp_path / "set")
    assert counts == {"trainA": 1, "testA": 3, "trainB": 2}
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == sorted(counts)
    sources = read_published(tmp_path / "set", "yes", "auto")
    for domain, letter, shown in ((a, "A", [0, 1, 2]), (b, "B", [0, 1, 2, 1, 2, 3])):
        frames = list(sources[letter][0][0].frames())
        assert len(frames) == len(shown)
        for frame, number in zip(frames, shown, strict=True):
            assert np.array_equal(frame.rgb, pixels(domain, number))
    held_out = sorted((tmp_path / "set" / "testA").iterdir())
    for path, number in zip(held_out, [4, 5, 6], strict=True):
        assert np.array_equal(read_picture(path), pixels(a, number)), "single frames"


def test_writing_leaves_nothing_where_it_fails(tmp_path: Path) -> None:
    a, b = make_domain(tmp_path / "a", [0, 1, 2]), make_domain(tmp_path / "b", [0, 1, 2])
    (b.folder / "frames/take/000002.jpg").write_bytes(b"no picture")
    with pytest.raises(PictureError):
        write_published(a, b, tmp_path / "set")
    (b.folder / "frames/take/000002.jpg").unlink()
    with pytest.raises(TooFewFramesError, match="a window needs 3"):
        write_published(a, b, tmp_path / "set")
    write_picture(b.folder / "frames/take/000002.jpg", np.zeros((48, 40, 3), np.uint8))
    with pytest.raises(PictureError, match="differ in size"):
        write_published(a, b, tmp_path / "set")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_writing_never_touches_what_is_there(tmp_path: Path) -> None:
    a = make_domain(tmp_path / "a", [0, 1, 2])
    flat(tmp_path / "set" / "own.png", 9)
    with pytest.raises(SettingsError, match="is there already"):
        write_published(a, a, tmp_path / "set")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["own.png"]
    (tmp_path / "empty").mkdir()
    assert write_published(a, a, tmp_path / "empty") == {"trainA": 1, "trainB": 1}
