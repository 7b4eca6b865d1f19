"""The whole way by the page alone, in a real browser, with the real commands on small clips."""

import time
from pathlib import Path
from typing import Any

import pytest

from data.video.reader import read_frames
from tests.media import write_portrait
from tests.pipelines.runs import draw
from tests.pipelines.studio.server import studio
from tests.pipelines.studio.tab import PATIENCE_MS, ask_for_training, fill_in, go, job, opened, pictures_in, ready


@pytest.mark.slow
def test_two_clips_become_a_result(chromium: Any, place: Path) -> None:
    outside = place / "outside"
    outside.mkdir()
    clips = [draw(outside / f"{name}.mp4", look, 40, seed=ord(look)) for name, look in (("anna", "A"), ("ben", "B"))]
    with studio(place) as client, opened(chromium, client) as tab:
        tab.get_by_label("Drop videos here").set_input_files([str(clip) for clip in clips])
        for clip in clips:
            group = tab.get_by_role("group", name=clip.name, exact=True)
            fill_in(group, takes="none", size="64")
            group.get_by_role("button", name="Extract").click()
        for clip in clips:
            job(tab, f"extract {clip.name}", "done")
            tab.get_by_role("article", name=f"domain {clip.stem}").wait_for()
        ask_for_training(tab, steps=30, sample_every=10)
        tab.get_by_role("link", name="anna-ben", exact=True).click(timeout=PATIENCE_MS)
        ready(tab)
        seen = set()
        while "done" not in tab.inner_text("#state"):
            seen.add(tab.inner_text("#sample-step"))
            tab.wait_for_timeout(100)
        tab.locator("#sample-step", has_text="step 30").wait_for()
        assert {"step 10", "step 20"} & seen  # they arrived while it trained
        tab.get_by_role("button", name="Preview this frame").click()
        frame = tab.get_by_alt_text("the translated frame")
        frame.wait_for(timeout=PATIENCE_MS)
        assert frame.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 32
        before = frame.get_attribute("src")
        tab.get_by_label("size of frames").select_option("training")  # whereupon it is shown anew
        tab.wait_for_function("old => document.getElementById('frame-shown').getAttribute('src') !== old", arg=before)
        tab.get_by_role("button", name="Render", exact=True).click()
        job(tab, "render anna-ben", "done")
        go(tab, client, "/")
        tab.get_by_role("link", name="anna-as-ben").click()
        ready(tab)
        tab.get_by_role("button", name="one frame on").click()
        tab.locator("#now", has_text="frame 1 of").wait_for()
        assert tab.evaluate("[...document.querySelectorAll('video')].every(one => one.error === null)")
        assert "synthetic" in tab.inner_text("main").lower()
    assert len(list(read_frames(next((place / "renders").glob("anna-as-ben*.mp4"))))) > 0


@pytest.mark.slow
def test_training_outlives_the_server_is_stopped_and_gone_on_with(chromium: Any, domains: Path) -> None:
    with studio(domains) as client, opened(chromium, client, forgiving=True) as tab:
        ask_for_training(tab, steps=100_000, sample_every=1000)
        job(tab, "train", "running")
        wait_for(domains / "runs/anna-ben/metrics.csv")
        client.kill()
    with studio(domains) as client, opened(chromium, client) as tab:
        running = job(tab, "train", "running")  # it never knew
        assert "training" in tab.get_by_role("article", name="run anna-ben").inner_text()
        running.get_by_role("button", name="stop").click()
        job(tab, "train", "stopped").get_by_role("button", name="Go on").click()
        job(tab, "train", "running")
        wait_for(domains / "runs/anna-ben/.lock")
        go(tab, client, "/runs/anna-ben")
        tab.get_by_role("button", name="Stop (saves first)").click()
        job(tab, "train", "stopped")
    logs = [path.read_text() for path in (domains / "runs/.studio").glob("*/log.txt")]
    assert len(logs) == 1 and "going on from step" in logs[0]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert path.exists()


@pytest.mark.slow
def test_what_is_dropped_and_what_is_removed_comes_back(chromium: Any, domains: Path) -> None:
    anna = domains / "domains/anna"
    assert pictures_in(anna) == 40
    with studio(domains) as client, opened(chromium, client) as tab:
        go(tab, client, "/domains/anna")
        fill_in(tab.get_by_role("region", name="Pictures"), sorted_by="sharpness")
        tab.locator(".crop-cell span", has_text=":").first.wait_for()
        values = [
            float(text.split(":")[1].replace(",", "")) for text in tab.locator(".crop-cell span").all_inner_texts()
        ]
        assert len(values) == 40 and values == sorted(values)
        cell = tab.locator(".crop-cell").first
        blurred = cell.get_attribute("data-key")
        cell.focus()
        for key in ("Space", "ArrowRight", "ArrowRight", "Shift+Space", "Delete"):
            tab.keyboard.press(key)
        tab.get_by_role("button", name="Undo (3 dropped)").wait_for()
        assert pictures_in(anna) == 37
        clip, _, number = str(blurred).partition("/")
        assert not (anna / "frames" / clip / f"{int(number) + 1:06d}.jpg").exists()
        tab.get_by_role("button", name="Undo (3 dropped)").click()
        tab.get_by_text("1 to 40 of 40").wait_for()
        go(tab, client, "/")
        tab.get_by_role("button", name="remove ben").click()
        tab.get_by_role("article", name="domain ben").wait_for(state="detached")
        assert not (domains / "domains/ben").exists()
        tab.get_by_role("button", name="Undo", exact=True).click()
        tab.get_by_role("article", name="domain ben").wait_for()
        assert pictures_in(domains / "domains/ben") == 40
    assert pictures_in(anna) == 40


@pytest.mark.slow
def test_whom_to_follow_is_chosen_from_the_people_found(chromium: Any, place: Path) -> None:
    write_portrait(place / "her.mp4", frames=12)
    with studio(place) as client, opened(chromium, client) as tab:
        tab.get_by_label("Drop videos here").set_input_files(str(place / "her.mp4"))
        group = tab.get_by_role("group", name="her.mp4", exact=True)
        fill_in(group, takes="haar", size="64")
        group.get_by_role("button", name="Who is in it?").click()
        job(tab, "extract her.mp4", "done")
        go(tab, client, "/domains/her")
        people = tab.get_by_alt_text("people of the clip")
        assert people.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 100
        go(tab, client, "/")
        fill_in(group, takes="haar", size="64", follow="1")
        group.get_by_role("button", name="Extract").click()
        tab.get_by_role("article", name="domain her").wait_for(timeout=PATIENCE_MS)
    assert pictures_in(place / "domains/her") == 12
