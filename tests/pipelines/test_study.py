"""The study: what the page shows and hides."""

import base64
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.domain.pictures import write_picture
from data.video.reader import probe, read_frames, read_metadata
from pipelines.cli import run
from pipelines.pages.cuts import Form, cut, of_video
from tests.pages import coded, decoded, write_coded, write_domain, write_evaluation
from tests.pipelines.studies import REGULAR, one_error, page_data, write_run


def clip(uri: str, place: Path) -> tuple[list[tuple[str, int]], Any]:
    """What the frames of a cut show, and what its file says of itself."""
    path = place / "cut.mp4"
    path.write_bytes(base64.b64decode(uri.partition(",")[2]))
    info, tags = probe(path), read_metadata(path)
    frames = [decoded(frame.rgb) for frame in read_frames(path)]
    return frames, (tags, info.width, info.height, info.rate, len(frames), info.colour)


def test_real_pairs_are_alike_but_for_their_pictures(place: Path) -> None:
    for name in ("one", "two"):
        write_run(name)
    assert run(["study", "--runs", "runs/one", "runs/two", "--real", "--pairs", "8"]) == 0
    text, data = Path("study.html").read_text(), page_data(Path("study.html"))
    key = json.loads(Path("study-key.json").read_text())
    assert not any(word in text for word in ("runs/", "truth", "cyclegan", "ben/", key["salt"]))
    assert len({len(shown[side]) for shown in data["pairs"] + data["practice"] for side in ("left", "right")}) == 1
    assert [set(pair) for pair in data["pairs"]] == [{"left", "right"}] * 8
    assert [set(pair) for pair in data["practice"]] == [{"left", "right", "answer"}] * 2
    alike, moments = [], []
    for pair, (left, right) in zip(data["pairs"], key["pairs"], strict=True):
        (shown_left, form_left), (shown_right, form_right) = clip(pair["left"], place), clip(pair["right"], place)
        assert {kind for kind, _ in shown_left} == {"truth" if left == "real" else "result"}
        assert {kind for kind, _ in shown_right} == {"truth" if right == "real" else "result"}
        numbers = [number for _, number in shown_left]
        assert numbers == [number for _, number in shown_right] == list(range(numbers[0], numbers[0] + 38))
        alike += [form_left, form_right]
        moments.append(numbers[0])
    assert all(form == alike[0] for form in alike)
    assert len(set(moments)) >= 4 and max(moments) - min(moments) > 75
    named = [name for pair in key["pairs"] for name in pair]
    assert [named.count(name) for name in ("real", "runs/one", "runs/two")] == [8, 4, 4]
    assert [left for left, _ in key["pairs"]].count("real") == 4
    for pair in data["practice"]:
        assert {kind for kind, _ in clip(pair[pair["answer"]], place)[0]} == {"truth"}


def test_seeds_decide_and_the_same_study_is_made_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run("one")
    words = ["--runs", "runs/one", "--real", "--pairs", "12"]
    pages = []
    for seed, page in (("0", "0.html"), ("0", "0.html"), ("1", "1.html")):
        assert run(["study", *words, "--seed", seed, "--output", page]) == 0
        pages.append(Path(page).read_text())
    keys = [json.loads(Path(f"{name}-key.json").read_text())["pairs"] for name in ("0", "1")]
    assert pages[0] == pages[1] != pages[2] and keys[0] != keys[1]
    write_run("one", per_frame={})
    assert run(["study", *words, "--output", "2.html"]) == 0
    other = json.loads(Path("2-key.json").read_text())["pairs"]
    assert other not in keys  # who does not have what was measured cannot draw the sides anew
    before = Path("0-key.json").read_text()
    assert "the key of another study" in one_error(capsys, *words, "--seed", 5, "--output", "0.html")
    assert (Path("0.html").read_text(), Path("0-key.json").read_text()) == (pages[0], before)


def test_runs_are_compared_at_the_same_moment_beside_the_source(place: Path) -> None:
    for name in ("one", "two", "three"):
        write_run(name, truth=False)
    assert run(["study", "--runs", "runs/one", "runs/two", "runs/three", "--pairs", "6"]) == 0
    data, key = page_data(Path("study.html")), json.loads(Path("study-key.json").read_text())
    assert data["practice"] == []
    for pair in data["pairs"]:
        left, right, source = (clip(pair[name], place)[0] for name in ("left", "right", "source"))
        assert [number for _, number in left] == [number for _, number in right] == [number for _, number in source]
        assert {kind for kind, _ in source} == {"source"} and {kind for kind, _ in left + right} == {"result"}
    contests = sorted(tuple(sorted(pair)) for pair in key["pairs"])
    assert contests == sorted(2 * [("runs/one", "runs/three"), ("runs/one", "runs/two"), ("runs/three", "runs/two")])


