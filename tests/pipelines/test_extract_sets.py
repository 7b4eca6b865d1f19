"""Extracting published sets: two domains in one go, parts as published, seams clean, pairs that pair."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import pipelines.extracting.clip as stage
from data.domain.domain import Domain
from data.domain.paired import PairedWindows
from data.domain.windows import Windows
from data.errors import TooFewFramesError
from tests.pipelines.sets import beside, extracted, files, greys, put, put_set, table


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
        with pytest.raises(TooFewFramesError, match="1 usable frame in a row"):
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
    write_pictures = stage.write_pictures

    def stop(source, *rest):
        if source.path.name == "testB":
            raise KeyboardInterrupt
        return write_pictures(source, *rest)

    monkeypatch.setattr(stage, "write_pictures", stop)
    extracted("set", "--name", "part", code=130)
    done = files()
    assert {clip for clip, *_ in table("part-B")} == {"trainB"}
    monkeypatch.setattr(stage, "write_pictures", write_pictures)
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
            a, b = (pixels.float() / 127.5 - 1 for pixels in drawn[k])
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
