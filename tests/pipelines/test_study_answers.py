"""Answers: a session to its end in a real browser, and what answers come to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.cli import run
from pipelines.pages.answers import Key, Share, key_path, read_answers, seal, shares, write_key
from tests.pages import opened
from tests.pipelines.studies import one_error, page_data, write_run


def write_session(path: Path, key: Key, chosen: list[str], person: str = "a1", **changes: Any) -> Path:
    """A file of answers as the page saves it."""
    answers = [{"pair": n, "chosen": side, "milliseconds": 900 + n} for n, side in enumerate(chosen)]
    content = {"format": "retarget answers 1", "study": key.study, "person": person, "answers": answers}
    content["seal"] = seal(content)
    path.write_text(json.dumps(content | changes))
    return path


def session(chromium: Any, page: Path, side: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Answers every pair by keyboard alone. Gives what was saved, and what was told after each practice pair."""
    told = []
    state = "document.getElementById('count').textContent + document.getElementById('save').href"
    seen = "[...document.querySelectorAll('.stage video')].map(video => getComputedStyle(video).visibility)"
    with opened(chromium, page, **options) as tab:
        tab.keyboard.press("Enter")
        while tab.is_hidden("#end"):
            tab.wait_for_function("() => !document.getElementById('choose-left').disabled")
            assert tab.evaluate(seen) == ["hidden", "hidden"]
            before = tab.evaluate(state)
            tab.keyboard.press(side)
            if before.startswith("Practice"):
                told.append(tab.inner_text("#told"))
                tab.keyboard.press("Enter")
            tab.wait_for_function(f"before => {state} !== before", arg=before)
        with tab.expect_download() as download:
            tab.click("#save")
        assert download.value.suggested_filename.endswith(".json")
        assert tab.evaluate("document.documentElement.scrollWidth") == tab.viewport_size["width"]
        return json.loads(Path(download.value.path()).read_text()), told


