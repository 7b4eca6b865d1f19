"""What a domain of many clips costs: to open it, to hold its windows, to add one more clip to it.

    python benchmarks/large_domain.py [--clips 1000] [--frames 100] [--landmarks 68]

The pictures are of 4 x 4 pixels, so that what is measured is the bookkeeping. Seconds are of processor time in this
process; memory is what stays allocated by Python and NumPy (tracemalloc, in a second opening).
"""

import argparse
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import encode_jpeg
from data.domain.record import Record, linked
from data.domain.windows import Windows

SIDE = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--landmarks", type=int, default=68)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        domain = make(Path(folder) / "large", options.clips, options.frames, options.landmarks)
        open_windows(domain)  # decodes
        begun = time.process_time()
        windows = open_windows(domain)
        opened = time.process_time() - begun
        tracemalloc.start()
        kept = open_windows(domain)
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept) == len(windows)
        print(f"{options.clips} clips, {options.clips * options.frames} frames of {options.landmarks} landmarks")
        print(f"| opening it with its windows | {opened:.2f} s |")
        print(f"| memory of the windows | {held / 1e6:.1f} MB, {peak / 1e6:.1f} MB while they are made |")
        written, seconds = one_more(domain, options.frames, options.landmarks)
        print(f"| bookkeeping of one more clip | {written / 1e3:.0f} kB, {seconds * 1e3:.1f} ms |")


def make(folder: Path, clips: int, frames: int, landmarks: int) -> Domain:
    """A domain of that many clips, drawn by number."""
    domain = Domain(folder, "fan", SIDE)
    picture = encode_jpeg(np.zeros((SIDE, SIDE, 3), np.uint8))
    domain.begin()
    for number, (name, place) in enumerate(domain.places([f"/films/{n}.mp4" for n in range(clips)])):
        pictures = folder / "frames" / ".made"
        pictures.mkdir()
        for frame in range(frames):
            (pictures / f"{frame + 1:06d}.jpg").write_bytes(picture)
        domain.enter(*described(name, place, frames, landmarks, seed=number), pictures)
    return Domain.load(folder)


def described(name: str, place: int, frames: int, landmarks: int, seed: int) -> tuple[Clip, list[Record]]:
    """A clip and its frames, with landmarks as a face has them."""
    points = np.random.default_rng(seed).uniform(0, 1000, (frames, landmarks, 2)).round(2).tolist()
    transform = [[0.512345, 0.012345, -123.456789], [-0.012345, 0.512345, -98.765432]]
    clip = Clip(name, f"/films/{name}.mp4", "0" * 64, "video", {}, frames, frames, 1, "25", [9, 9], 0, {}, place=place)
    records = [
        Record(name, n, 512 * n, "1/12800", 0, "train", 0, points[n], transform, 123.4, repeats=None)
        for n in range(frames)
    ]
    return clip, linked(records)  # as extracting leaves them


def open_windows(domain: Domain) -> Windows:
    return Windows(Domain.load(domain.folder), split="train", window=3, size=SIDE, crop_jitter=False)


def one_more(domain: Domain, frames: int, landmarks: int) -> tuple[int, float]:
    """Bytes written and seconds of processor time to enter one more clip, pictures aside."""
    before = {path: path.stat().st_mtime_ns for path in domain.folder.rglob("*.json*")}
    pictures = domain.folder / "frames" / ".made"
    pictures.mkdir()
    ((name, place),) = domain.places(["/films/more.mp4"])
    made = described(name, place, frames, landmarks, seed=-1 % 2**32)
    begun = time.process_time()
    domain.enter(*made, pictures)
    seconds = time.process_time() - begun
    changed = [p for p in domain.folder.rglob("*.json*") if before.get(p) != p.stat().st_mtime_ns]
    return sum(path.stat().st_size for path in changed if path.name != "names.jsonl"), seconds


if __name__ == "__main__":
    main()