@pytest.mark.parametrize("aligner", ["none", "haar"])
def test_without_truth_the_domain_is_what_is_real(place: Path, aligner: str) -> None:
    """Its held-out pictures; where those are faces, the held-out frames of its own clip."""
    write_run("one", truth=False)
    write_evaluation(Path("made"), [40 * number for number in range(120)])
    write_domain(Path("domains/ben"), aligner, frames=120, clip=Path("made/evaluation/source.mp4").resolve())
    assert run(["study", "--runs", "runs/one", "--real", "--pairs", "4"]) == 0
    data, key = page_data(Path("study.html")), json.loads(Path("study-key.json").read_text())
    for pair, (left, _) in zip(data["pairs"], key["pairs"], strict=True):
        frames, _ = clip(pair["left" if left == "real" else "right"], place)
        assert {kind for kind, _ in frames} == {"truth" if aligner == "none" else "source"}
        assert all(80 <= number < 120 for _, number in frames)


def test_what_does_not_move_is_shown_as_a_still(place: Path) -> None:
    write_run("one", truth=False)
    write_domain(Path("domains/ben"), frames=30)  # 0.4 seconds held out
    assert run(["study", "--runs", "runs/one", "--real", "--pairs", "4"]) == 0
    for pair in page_data(Path("study.html"))["pairs"]:
        left, right = clip(pair["left"], place)[0], clip(pair["right"], place)[0]
        assert len(left) == len(right) == 25 and len(set(left)) == len(set(right)) == 1


@pytest.mark.parametrize(("padding", "size"), [((0, 60), (64, 64)), ((60, 0), (34, 64))])
def test_clips_of_other_shapes_are_cut_alike(place: Path, padding: tuple[int, int], size: tuple[int, int]) -> None:
    """Wide or tall pictures of the domain beside a square translation: of both the middle, at the smaller size."""
    write_run("one", truth=False)
    write_domain(Path("domains/ben"), frames=150)
    for path in Path("domains/ben/frames/clip").glob("*.jpg"):
        picture = coded(int(path.stem) - 1, "truth").repeat(2, 0).repeat(2, 1)
        around = (100, 0) if size == (64, 64) and int(path.stem) % 2 == 0 else padding  # some pictures are tall
        write_picture(path, np.pad(picture, [(side, side) for side in around] + [(0, 0)], constant_values=255))
    assert run(["study", "--runs", "runs/one", "--real", "--pairs", "2"]) == 0
    data, key = page_data(Path("study.html")), json.loads(Path("study-key.json").read_text())
    for pair, (left, _) in zip(data["pairs"], key["pairs"], strict=True):
        real, real_form = clip(pair["left" if left == "real" else "right"], place)
        fake, form = clip(pair["right" if left == "real" else "left"], place)
        assert form == real_form and form[1:3] == size
        assert all(kind == "result" for kind, _ in fake)
        if size == (64, 64):
            assert all(kind == "truth" and 100 <= number < 150 for kind, number in real)


def test_a_cut_shows_what_is_on_screen_at_each_of_its_ticks(place: Path) -> None:
    times = [0, 40, 200, 230, 280, 600, 640, 700, 1000, 1040]
    write_coded(place / "clip.mp4", "truth", times)
    stretch = of_video(place / "clip.mp4")
    form = Form(0.72, Fraction(25), (64, 64))
    for begin, content in zip((0.0, 0.21, 0.3), cut([stretch], [(0, 0.0), (0, 0.21), (0, 0.3)], form), strict=True):
        (place / "cut.mp4").write_bytes(content)
        ticks = [1000 * begin + 40 * tick for tick in range(18)]
        expected = [max(n for n, time in enumerate(times) if time <= tick) for tick in ticks]
        assert [decoded(frame.rgb)[1] for frame in read_frames(place / "cut.mp4")] == expected


def test_what_cannot_be_made_is_said_in_a_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_run("one", times=REGULAR[:20])
    write_run("two", times=REGULAR[:30])
    write_run("three", times=REGULAR[:20], input="other.mp4")
    (place / "runs" / "bare").mkdir()
    assert "which are to be judged" in one_error(capsys)
    assert "nothing to be compared with" in one_error(capsys, "--runs", one)
    assert "named twice" in one_error(capsys, "--runs", one, one)
    assert "retarget evaluate --run runs/bare" in one_error(capsys, "--runs", "runs/bare", "--real")
    assert "--seed -1: negative" in one_error(capsys, "--runs", one, "--real", "--seed", -1)
    assert "--pairs 0: too few" in one_error(capsys, "--runs", one, "--real", "--pairs", 0)
    for other in ("two", "three"):
        assert "different clips" in one_error(capsys, "--runs", one, f"runs/{other}")
    assert "give one of them" in one_error(capsys, "--runs", one, "--score", "x.json")
    write_evaluation(one, REGULAR[:20], truth=False)
    assert "domains/ben: no such domain" in one_error(capsys, "--runs", one, "--real")
    write_domain(Path("domains/ben"), "haar", clip=Path("gone.mp4"))
    assert "gone.mp4: gone" in one_error(capsys, "--runs", one, "--real")
    (one / "evaluation" / "result.mp4").unlink()
    assert "result.mp4: no such file" in one_error(capsys, "--runs", one, "--real")
    assert not Path("study.html").exists() and not Path("study-key.json").exists()