def test_sessions_run_to_their_end_and_are_scored(
    chromium: Any, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run("one")
    write_run("two")
    assert run(["study", "--runs", "runs/one", "runs/two", "--real", "--pairs", "2"]) == 0
    (practice,) = page_data(Path("study.html"))["practice"]
    pairs = json.loads(Path("study-key.json").read_text())["pairs"]
    for number, (side, width) in enumerate((("left", 1100), ("right", 320))):
        viewport = {"width": width, "height": 640}
        saved, told = session(chromium, Path("study.html"), f"Arrow{side.capitalize()}", viewport=viewport)
        right = practice["answer"]
        assert told == [f"{'Right' if right == side else 'No'}: the {right} one was real."]
        assert sorted(answer["pair"] for answer in saved["answers"]) == [0, 1]
        assert {answer["chosen"] for answer in saved["answers"]} == {side}
        assert all(0 < answer["milliseconds"] < 60_000 for answer in saved["answers"])
        Path(f"{number}.json").write_text(json.dumps(saved))
    capsys.readouterr()
    assert run(["study", "--score", "0.json", "1.json"]) == 0
    out = capsys.readouterr().out
    assert "real against translated: 2 people, 4 answers" in out
    for name in ("one", "two"):
        # One who always says left and one who always says right: each run's pair fools one of them.
        assert f"runs/{name} taken for real: 50.0 % (1 of 2), 95 % interval" in out
    assert run(["study", "--score", "0.json"]) == 0
    out = capsys.readouterr().out
    for name in ("one", "two"):
        fooled = sum(left == f"runs/{name}" for left, _ in pairs)
        assert f"runs/{name} taken for real: {100 * fooled:.1f} % ({fooled} of 1)" in out


def test_a_comparison_of_runs_can_be_seen_again(chromium: Any, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run("one")
    write_run("two")
    assert run(["study", "--runs", "runs/one", "runs/two", "--pairs", "1"]) == 0
    with opened(chromium, Path("study.html")) as tab:
        tab.click("#begin")
        tab.wait_for_selector("#again", state="visible")
        tab.click("#again")
        tab.wait_for_function("() => !document.getElementById('again').disabled")
        tab.click("#choose-right")
        tab.wait_for_selector("#end", state="visible")
        with tab.expect_download() as download:
            tab.click("#save")
        Path("saved.json").write_bytes(Path(download.value.path()).read_bytes())
    left, right = json.loads(Path("study-key.json").read_text())["pairs"][0]
    capsys.readouterr()
    assert run(["study", "--score", "saved.json"]) == 0
    first, second = sorted((left, right))
    share = "100.0 % (1 of 1)" if first == right else "0.0 % (0 of 1)"
    assert f"{first} preferred to {second}: {share}, 95 % interval" in capsys.readouterr().out


def test_intervals_are_those_of_wilson() -> None:
    """Against the formula as Wilson 1927 has it, and counted by hand."""
    key = Key("real", [("real", "x"), ("x", "real"), ("real", "y"), ("y", "real")], "")
    fooled, not_fooled = [(0, "right")] * 9 + [(1, "left")] * 2, [(0, "left")] * 20 + [(1, "right")] * 9
    x, y = shares(key, [*fooled, *not_fooled, (3, "right")])
    assert (x.what, x.chosen, x.asked) == ("x taken for real", 11, 40)
    assert (y.what, y.chosen, y.asked) == ("y taken for real", 0, 1)
    z, n, p = 1.959963984540054, 40, 11 / 40
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert x.interval == pytest.approx(((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)), abs=1e-9)
    assert str(x) == "x taken for real: 27.5 % (11 of 40), 95 % interval 16.1 to 42.8 %"
    for chosen, asked, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):  # Newcombe 1998, Table I, method 3
        assert Share("", chosen, asked).interval == pytest.approx((low, high), abs=5e-5)
    methods = Key("methods", [("b", "a"), ("a", "b"), ("a", "c")], "")
    assert [(s.what, s.chosen, s.asked) for s in shares(methods, [(0, "left"), (1, "left"), (2, "right")])] == [
        ("a preferred to b", 1, 2),
        ("a preferred to c", 0, 1),
    ]


def test_foreign_and_tampered_answers_are_refused_in_a_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = Key("real", [("real", "runs/one"), ("runs/one", "real")], "ab12")
    assert key.study != Key(key.kind, key.pairs, "ab13").study  # or trying all keys would find the right one
    assert "study-key.json: no key there" in one_error(capsys, "--score", "x.json")
    write_key(key_path(Path("study.html")), key)
    good = write_session(place / "good.json", key, ["left", "right"])
    assert read_answers((good,), key) == [(0, "left"), (1, "right")]
    content = json.loads(good.read_text())
    answers = content["answers"]

    def refused(name: str, text: str) -> str:
        Path(name).write_text(text)
        return one_error(capsys, "--score", "good.json", name)

    assert "x.json: no such file" in one_error(capsys, "--score", "x.json")
    other = json.dumps([answers[0], answers[1] | {"chosen": "left"}])
    changed = {"answers": json.loads(other)}
    assert "bad.json: not as it was saved" in refused("bad.json", json.dumps(content | changed))
    assert "not as it was saved" in refused("bad.json", json.dumps(content | {"person": "b2"}))
    for short in (["left"], ["left", "right", "left"]):  # sealed well, but not this study's pairs
        assert "not as it was saved" in one_error(capsys, "--score", write_session(place / "bad.json", key, short))
    assert "another study" in refused("bad.json", json.dumps(content | {"study": "0" * 32}))
    assert "the same session as good.json" in refused("copy.json", good.read_text())
    for foreign in ("", "[]", "{}", "\x00", '{"format": "retarget answers 1"}', json.dumps(content | {"answers": 3})):
        assert "not a file that a study's page saved" in refused("bad.json", foreign)
    for odd in ({"chosen": "both"}, {"pair": True}, {"milliseconds": "1"}):
        assert "not a file that" in refused(
            "bad.json", json.dumps(content | {"answers": [answers[0], answers[1] | odd]})
        )
    swapped = json.loads(key_path(Path("study.html")).read_text())
    swapped["pairs"].reverse()
    key_path(Path("study.html")).write_text(json.dumps(swapped))
    assert "study-key.json: damaged" in one_error(capsys, "--score", "good.json")
