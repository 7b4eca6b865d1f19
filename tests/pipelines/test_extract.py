"""Extracting published sets: two domains in one go, parts as published, seams clean, pairs that pair, nothing half."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import pipelines.extract as stage
from data.domain.domain import Domain
from data.domain.paired import PairedWindows
from data.domain.pictures import read_picture, write_sheet
from data.domain.windows import Windows
from data.errors import OutputError, TooFewFramesError
from pipelines.cli import run
from tests.media import write_portrait


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path / "no-models"))
    return tmp_path


def beside(*greys: int, width: int = 32, height: int = 32) -> np.ndarray:
    """Flat greys side by side."""
    return np.concatenate([np.full((height, width, 3), grey, np.uint8) for grey in greys], axis=1)


def put(folder: str, *pictures: np.ndarray) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, start=1):
        write_sheet(Path(folder) / f"{number}.png", picture)


def put_set() -> None:
    """A CycleGAN set of pictures in several sizes."""
    for letter, base in (("A", 0), ("B", 128)):
        put(f"set/train{letter}", *(beside(base + 8 * n, width=32 + 4 * n, height=40) for n in range(5)))
        put(f"set/test{letter}", *(beside(base + 100 + 8 * n) for n in range(2)))


def extracted(*words: str, code: int = 0) -> None:
    assert run(["extract", *words, "--size", "32"]) == code


def table(name: str) -> list[tuple[str, int, int, str]]:
    """(clip, number, shot, part) of every frame of a domain."""
    records = Domain.load(Path("domains") / name).records()
    return [(record.clip, record.number, record.shot, record.split) for record in records]


def greys(name: str) -> list[tuple[int, tuple[int, ...]]]:
    """(grey, shape) of every picture of a domain, which has to be flat but for what JPEG does."""
    domain = Domain.load(Path("domains") / name)
    found = []
    for record in domain.records():
        picture = read_picture(domain.folder / record.picture)
        assert np.ptp(picture) <= 2, record
        found.append((round(float(picture.mean())), picture.shape[:2]))
    return found


def files() -> dict[str, int]:
    """Every file under domains/, with when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in Path("domains").rglob("*") if path.is_file()}


