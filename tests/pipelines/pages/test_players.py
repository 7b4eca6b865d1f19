"""The report's players: driven in a real browser, and told apart by their pixels."""

import re
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipelines.cli import run
from tests.pages import IRREGULAR, REGULAR, decoded, opened, write_config, write_evaluation

PICTURES = """() => [...document.querySelectorAll("video")].map(video => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 4];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  context.drawImage(video, 0, 0, 64, 4);
  return [...context.getImageData(0, 0, 64, 4).data];
})"""
"""The players' pictures in four lines, enough for `decoded`."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with twelve seconds of evaluation."""
    folder = tmp_path_factory.mktemp("players")
    write_config(folder)
    write_evaluation(folder, REGULAR, sound=True)
    assert run(["report", "--run", str(folder)]) == 0
    return folder / "report.html"


def shown(tab: Any) -> list[tuple[str, int]]:
    """Which clip, and which frame of it, stands in each player, by its pixels."""
    return [decoded(np.array(pixels, np.uint8).reshape(4, 64, 4)[..., :3]) for pixels in tab.evaluate(PICTURES)]


def arrived(tab: Any, frame: int) -> None:
    """Waits until all players show a frame."""
    expected = [(kind, frame) for kind in ("source", "result", "truth")]
    deadline = time.monotonic() + 20
    while shown(tab) != expected and time.monotonic() < deadline:
        tab.wait_for_timeout(20)
    assert shown(tab) == expected
    assert tab.input_value("#seek") == str(frame)


def on_screen(tab: Any) -> list[tuple[str, int]]:
    """What `shown` tells, as it stands on the screen at one moment."""
    boxes = [video.bounding_box() for video in tab.locator("video").all()]
    content = np.frombuffer(tab.screenshot(type="png"), np.uint8)
    screen = cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    places = [[round(box[name]) for name in ("x", "y", "width", "height")] for box in boxes]
    return [decoded(screen[y : y + height, x : x + width]) for x, y, width, height in places]


def test_players_stay_within_a_frame_of_each_other(chromium: Any, report: Path) -> None:
    """By what is seen: the clocks of the videos do not tell which frame is on the screen.

    Slowed down, as what is asked is whether players keep together, not whether a busy machine shows 25 frames a second.
    """
    seen = []
    with opened(chromium, report) as tab:
        tab.select_option("#speed", "0.5")
        tab.keyboard.press("Space")
        tab.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
        while tab.evaluate("document.querySelector('video').currentTime") < 6:
            seen.append(on_screen(tab))
        assert tab.inner_text("#play") == "Pause"
        assert tab.evaluate("[...document.querySelectorAll('video')].every(video => video.muted)")
        tab.keyboard.press("Space")
        tab.wait_for_function("() => [...document.querySelectorAll('video')].every(v => v.paused && !v.seeking)")
        arrived(tab, int(tab.input_value("#seek")))
    assert all([kind for kind, _ in kinds] == ["source", "result", "truth"] for kinds in seen)
    apart = np.ptp([[number for _, number in players] for players in seen], axis=1)
    assert len(apart) > 20
    assert np.mean(apart <= 1) >= 0.95 and apart.max() <= 3  # a busy machine may be late for once


def test_a_player_that_falls_behind_is_brought_back(chromium: Any, report: Path) -> None:
    """Within the 1.2 frames that clocks may differ by. By speed alone a second would take five to catch up with."""
    together = """() => {
      const times = [...document.querySelectorAll("video")].map(video => video.currentTime);
      return Math.max(...times) - Math.min(...times) < 0.05 && times[0] > 0.3 && times[0];
    }"""
    with opened(chromium, report) as tab:
        tab.click("#play")
        for seconds in (0.1, 1):
            tab.wait_for_function(together)
            begun = tab.evaluate(
                """by => {
              const videos = document.querySelectorAll("video");
              videos[1].currentTime -= by;
              return videos[0].currentTime;
            }""",
                seconds,
            )
            assert tab.wait_for_function(together).json_value() < begun + 2.5
        assert tab.inner_text("#play") == "Pause"


