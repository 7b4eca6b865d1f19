"""What a page asks for becomes words of a command: what it may name, and what not."""

from pathlib import Path
from typing import Any

import pytest

from data.errors import RetargetError
from pipelines.cli import COMMANDS, _options
from pipelines.keeping.shelf import Shelf
from pipelines.studio.asking import words_for


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Domains anna, ben and cleo, a run anna-ben with a labeller, a dropped video and a dropped picture."""
    for name in ("domains/anna", "domains/ben", "domains/cleo", "domains/.uploads", "runs/anna-ben/adapt", "renders"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("clip.mp4", "style.png"):
        (tmp_path / "domains/.uploads" / name).touch()
    (tmp_path / "runs/anna-ben/adapt/labeller.safetensors").touch()
    return Shelf(tmp_path / "domains", tmp_path / "runs", tmp_path / "renders")


def options(command: str, asked: dict[str, Any], shelf: Shelf) -> tuple[Any, str, dict[str, str]]:
    """What the command itself reads out of the words, the lane, and what the job is about."""
    words, lane, about = words_for(command, asked, shelf)
    assert words[0] == command and command in COMMANDS
    return _options(command, words[1:]), lane, about


def test_many_domains_are_trained_as_one_run(shelf: Shelf) -> None:
    asked = {"a": "anna", "b": "ben", "more": ["cleo"], "method": "stargan", "preset": "tiny", "steps": 7}
    read, lane, about = options("train", asked, shelf)
    assert [Path(name).name for name in (read.a, read.b, *read.more)] == ["anna", "ben", "cleo"]
    assert read.run == shelf.runs / "anna-ben-cleo" and (read.method, read.training.steps) == ("stargan", 7)
    assert (lane, about["run"]) == ("train", "anna-ben-cleo")


def test_a_domain_is_added_to_a_run(shelf: Shelf) -> None:
    read, _, about = options("train", {"run": "anna-ben", "add": "cleo", "steps": 5}, shelf)
    assert read.add == str(shelf.domains / "cleo") and read.run == shelf.runs / "anna-ben" and read.a is None
    assert about["run"] == "anna-ben-cleo"


def test_a_labeller_guards_a_training(shelf: Shelf) -> None:
    read, _, _ = options("train", {"a": "anna", "b": "ben", "guard": "anna-ben", "semantic": 0.5}, shelf)
    assert read.guard == shelf.runs / "anna-ben/adapt/labeller.safetensors" and read.config.weights.semantic == 0.5


def test_measuring_names_no_domains_and_waits_for_no_training(shelf: Shelf) -> None:
    read, lane, about = options("train", {"measure": True, "method": "cut", "preset": "small"}, shelf)
    assert read.measure and (read.a, read.method, read.preset) == (None, "cut", "small")
    assert (lane, about["measures"]) == ("quick", "cut small")


def test_a_frame_is_shown_with_every_option_of_the_page(shelf: Shelf) -> None:
    looks = {"blend": "none", "feather": 0.2, "match_strength": 0.5, "scale": "128", "sample": 3, "into": "cleo"}
    named = {"run": "anna-ben", "input": ["upload:clip.mp4"], "reference": "upload:style.png"}
    read, lane, about = options("render", named | looks | {"out_of": "ben", "preview": "1.5", "output": "p.png"}, shelf)
    assert {name: getattr(read, name) for name in looks} == looks and read.out_of == "ben"
    assert read.reference == shelf.domains / ".uploads/style.png" and read.preview == "1.5"
    assert read.output == shelf.renders / ".previews/p.png" and (lane, about["output"]) == ("quick", "p.png")


@pytest.mark.parametrize("clip", ["/films/a clip.mp4", "/films/folder", "https://example.org/a.mp4"])
@pytest.mark.parametrize("command", ["render", "evaluate"])
def test_a_clip_may_be_named_by_its_path_or_address(shelf: Shelf, command: str, clip: str) -> None:
    read, _, _ = options(command, {"run": "anna-ben", "input": [clip]}, shelf)
    assert read.input in (clip, ((clip,),))


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("train", {"a": "anna", "b": "ben", "more": ["../../etc"]}),
        ("train", {"a": "anna", "b": "ben", "more": ["--help"]}),
        ("train", {"a": "anna", "b": "ben", "guard": "../runs/anna-ben"}),
        ("train", {"a": "anna", "b": "ben", "semantic": "1 --guard /etc/passwd"}),
        ("train", {"run": "../anna-ben", "add": "cleo"}),
        ("train", {"run": "anna-ben", "add": "nobody"}),
        ("train", {"measure": "yes"}),
        ("render", {"run": "anna-ben", "reference": "upload:../../secret.png"}),
        ("render", {"run": "anna-ben", "reference": "--output=/tmp/x"}),
        ("render", {"run": "anna-ben", "into": "--output=/tmp/x"}),
        ("render", {"run": "anna-ben", "scale": "64\n--output=/tmp/x"}),
        ("render", {"run": "anna-ben", "feather": "soft"}),
        ("render", {"run": "anna-ben", "mark_font": "/etc/passwd"}),
        ("render", {"run": "anna-ben", "sign_key": "/etc/passwd"}),
    ],
)
def test_what_is_no_option_or_leads_elsewhere_is_refused(shelf: Shelf, command: str, asked: dict[str, Any]) -> None:
    with pytest.raises(RetargetError):
        words_for(command, asked, shelf)
