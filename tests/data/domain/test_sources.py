"""Folders as sources: natural order, strips cut before anything else, mixed sizes made one, honest digests."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data.domain.pictures import write_sheet
from data.domain.sources import open_source, pictures_in
from data.errors import MissingInputError, NotAVideoError, PictureError


def flat(path: Path, grey: int, width: int = 40, height: int = 30) -> None:
    write_sheet(path, np.full((height, width, 3), grey, np.uint8))


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        flat(tmp_path / f"frame{number}.png", number)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [p.name for p in pictures_in(tmp_path)] == ["frame1.png", "frame2.png", "frame10.png"]
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert source.kind == "pictures"
    assert [int(f.rgb.mean()) for f in frames] == [1, 2, 10]
    assert [f.seconds for f in frames] == [Fraction(n, 25) for n in range(3)]


def test_pictures_of_other_sizes_cover_the_first_ones(tmp_path: Path) -> None:
    flat(tmp_path / "1.png", 50)
    flat(tmp_path / "2.png", 90, width=20, height=90)
    frames = list(open_source(tmp_path).frames())
    assert [f.rgb.shape for f in frames] == [(30, 40, 3)] * 2
    assert (frames[1].rgb == 90).all()


def test_strips_are_cut_without_bleeding_and_every_strip_is_a_shot(tmp_path: Path) -> None:
    for number in (1, 2):
        strip = np.concatenate([np.full((32, 32, 3), 100 * number + 20 * t, np.uint8) for t in range(3)], axis=1)
        write_sheet(tmp_path / f"{number}.png", strip)
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert source.kind == "strips"
    assert [np.unique(f.rgb).tolist() for f in frames] == [[100], [120], [140], [200], [220], [240]]
    assert source.known_shots(6) == [3]
    assert open_source(tmp_path, "no").kind == "pictures"


def test_single_pictures_keep_their_size_where_nothing_has_to_fit(tmp_path: Path) -> None:
    flat(tmp_path / "1.png", 50)
    flat(tmp_path / "2.png", 90, width=20, height=90)
    source = open_source(tmp_path, single=True, fit=False)
    assert [f.rgb.shape for f in source.frames()] == [(30, 40, 3), (90, 20, 3)]
    assert source.known_shots(4) == [1, 2, 3]
    sequence = open_source(tmp_path, fit=False)
    assert {f.rgb.shape for f in sequence.frames()} == {(30, 40, 3)}, "frames in a row are of one size"
    assert sequence.known_shots(2) is None


def test_pairs_are_cut_apart_before_anything_else(tmp_path: Path) -> None:
    for number, size in enumerate(((32, 20), (30, 50)), start=1):
        halves = [np.full((*size, 3), grey + number, np.uint8) for grey in (40, 200)]
        write_sheet(tmp_path / f"{number}.png", np.concatenate(halves, axis=1))
    for half, grey in enumerate((40, 200)):
        source = open_source(tmp_path, single=True, half=half, fit=False)
        frames = list(source.frames())
        assert [f.rgb.shape for f in frames] == [(32, 20, 3), (30, 50, 3)]
        assert [np.unique(f.rgb).tolist() for f in frames] == [[grey + 1], [grey + 2]]
        assert (source.info.width, source.info.height, source.info.frames) == (20, 32, 2)


def test_a_picture_that_is_no_strip_is_named(tmp_path: Path) -> None:
    flat(tmp_path / "1.png", 10, width=90, height=30)
    flat(tmp_path / "2.png", 10, width=40, height=30)
    with pytest.raises(PictureError, match=r"2\.png"):
        list(open_source(tmp_path).frames())


def test_a_digest_follows_contents_and_names(tmp_path: Path) -> None:
    flat(tmp_path / "1.png", 10)
    before = open_source(tmp_path).sha256()
    assert open_source(tmp_path).sha256() == before
    flat(tmp_path / "1.png", 11)
    changed = open_source(tmp_path).sha256()
    (tmp_path / "1.png").rename(tmp_path / "2.png")
    assert len({before, changed, open_source(tmp_path).sha256()}) == 3


def test_an_empty_folder_and_a_missing_file_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no pictures"):
        open_source(tmp_path)
    with pytest.raises(MissingInputError):
        open_source(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(NotAVideoError):
        open_source(tmp_path / "text.mp4")