def test_players_are_compared_by_what_they_show(chromium: Any, report: Path) -> None:
    """One shows what is 0.06 seconds ahead of its clock: its clock has to be as much behind the others'."""
    with opened(chromium, report) as tab:
        tab.evaluate("""() => document.querySelectorAll("video").forEach((video, number) => {
          const asked = video.requestVideoFrameCallback.bind(video);
          video.requestVideoFrameCallback = (answer) =>
            asked((now) => answer(now, { mediaTime: video.currentTime + (number === 1 ? 0.06 : 0) }));
        })""")
        tab.click("#play")
        tab.wait_for_function("""() => {
          const [first, second, third] = [...document.querySelectorAll("video")].map(video => video.currentTime);
          return first > 1 && Math.abs(first - second - 0.06) < 0.01 && Math.abs(first - third) < 0.01;
        }""")


def test_the_source_is_heard_when_asked_for(chromium: Any, report: Path) -> None:
    muted = "[...document.querySelectorAll('video')].map(video => video.muted)"
    with opened(chromium, report) as tab:
        assert tab.evaluate(muted) == [True, True, True]
        tab.click("#sound")
        assert tab.evaluate(muted) == [False, True, True]
        assert tab.get_attribute("#sound", "aria-pressed") == "true"


def test_it_ends_on_the_last_frame_and_begins_anew(chromium: Any, report: Path) -> None:
    with opened(chromium, report, "#frame=290") as tab:
        arrived(tab, 290)
        tab.select_option("#speed", "2")
        tab.click("#play")
        tab.wait_for_function("() => document.getElementById('play').textContent === 'Play'")
        arrived(tab, 299)
        tab.click("#play")
        tab.wait_for_function("() => Number(document.getElementById('seek').value) < 150")
        tab.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
        assert tab.evaluate("document.querySelector('video').playbackRate") == 2


def test_frames_are_stepped_through_by_keyboard(chromium: Any, tmp_path: Path) -> None:
    write_config(tmp_path)
    write_evaluation(tmp_path, IRREGULAR)
    assert run(["report", "--run", str(tmp_path)]) == 0
    with opened(chromium, tmp_path / "report.html") as tab:
        arrived(tab, 0)
        for frame in range(1, len(IRREGULAR)):
            tab.keyboard.press("." if frame % 2 else "ArrowRight")
            arrived(tab, frame)
        assert "at 0:01.04" in tab.inner_text("#now")
        tab.keyboard.press(",")
        arrived(tab, 8)
        tab.keyboard.press("Shift+ArrowLeft")  # a second of frames as long as these are on average
        arrived(tab, 0)
        for _ in range(7):  # faster than seeking is
            tab.keyboard.press("ArrowRight")
        arrived(tab, 7)
        tab.focus("#seek")
        tab.keyboard.press("End")
        arrived(tab, 9)


def test_the_strip_and_the_worst_moments_lead_to_their_frames(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as tab:
        box = tab.locator("#strip").bounding_box()
        tab.mouse.click(box["x"] + box["width"] * 75.5 / 300, box["y"] + 5)
        arrived(tab, 75)
        assert tab.inner_text("#value") == "20.75 dB"
        tab.select_option("#which", "flicker")
        assert tab.inner_text("#value") == "0.7500"
        assert tab.inner_text("#scale") == (
            "taller is worse: 0.01000 at the bottom, 2.990 at the top; red: the worst moments"
        )
        path = tab.locator("#strip .amount").get_attribute("d")
        tops = [float(top) for top in re.findall(r"V([\d.]+)h", path)]
        assert tops[0] == 100 and tops[1] > tops[150] > tops[299]  # nothing, then ever taller
        tab.select_option("#which", "psnr")
        tops = [float(top) for top in re.findall(r"V([\d.]+)h", tab.locator("#strip .amount").get_attribute("d"))]
        assert tops[1] == 100 and tops[0] < tops[150] < tops[299]  # infinite, then ever better
        tab.click("a.moment >> nth=1")
        arrived(tab, 150)
        assert tab.url.endswith("#frame=150")
        tab.focus("#strip")
        tab.keyboard.press("PageUp")
        arrived(tab, 180)
        assert tab.get_attribute("#strip", "aria-valuetext").startswith("frame 180, 0:07.20: PSNR")