def test_a_set_of_pictures_becomes_two_domains(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_set()
    extracted("set", "--name", "horses")
    said = capsys.readouterr().out
    assert "set: domain horses-A from trainA, testA" in said and "set: domain horses-B from trainB, testB" in said
    for letter, base in (("A", 0), ("B", 128)):
        name = f"horses-{letter}"
        assert table(name) == [
            *((f"train{letter}", n, n, "train") for n in range(5)),
            *((f"test{letter}", n, n, "test") for n in range(2)),
        ], "each picture is a shot of its own, and nothing is taken off the training pictures"
        shapes = [(40, 32), (36, 32), (32, 32), (32, 35), (32, 38)]
        assert greys(name)[:5] == [(base + 8 * n, shape) for n, shape in enumerate(shapes)], "own sizes"
        domain = Domain.load(Path("domains") / name)
        assert domain.aligner == "none" and (domain.folder / "contact-sheet.jpg").is_file()
        assert [len(Windows(domain, split=part, window=1, size=32)) for part in ("train", "test")] == [5, 2]
        with pytest.raises(TooFewFramesError, match="--method cyclegan"):
            Windows(domain, split="train", window=3, size=32)


def test_extracting_a_set_again_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_set()
    extracted("set")
    before = {path: stamp for path, stamp in files().items() if "contact-sheet" not in path}
    capsys.readouterr()
    extracted("set")
    assert capsys.readouterr().out.count("already in") == 4
    assert before.items() <= files().items()


def test_an_interrupted_set_is_completed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_set()
    extracted("set", "--name", "whole")
    write_pictures = stage._write_pictures

    def stop(source, *rest):
        if source.path.name == "testB":
            raise KeyboardInterrupt
        return write_pictures(source, *rest)

    monkeypatch.setattr(stage, "_write_pictures", stop)
    extracted("set", "--name", "part", code=130)
    done = files()
    assert {clip for clip, *_ in table("part-B")} == {"trainB"}
    monkeypatch.setattr(stage, "_write_pictures", write_pictures)
    extracted("set", "--name", "part")
    for letter in "AB":
        assert table(f"part-{letter}") == table(f"whole-{letter}") and greys(f"part-{letter}") == greys(
            f"whole-{letter}"
        )
    assert all(stamp == files()[path] for path, stamp in done.items() if "part" in path and "/train" in path)
    assert not list(Path("domains/part-B/frames").glob(".*"))


def test_without_a_test_folder_a_tenth_is_held_out_until_there_is_one(place: Path) -> None:
    put("set/trainA", *(beside(8 * n) for n in range(12)))
    put("set/trainB", *(beside(8 * n) for n in range(12)))
    extracted("set")
    assert [part for *_, part in table("set-A")] == ["train"] * 10 + ["gap"] + ["test"]
    put("set/testA", beside(200))
    extracted("set")
    assert [part for *_, part in table("set-A")] == ["train"] * 12 + ["test"]
    assert [part for *_, part in table("set-B")] == ["train"] * 10 + ["gap"] + ["test"]


def test_strips_are_clean_at_any_size_and_single_frames_may_be_held_out(place: Path) -> None:
    for letter in "AB":
        put(
            f"set/train{letter}", *(beside(*(60 * n + 20 * t for t in range(3)), width=46, height=46) for n in range(3))
        )
        put(f"set/test{letter}", beside(250, width=46, height=46))
    extracted("set")
    shown = [60 * n + 20 * t for n in range(3) for t in range(3)]
    assert [grey for grey, _ in greys("set-A")] == [*shown, 250]
    assert table("set-A") == [*(("trainA", n, n // 3, "train") for n in range(9)), ("testA", 0, 0, "test")]
    windows = Windows(Domain.load(Path("domains/set-B")), split="train", window=3, size=32)
    assert len(windows) == 3, "a window lies within its strip"


def test_pairs_side_by_side_become_domains_that_pair(place: Path) -> None:
    """Noise on the left, its negative on the right: any other crop, flip or picture would not cancel."""
    pairs = []
    for n in range(6):
        side = 40 + 4 * n
        left = np.random.default_rng(n).integers(0, 255, (side // 8, side // 4, 3)).astype(np.uint8)
        left = cv2.resize(left, (2 * side, side), interpolation=cv2.INTER_LINEAR)
        pairs.append(np.concatenate([left, 255 - left], axis=1))
    put("set/train", *pairs[:4])
    put("set/val", pairs[4])
    put("set/test", pairs[5])
    extracted("set", "--name", "facades")
    names = ("facades-A", "facades-B")
    parts = [("train", n, n, "train") for n in range(4)] + [("val", 0, 0, "test"), ("test", 0, 0, "test")]
    assert table(names[0]) == table(names[1]) == parts
    domains = [Domain.load(Path("domains") / name) for name in names]
    for part, count in (("train", 4), ("test", 2)):
        windows = [Windows(domain, split=part, window=1, size=32, flip=True) for domain in domains]
        drawn = PairedWindows(windows[0], windows[1], seed=0)
        assert drawn.epoch_length == count
        for k in range(12):
            a, b = drawn[k]
            assert float((a + b).abs().mean()) < 0.03, "a picture and its negative cancel"
            assert float(a.std()) > 0.2


def test_pictures_follow_each_other_only_where_told_so(place: Path) -> None:
    for letter in "AB":
        put(f"set/train{letter}", *(beside(100 + n) for n in range(8)))
    extracted("set", "--name", "single")
    extracted("set", "--name", "row", "--frames", "sequence")
    extracted("set/trainA", "--name", "one", "--align", "none")
    put("mine", *(beside(100 + n) for n in range(8)))
    extracted("mine", "--align", "none")
    extracted("mine", "--name", "loose", "--align", "none", "--frames", "single")
    shots = {
        name: len({shot for _, _, shot, _ in table(name)}) for name in ("single-A", "row-A", "one", "mine", "loose")
    }
    assert shots == {"single-A": 8, "row-A": 1, "one": 8, "mine": 1, "loose": 8}


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
        assert not Path("domains").exists() or not list(Path("domains").iterdir())
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
    assert "1 usable frame in a row, a window needs 3" in refused("short", "--window", "3")
    assert "extract it alone" in refused("short", "lone/trainA")
    assert "--strips yes" in refused("pairs", "--strips", "yes")
    assert "--name" in refused("short", "--name", "a/b")
    assert "--window 0" in refused("short", "--window", "0")


def test_a_full_disk_keeps_the_clips_that_are_done(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_set()
    write_pictures = stage._write_pictures

    def full(source, *rest):
        if source.path.name == "testB":
            raise OutputError("domains: cannot be written (the disk is full); make room")
        return write_pictures(source, *rest)

    monkeypatch.setattr(stage, "_write_pictures", full)
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
