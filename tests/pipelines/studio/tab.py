"""A page of the studio in a real browser, used as a person does: by labels, roles and what is written there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pipelines.studio.server import Client

PATIENCE_MS = 300_000
"""For commands, on a machine that others use too."""


@contextmanager
def opened(chromium: Any, client: Client, *, forgiving: bool = False, **options: Any) -> Iterator[Any]:
    """The studio's first page. Afterwards: unless `forgiving`, nothing complained in the console."""
    context = chromium.new_context(**{"viewport": {"width": 1100, "height": 900}, **options})
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    wrong: list[str] = []
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.goto(client.address)
    ready(tab)
    try:
        yield tab
        assert forgiving or not wrong, wrong
    finally:
        context.close()


def ready(tab: Any) -> None:
    tab.wait_for_selector("body[data-ready]")


def go(tab: Any, client: Client, path: str) -> None:
    tab.goto(f"http://127.0.0.1:{client.port}{path}")
    ready(tab)


def job(tab: Any, words: str, state: str) -> Any:
    """Waits for a job whose title begins so to be in a state."""
    place = tab.locator(f"li.job[data-state='{state}']", has_text=words).first
    place.wait_for(timeout=PATIENCE_MS)
    return place


def fill_in(place: Any, **fields: str) -> None:
    """Fields by their labels, with _ for what keywords cannot hold."""
    for label, value in fields.items():
        control = place.get_by_label(label.replace("_", " "), exact=True)
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)


def ask_for_training(tab: Any, steps: int, sample_every: int) -> None:
    form = tab.get_by_role("region", name="Train")
    form.get_by_label("from (A)").select_option("anna")
    form.get_by_label("to the look of (B)").select_option("ben")
    fill_in(form, method="cyclegan", preset="tiny", or_steps=str(steps))
    form.get_by_text("More", exact=True).click()
    fill_in(form, steps_between_samples=str(sample_every))
    form.get_by_role("button", name="Train").click()


def pictures_in(domain: Path) -> int:
    return len(list((domain / "frames").glob("*/*.jpg")))
