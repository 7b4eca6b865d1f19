"""A run's folder as training and evaluation leave it, drawn by hand, and a browser to look at its pages."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import write_picture, write_sheet
from data.domain.record import Record
from recycle.config import to_json
from recycle.methods import METHODS
from tests.media import write_frames

SIDE = 64
BITS = 9
COLOURS = {"source": (40, 40, 200), "result": (200, 40, 40), "truth": (40, 200, 40)}
REGULAR = [40 * number for number in range(300)]
IRREGULAR = [0, 40, 200, 230, 280, 600, 640, 700, 1000, 1040]
NASTY = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
LOSSES = ("generators", "discriminators", "adversarial_ab", "cycle_a", "discriminator_b", "generator_gradient")


def coded(number: int, kind: str) -> np.ndarray:
    """A picture that says which clip it is from, by its upper half, and its number, by the stripes below."""
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[: SIDE // 2] = COLOURS[kind]
    for bit in range(BITS):
        rgb[SIDE // 2 :, bit * 7 : bit * 7 + 7] = 235 * (number >> bit & 1) + 10
    return rgb


def decoded(rgb: np.ndarray) -> tuple[str, int]:
    """What `coded` has put into a picture, of any size."""
    height, width = rgb.shape[:2]
    colour = rgb[height // 4, width // 2].astype(int)
    kind = min(COLOURS, key=lambda name: np.abs(colour - COLOURS[name]).sum())
    places = [int((bit * 7 + 3.5) / SIDE * width) for bit in range(BITS)]
    return kind, sum(int(rgb[3 * height // 4, x].mean() > 128) << bit for bit, x in enumerate(places))


def write_coded(path: Path, kind: str, milliseconds: list[int]) -> None:
    """An H.264 MP4 of coded pictures that are shown from these times on; without B-frames, as evaluation leaves it."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "10", "preset": "veryfast", "bf": "0"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, pts in enumerate(milliseconds):
            frame = av.VideoFrame.from_ndarray(coded(number, kind), format="rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def write_config(run: Path, a: str = "domains/anna", b: str = "domains/ben", **settings: Any) -> None:
    """config.json of a small CycleGAN."""
    config, training = METHODS["cyclegan"].defaults("tiny")
    own = {"method": "cyclegan", "a": a, "b": b, "aligner_a": "none", "aligner_b": "none", "crop_jitter": False}
    content = {
        "settings": {**own, "flip": False, "config": to_json(config), **settings},
        "training": to_json(training),
        "computes_in": "float32",
    }
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(content))


def write_logs(run: Path, rows: int = 60, samples: tuple[int, ...] = (100, 200, 300)) -> None:
    """metrics.csv with known values, and sample sheets, each of one grey."""
    lines = [",".join(["step", "seconds", "rate", *LOSSES])]
    for row in range(1, rows + 1):
        lines.append(",".join(map(str, [row * 5, row * 2.5, 2e-4, *(round((at + 1) / row, 6) for at in range(6))])))
    (run / "metrics.csv").write_text("\n".join(lines) + "\n")
    (run / "samples").mkdir(exist_ok=True)
    for step in samples:
        write_sheet(run / "samples" / f"step-{step:06d}.jpg", np.full((120, 160, 3), step % 256, np.uint8))


def write_evaluation(
    run: Path, milliseconds: list[int], *, truth: bool = True, sound: bool = False, **changes: Any
) -> dict[str, Any]:
    """evaluation.json and the videos of an evaluation; gives its content. sound: gives the source some."""
    folder, frames = run / "evaluation", len(milliseconds)
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ["source", "result", *(["truth"] if truth else [])]
    for kind in kinds:
        write_coded(folder / f"{kind}.mp4", kind, milliseconds)
    if sound:
        write_frames(folder / "source.mp4", [coded(number, "source") for number in range(frames)])
    at = [0, frames // 2, frames - 1]
    content = {
        "format": 1, "retarget": "0.1.0", "run": str(run), "method": "cyclegan", "step": 300, "weights": "ema",
        "direction": "a_to_b", "names": ["anna", "ben"], "input": "test.mp4", "truth": "truth.mp4" if truth else None,
        "result": "result.mp4", "videos": {kind: f"{kind}.mp4" for kind in kinds}, "frames": frames, "rate": "25/1",
        "size": [SIDE, SIDE],
        "measures": [
            {"name": "psnr", "title": f"PSNR {NASTY}", "value": 21.5, "unit": "dB", "better": "higher",
             "perfect": None, "perfect_text": "inf", "about": f"Formula {NASTY}"},
            {"name": "flicker", "title": "Flicker", "value": 0.5, "unit": "", "better": "lower", "perfect": 0,
             "about": ""},
            {"name": "fid", "title": "FID", "value": None, "why": "no weights", "unit": "", "better": "lower",
             "about": ""},
            {"name": "nicety", "title": "Nicety", "value": 0.0012, "unit": "", "better": "higher", "perfect": 1,
             "about": "Of a later version."},
        ],
        "per_frame": {
            "psnr": ["inf" if n == 1 else 20 + n / 100 for n in range(frames)],
            "flicker": [None, *(n / 100 for n in range(1, frames))],
        },
        "worst": {"flicker": [{"frame": n, "seconds": milliseconds[n] / 1000, "value": n / 100} for n in at[::-1]]},
        "parameters": {"mouth": {"range": [0, 1], "mean_error": 0.04, "part_of_range": 0.04, "correlation": 0.9}},
        "labels": {"classes": ["road", NASTY], "void": "void", "confusion": [[75, 25], [0, 50]],
                   "pixel_accuracy": 0.8, "class_accuracy": 0.8, "class_iou": 0.7},
        **changes,
    }  # fmt: skip
    (folder / "evaluation.json").write_text(json.dumps(content))
    return content


def write_domain(folder: Path, aligner: str = "none", frames: int = 60, clip: Path | None = None) -> None:
    """A domain of one clip at 25 frames a second; its last third is held out. Pictures are coded as of "truth"."""
    (folder / "frames" / "clip").mkdir(parents=True)
    records = []
    for number in range(frames):
        split = "train" if number < 2 * frames // 3 else "test"
        records.append(Record("clip", number, number, "1/25", 0, split))
        write_picture(folder / "frames" / "clip" / f"{number + 1:06d}.jpg", coded(number, "truth"))
    about = Clip("clip", str(clip), "", "video", {}, frames, frames, 1, "25/1", [SIDE, SIDE], 0, {})
    Domain(folder, aligner, SIDE, [about]).save(records)
    write_sheet(folder / "contact-sheet.jpg", np.full((90, 200, 3), 77, np.uint8))


@contextmanager
def browser() -> Iterator[Any]:
    """Headless Chromium. Skips the test where there is none."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium on PATH (as root, Debian: apt-get install chromium)")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'"
    )
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def opened(chromium: Any, page: Path, fragment: str = "", *, forgiving: bool = False, **options: Any) -> Iterator[Any]:
    """The page, opened from disk, all else refused. Afterwards: nothing was asked for and, unless `forgiving`, nothing
    complained in the console."""
    context = chromium.new_context(**{"viewport": {"width": 1100, "height": 900}, **options})
    asked: list[str] = []
    wrong: list[str] = []
    address = page.resolve().as_uri()

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        if route.request.url.split("#")[0] == address:
            route.continue_()
        else:
            route.abort()

    context.route("**/*", answer)
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    tab.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        tab.goto(address + fragment)
        yield tab
        assert [url.split("#")[0] for url in asked] == [address]
        assert forgiving or not wrong, wrong
    finally:
        context.close()
