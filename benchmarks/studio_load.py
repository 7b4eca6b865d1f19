"""How the studio bears many domains and pictures: what its answers cost, its memory, and what it costs when idle.

python benchmarks/studio_load.py [FOLDER]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import numpy as np

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import write_picture, write_sheet
from data.domain.record import Record

DOMAINS, PICTURES = 200, 100_000
ROUNDS = 5
IDLE_SECONDS = 30


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder)
        make(place)
        measure(place)


def make(place: Path) -> None:
    """Domains of a picture each, and one of very many, which are links to one file."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for number in range(DOMAINS):
        add_domain(place / "domains" / f"domain-{number}", picture, 1 if number else PICTURES)


def add_domain(folder: Path, picture: np.ndarray, frames: int) -> None:
    if (folder / "domain.json").exists():
        return
    domain = Domain(folder, aligner="none", size=64)
    domain.clips = [Clip("clip", "clip.mp4", "", "video", {}, frames, frames, 1, "25/1", [64, 64], 0, {})]
    (folder / "frames" / "clip").mkdir(parents=True)
    first = folder / "frames" / "clip" / "000001.jpg"
    write_picture(first, picture)
    for number in range(1, frames):
        os.link(first, first.with_name(f"{number + 1:06d}.jpg")) if number % 60_000 else write_picture(
            first := first.with_name(f"{number + 1:06d}.jpg"), picture
        )
    points = [[float(at), float(at)] for at in range(68)]
    sharpness = np.random.default_rng(1).random(frames)
    domain.save(
        Record("clip", n, n, "1/25", 0, "train", landmarks=points, sharpness=float(sharpness[n])) for n in range(frames)
    )
    write_sheet(folder / "contact-sheet.jpg", np.full((90, 200, 3), 77, np.uint8))


def measure(place: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "studio", "--port", "0"],
        cwd=place, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    try:
        assert process.stdout
        found = next(filter(None, (re.search(r"(http://[\d.:]+)/\?token=\S+", line) for line in process.stdout)))
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        opener.open(found[0]).read()
        grid = f"{found[1]}/api/domains/domain-0/crops?sort=sharpness&count=200&first="
        rows = {
            "first page, the page": [f"{found[1]}/"],
            f"first page, what it shows ({DOMAINS} domains)": [f"{found[1]}/api/home"],
            f"grid, sorted, {PICTURES:,} pictures": [f"{grid}{first}" for first in (0, 50_000, 99_800)],
        }
        print(f"{'seconds of computing':48} {'first':>8} {'later':>8} {'MB':>6}")
        for name, addresses in rows.items():
            times = [seconds(opener, addresses[turn % len(addresses)], process.pid) for turn in range(ROUNDS)]
            print(f"{name:48} {times[0]:8.2f} {np.median(times[1:]):8.2f} {memory_mb(process.pid):6.0f}")
        assert len(json.load(opener.open(f"{grid}0"))["pictures"]) == 200
        before = computed(process.pid)
        time.sleep(IDLE_SECONDS)
        alone = (computed(process.pid) - before) / IDLE_SECONDS
        with opener.open(f"{found[1]}/events"):
            before = computed(process.pid)
            time.sleep(IDLE_SECONDS)
            followed = (computed(process.pid) - before) / IDLE_SECONDS
        print(f"idle: {alone:.2%} of a core; with a page open: {followed:.2%}")
    finally:
        process.terminate()
        process.wait()


def seconds(opener: urllib.request.OpenerDirector, address: str, process: int) -> float:
    """Of computing, which the studio needs for an answer, whatever else the machine does."""
    before = computed(process)
    opener.open(address).read()
    return computed(process) - before


def memory_mb(process: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) / 1000


def computed(process: int) -> float:
    """Seconds of computing of a process so far."""
    parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
