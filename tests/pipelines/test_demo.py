"""`retarget demo`, the whole one and the quick one."""

import configparser
import re
from pathlib import Path

import pytest

from pipelines import demo
from pipelines.cli import run
from tests.media import frame_times


@pytest.mark.slow
def test_the_demo_leaves_what_it_promises(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--minutes", "0.05", "--frames", "20", "--test-frames", "8", "--size", "32"]
    assert run(["demo", *words]) == 0
    said = capfd.readouterr().out
    assert "translated.mp4 against the truth" in said
    assert f"Open {Path('demo/run/report.html')}" in said.splitlines()[-1]
    assert "data:video/mp4" in (place / "demo/run/report.html").read_text()
    for name in ("translated.mp4", "demo.mp4", "demo.gif", "sheet.png"):
        assert (place / "demo" / name).stat().st_size > 500
    assert frame_times(place / "demo" / "translated.mp4") == frame_times(place / "demo" / "clips" / "truth.mp4")


def test_the_quick_demo_shows_a_good_translation_of_a_clip_that_nobody_trained_on(
    place: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "QUICK_FRAMES", 16)
    assert run(["demo", "--quick"]) == 0
    said = capfd.readouterr().out
    found = re.search(r"against the truth: ([\d.]+) dB, \+([\d.]+) dB over the best constant picture", said)
    assert found and float(found[1]) > 24 and float(found[2]) > 4
    page = Path("demo/quick/run/report.html")
    assert f"Open {page} " in said.splitlines()[-1] and page.read_text().count("data:video/mp4") == 3
    assert run(["demo", "--quick", "--minutes", "3"]) == 2 and "--minutes 3.0" in capfd.readouterr().err


def test_what_the_quick_demo_shows_is_small_and_goes_into_the_wheel() -> None:
    files = [path for path in demo.QUICK_RUN.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2_000_000
    settings = configparser.ConfigParser()
    settings.read(demo.QUICK_RUN.parents[1] / "setup.cfg")
    room = demo.QUICK_RUN.parent
    patterns = settings["options.package_data"]["pipelines"].split(", ")
    packed = {path for pattern in patterns for path in room.glob(pattern)}
    assert len(files) > 4 and set(files) <= packed
