"""Folders as sources: natural order, strips cut before anything else, mixed sizes made one, honest digests."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data.domain.pictures import pictures_in, write_sheet
from data.domain.sources import Pairs, Pictures, Strips, Video, open_source
from data.errors import MissingInputError, NotAVideoError, PictureError
from tests.media import write_frames


def flat(path: Path, grey: int, width: int = 40, height: int = 30) -> None:
    path.parent.mkdir(exist_ok=True)
    write_sheet(path, np.full((height, width, 3), grey, np.uint8))


def test_pictures_come_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        flat(tmp_path / f"frame{number}.png", number)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [p.name for p in pictures_in(tmp_path)] == ["frame1.png", "frame2.png", "frame10.png"]
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert isinstance(source, Pictures) and source.sound is None
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
    assert isinstance(source, Strips)
    assert [np.unique(f.rgb).tolist() for f in frames] == [[100], [120], [140], [200], [220], [240]]
    assert source.known_shots(6) == [3]
    assert isinstance(open_source(tmp_path, "no"), Pictures)


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
        assert source.known_shots(2) == [1] and source.label.endswith(("left half", "right half")[half])
        sequence = open_source(tmp_path, half=half, fit=False)
        assert isinstance(sequence, Pairs) and sequence.known_shots(2) is None
        assert {f.rgb.shape for f in sequence.frames()} == {(32, 20, 3)}, "frames in a row are of one size"


def test_frames_from_a_time_on_keep_their_numbers(tmp_path: Path) -> None:
    for number in range(5):
        flat(tmp_path / f"{number}.png", number)
    frames = list(open_source(tmp_path).frames(Fraction(3, 25)))
    assert [(f.number, f.pts, int(f.rgb.mean())) for f in frames] == [(3, 3, 3), (4, 4, 4)]


def test_a_video_brings_its_sound_and_hides_its_cuts(tmp_path: Path) -> None:
    write_frames(tmp_path / "v.mp4", [np.full((32, 32, 3), 90, np.uint8)] * 3)
    source = open_source(tmp_path / "v.mp4")
    assert isinstance(source, Video) and source.sound == source.path and source.known_shots(3) is None


def test_what_domain_json_keeps_of_how_a_source_was_taken(tmp_path: Path) -> None:
    """A domain that was made before is compared with these, and clips of it are not made anew."""
    write_frames(tmp_path / "v.mp4", [np.full((32, 32, 3), 90, np.uint8)] * 3)
    flat(tmp_path / "pictures" / "1.png", 1)
    flat(tmp_path / "strips" / "1.png", 1, width=90)
    kept = {
        ("v.mp4", False, None): ("video", {}),
        ("pictures", False, None): ("pictures", {"strips": "auto"}),
        ("pictures", True, None): ("strips", {"strips": "auto", "frames": "single"}),
        ("strips", False, None): ("strips", {"strips": "auto"}),
        ("strips", True, None): ("strips", {"strips": "auto"}),
        ("pictures", True, 1): ("strips", {"strips": "auto", "frames": "single", "half": 1}),
        ("pictures", False, 0): ("pictures", {"strips": "auto", "half": 0}),
    }
    for (name, single, half), expected in kept.items():
        source = open_source(tmp_path / name, single=single, half=half)
        assert (source.kind, source.settings("auto")) == expected


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
