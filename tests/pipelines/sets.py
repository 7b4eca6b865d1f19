"""Drawn sets of pictures, and what was extracted from them."""

from pathlib import Path

import numpy as np

from data.domain.domain import Domain
from data.domain.pictures import read_picture, write_sheet
from pipelines.cli import run


def beside(*greys: int, width: int = 32, height: int = 32) -> np.ndarray:
    """Flat greys side by side."""
    return np.concatenate([np.full((height, width, 3), grey, np.uint8) for grey in greys], axis=1)


def put(folder: str, *pictures: np.ndarray) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, start=1):
        write_sheet(Path(folder) / f"{number}.png", picture)


def put_set() -> None:
    """A CycleGAN set of pictures in several sizes."""
    for letter, base in (("A", 0), ("B", 128)):
        put(f"set/train{letter}", *(beside(base + 8 * n, width=32 + 4 * n, height=40) for n in range(5)))
        put(f"set/test{letter}", *(beside(base + 100 + 8 * n) for n in range(2)))


def extracted(*words: str, code: int = 0) -> None:
    assert run(["extract", *words, "--size", "32"]) == code


def table(name: str) -> list[tuple[str, int, int, str]]:
    """(clip, number, shot, part) of every frame of a domain."""
    records = Domain.load(Path("domains") / name).records()
    return [(record.clip, record.number, record.shot, record.split) for record in records]


def greys(name: str) -> list[tuple[int, tuple[int, ...]]]:
    """(grey, shape) of every picture of a domain, which has to be flat but for what JPEG does."""
    domain = Domain.load(Path("domains") / name)
    found = []
    for record in domain.records():
        picture = read_picture(domain.folder / record.picture)
        assert np.ptp(picture) <= 2, record
        found.append((round(float(picture.mean())), picture.shape[:2]))
    return found


def files() -> dict[str, int]:
    """Every file under domains/, with when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in Path("domains").rglob("*") if path.is_file()}
