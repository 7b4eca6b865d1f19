"""Extracting: an aligner, a full disk, a clip that changed, folders in the way; nothing half."""

from pathlib import Path

import cv2
import pytest

import pipelines.extracting.clip as stage
from data.domain.domain import Domain
from data.errors import OutputError
from pipelines.cli import run
from tests.media import write_portrait
from tests.pipelines.runs import draw
from tests.pipelines.sets import beside, extracted, files, greys, put, put_set, table


def test_an_aligner_that_is_asked_for_is_used(place: Path) -> None:
    write_portrait(place / "p.mp4", frames=1)
    video = cv2.VideoCapture("p.mp4")
    face = cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2RGB)
    for letter in "AB":
        put(f"set/train{letter}", *[face] * 2)
    extracted("set", "--align", "haar")
    domain = Domain.load(Path("domains/set-A"))
    assert domain.aligner == "haar" and all(record.transform for record in domain.records())
    extracted("set")  # what it was made with stands


def test_what_is_wrong_is_one_line_and_leaves_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> str:
        capsys.readouterr()
        extracted(*words, code=2)
        lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
        assert len(lines) == 1, lines
        assert not Path("domains").exists() or {path.name for path in Path("domains").iterdir()} <= {".looks"}
        return lines[0]

    good, odd = beside(10, 20, 30), beside(10, 20, 30, width=31)[:, :-1]
    put("lone/trainA", good)
    assert "no trainB" in refused("lone")
    put("empty/trainA", good)
    Path("empty/trainB").mkdir()
    assert "trainB: no pictures" in refused("empty")
    put("seams/trainA", good, good)
    put("seams/trainB", good, odd)
    assert "2.png: 92 pixels wide" in refused("seams"), "the half that was whole goes, too"
    put("pairs/train", beside(1, 2), beside(1, 2)[:, :-1])
    assert "2.png: 63 pixels wide" in refused("pairs")
    put("odd/train", beside(1, 2)[:, :-1])
    assert "1.png: 63 pixels wide" in refused("odd")
    put("broken/trainA", good)
    put("broken/trainB", good)
    Path("broken/trainB/2.png").write_bytes(b"no picture")
    assert "2.png" in refused("broken")
    put("short/trainA", beside(10))
    put("short/trainB", beside(10))
    said = refused("short", "--window", "3")
    assert "1 usable frame in a row, a window needs 3" in said and "--method cyclegan" in said
    assert "extract it alone" in refused("short", "lone/trainA")
    assert "--strips yes" in refused("pairs", "--strips", "yes")
    assert "--name" in refused("short", "--name", "a/b")
    assert "--window 0" in refused("short", "--window", "0")


def test_a_full_disk_keeps_the_clips_that_are_done(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_set()
    write_pictures = stage.write_pictures

    def full(source, *rest):
        if source.path.name == "testB":
            raise OutputError("domains: cannot be written (the disk is full); make room")
        return write_pictures(source, *rest)

    monkeypatch.setattr(stage, "write_pictures", full)
    extracted("set", code=1)
    assert {clip for clip, *_ in table("set-A")} == {"trainA", "testA"}
    assert {clip for clip, *_ in table("set-B")} == {"trainB"}


def test_a_folder_in_the_way_is_never_touched(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_set()
    put("domains/set-B", beside(9))
    extracted("set", code=2)
    assert "no domain" in capsys.readouterr().err
    assert list(files()) == ["domains/set-B/1.png"], "and the other domain is not begun"


def test_a_clip_that_changed_stays_in_its_place(place: Path) -> None:
    """Clips of two domains pair by their order."""
    put("x", *(beside(100 + n) for n in range(4)))
    put("y", *(beside(200 + n) for n in range(4)))
    extracted("x", "y", "--name", "d", "--align", "none")
    put("x", *(beside(50 + n) for n in range(5)))
    extracted("x", "y", "--name", "d", "--align", "none")
    assert [clip.clip for clip in Domain.load(Path("domains/d")).clips] == ["x", "y"]
    assert [(clip, number) for clip, number, *_ in table("d")] == [
        *(("x", n) for n in range(5)),
        *(("y", n) for n in range(4)),
    ]


def test_a_clip_that_can_no_longer_be_read_leaves_the_domain_as_it_was(place: Path) -> None:
    put("x", *(beside(100 + n) for n in range(4)))
    extracted("x", "--align", "none")
    before = table("x"), greys("x")
    Path("x/3.png").write_bytes(b"no picture")
    extracted("x", "--align", "none", code=2)
    assert (table("x"), greys("x")) == before


def test_damaged_pictures_are_made_anew_and_deleted_ones_are_not(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(place / "a.mp4")
    extract = ["extract", "a.mp4", "--align", "none", "--size", "32"]
    assert run(extract) == 0
    pictures = sorted((place / "domains/a/frames/a").iterdir())
    before = [path.read_bytes() for path in pictures]
    pictures[3].write_bytes(b"")
    pictures[5].write_bytes(before[5][:-20])
    pictures[7].unlink()
    capsys.readouterr()
    assert run(extract) == 0
    said = capsys.readouterr().out
    assert f"2 pictures are damaged and made anew ({pictures[3].name}, {pictures[5].name})" in said
    assert [path.read_bytes() if path.exists() else b"" for path in pictures] == [*before[:7], b"", *before[8:]]
    assert sorted(path.name for path in pictures[0].parent.parent.iterdir()) == ["a"]
    assert run(extract) == 0
    assert "damaged" not in capsys.readouterr().out


@pytest.mark.parametrize("cut", [-20, 100])
def test_a_torn_table_is_made_anew(place: Path, capsys: pytest.CaptureFixture[str], cut: int) -> None:
    draw(place / "a.mp4")
    extract = ["extract", "a.mp4", "--align", "none", "--size", "32"]
    assert run(extract) == 0
    path = place / "domains/a/clips/a.jsonl"
    before = path.read_bytes()
    path.write_bytes(before[:cut])
    assert run(extract) == 0
    said = capsys.readouterr().out
    assert "damaged and left out" in said or "is damaged, or of other bytes or settings; it is made anew" in said
    assert path.read_bytes() == before
