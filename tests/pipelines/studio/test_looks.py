"""Every page on a phone and on a desk, in light and dark: nothing sticks out, everything has a name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages import NASTY, REGULAR, write_coded, write_config, write_domain, write_evaluation, write_logs
from tests.pipelines.studio.server import Client, studio
from tests.pipelines.studio.tab import go, opened

PAGES = ("/", "/domains/anna", "/runs/anna-ben", "/renders/clip-as-ben.mp4")
UNNAMED = """() => [...document.querySelectorAll("button, a, input, select, progress, video, img, summary")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length || "alt" in one))
  .map((one) => one.outerHTML)"""
CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const parts = [0.2126, 0.7152, 0.0722];
  const light = (text) => rgb(text).slice(0, 3).reduce((sum, v, at) => sum + linear(v) * parts[at], 0);
  const behind = (one) => {
    while (one && (rgb(getComputedStyle(one).backgroundColor)[3] ?? 1) === 0) one = one.parentElement;
    return getComputedStyle(one ?? document.body).backgroundColor;
  };
  const written = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("p, span, b, label, summary, dt, dd, h1, h2, h3, td, th, a, button")]
    .filter((one) => one.checkVisibility() && !one.disabled && written(one))
    .map((one) => {
      const [front, back] = [light(getComputedStyle(one).color), light(behind(one))];
      return [(Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05), one.outerHTML.slice(0, 120)];
    });
}"""
"""Of every text: how much it stands out."""
LEAST_CONTRAST = 4.5
"""Of text, as WCAG 2.2 AA has it."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looks")
    for name in ("anna", "ben"):
        write_domain(folder / "domains" / name, frames=12)
    run = folder / "runs/anna-ben"
    run.mkdir(parents=True)
    write_config(run)
    write_logs(run, rows=10)
    write_evaluation(run, REGULAR[:12])
    (folder / "renders").mkdir()
    write_coded(folder / "renders/clip-as-ben.mp4", "result", REGULAR[:12])
    (folder / "domains/.uploads").mkdir()
    write_coded(folder / "domains/.uploads/clip.mp4", "source", REGULAR[:12])
    job = folder / "runs/.studio/100-a"
    job.mkdir(parents=True)
    (job / "job.json").write_text('{"words": ["runs"], "lane": "work", "about": {}, "at": 1}')
    (job / "ended.json").write_text('{"code": 1, "at": 2}')
    (job / "log.txt").write_text(f"{NASTY}\n")
    return folder


@pytest.fixture(scope="module")
def client(full: Path) -> Iterator[Client]:
    with studio(full) as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1100, "light")])
def test_every_page_fits_is_named_and_is_legible(chromium: Any, client: Client, width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with opened(chromium, client, **options) as tab:
        for page in PAGES:
            go(tab, client, page)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, page
            assert tab.evaluate(UNNAMED) == [], page
            contrasts = tab.evaluate(CONTRAST)
            assert len(contrasts) > 5 and [one for one in contrasts if one[0] < LEAST_CONTRAST] == [], page
            assert tab.evaluate("window.hit") is None, page
        assert tab.locator("video").count() == 2  # a result beside the clip that it was made from


def test_the_first_thing_that_tab_reaches_leads_past_the_head(chromium: Any, client: Client) -> None:
    with opened(chromium, client) as tab:
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "To the content"
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "main"
