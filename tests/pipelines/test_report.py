"""The report: read in a real browser, from disk, with no network."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import run
from tests.pages import NASTY, REGULAR, opened, write_config, write_domain, write_evaluation, write_logs


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two domains and a run with twelve seconds of evaluation, and its report."""
    place = tmp_path_factory.mktemp("world")
    folder = place / "runs" / "anna-ben"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        write_domain(Path("domains/anna"))
        write_domain(Path("domains/ben"))
        write_config(folder)
        write_logs(folder)
        write_evaluation(folder, REGULAR, sound=True)
        assert run(["report"]) == 0
    return place


@pytest.fixture
def report(world: Path) -> Path:
    return world / "runs" / "anna-ben" / "report.html"


def test_everything_is_there_and_nothing_is_asked_for(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as tab:
        text = tab.inner_text("body")
        for words in (
            "anna → ben",
            "CycleGAN (Zhu et al. 2017) at 64 px, trained to step 300",
            "21.50",
            "perfect: ∞",
        ):
            assert words in text
        assert "Measured on test.mp4 against truth.mp4: the running mean of the weights at step 300." in text
        assert "cycle 10, identity 5 (adversarial: least squares)" in text
        assert "ResNet with 3 blocks, 16 filters, instance normalisation" in text
        assert "60 pictures of None: whole frames, kept at 64 px." in text
        assert tab.locator(".domains img").count() == 2
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        groups = tab.locator("#measures-body tbody").all_inner_texts()
        assert [group.split("\n")[0].strip() for group in groups] == [
            "How near is the result to the right answer?",
            "Is it steady from frame to frame?",
            "Other measures",
        ]
        assert "0.001200" in groups[2]
        tab.click("#measures-body summary")
        assert tab.locator("#measures-body dl").inner_text().split("\n") == ["FID", "no weights"]
        mouth = tab.locator("#parameters-body tr", has_text="mouth").inner_text()
        assert re.split(r"\s*\t", mouth) == ["mouth", "0 to 1", "0.04000", "4.0\u00a0%", "0.900"]
        cells = tab.locator("#confusion-body tbody td").all_inner_texts()
        assert cells == ["75.0", "25.0", "0", "100"]


def test_what_a_user_wrote_stays_text(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as tab:
        assert NASTY in tab.locator("#measures-body").inner_text()
        assert NASTY in tab.locator("#confusion-body").inner_text()
        assert tab.evaluate("window.hit") is None
        assert tab.locator("img[src=x]").count() == 0


def test_what_slips_in_can_neither_run_nor_call_home(chromium: Any, report: Path) -> None:
    with opened(chromium, report, forgiving=True) as tab:
        assert tab.evaluate("fetch('https://example.org/').then(() => 'fetched', () => 'refused')") == "refused"
        tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.hit = 2'}))")
        assert tab.evaluate("window.hit") is None


def test_samples_are_scrubbed_through(chromium: Any, report: Path) -> None:
    grey = """() => {
      const canvas = document.createElement("canvas");
      const context = canvas.getContext("2d");
      context.drawImage(document.getElementById("sheet"), 0, 0);
      return context.getImageData(20, 20, 1, 1).data[0];
    }"""
    with opened(chromium, report) as tab:
        for key, step in ((None, 300), ("ArrowLeft", 200), ("Home", 100), ("ArrowRight", 200)):
            if key:
                tab.focus("#sample")
                tab.keyboard.press(key)
            assert tab.inner_text("#sample-step") == f"step {step}"
            tab.wait_for_function("() => document.getElementById('sheet').complete")
            assert abs(tab.evaluate(grey) - step % 256) <= 3
        assert tab.input_value("#seek") == "0"  # those keys were not the players'


def test_curves_show_what_metrics_hold(chromium: Any, report: Path) -> None:
    with (report.parent / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    with opened(chromium, report) as tab:
        titles = tab.locator("#curves .curve h3").all_inner_texts()
        assert titles == ["Generators", "Discriminators", "Gradient norms", "Learning rate"]
        chart = tab.locator("#curves .curve").first
        names = [text.split("\n")[0] for text in chart.locator(".legend li").all_inner_texts()]
        assert names == ["generators", "adversarial ab", "cycle a"]
        chart.locator("> svg").focus()
        tab.keyboard.press("Home")
        tab.keyboard.press("ArrowRight")
        assert "step 10," in chart.locator(".readout").inner_text()
        assert float(chart.locator(".legend b").nth(2).inner_text()) == pytest.approx(
            float(rows[1]["cycle_a"]), rel=1e-3
        )
        assert chart.locator("path.line").count() == 3
        chart.locator(".legend button").nth(1).click()
        assert chart.locator("path.line").count() == 2
        before = chart.locator("path.line").first.get_attribute("d")
        chart.locator(".top button").click()
        assert chart.locator("path.line").first.get_attribute("d") != before
        assert tab.input_value("#seek") == "0"


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_wider_than_the_screen(chromium: Any, report: Path, width: int) -> None:
    with opened(chromium, report, viewport={"width": width, "height": 640}) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        wide = tab.evaluate("""() => [...document.querySelectorAll("body *")].filter(element =>
          !element.closest(".scroll, pre, svg") && element.getBoundingClientRect().right > innerWidth + 1
          && getComputedStyle(element).position !== "absolute").map(element => element.outerHTML.slice(0, 80))""")
        assert not wide


def test_dark_where_the_system_is(chromium: Any, report: Path) -> None:
    lightness = []
    for scheme in ("light", "dark"):
        with opened(chromium, report, color_scheme=scheme) as tab:
            for name in ("backgroundColor", "color"):
                colour = tab.evaluate(f"getComputedStyle(document.body).{name}")
                lightness.append(sum(map(int, re.findall(r"\d+", colour)[:3])))
    assert lightness[0] > 600 > 150 > lightness[1]
    assert lightness[2] < 150 < 600 < lightness[3]


def test_every_control_can_be_reached_and_has_a_name(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as tab:
        controls = "button:visible, input:visible, select:visible, [role=slider]:visible, a:visible, summary:visible"
        expected = tab.locator(controls).count() - tab.locator("button:disabled:visible").count()
        seen = set()
        for _ in range(3 * expected):
            tab.keyboard.press("Tab")
            found = tab.evaluate("""() => {
              const element = document.activeElement;
              const label = element.getAttribute("aria-label") || element.innerText || element.labels?.[0]?.innerText;
              const ring = getComputedStyle(element).outlineStyle;
              return [[...document.querySelectorAll("*")].indexOf(element), element.tagName, label || "", ring];
            }""")
            if found[1] == "BODY":
                break
            assert found[2].strip() and found[3] != "none", found
            seen.add(found[0])
        assert len(seen) >= expected
