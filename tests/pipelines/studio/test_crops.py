"""The grid of a domain's pictures: what it lists and how, and that what is dropped comes back."""

import math
from pathlib import Path

import numpy as np
import pytest

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import write_picture
from data.domain.record import Record
from pipelines.studio.crops import Grids, drop, take_back

FRAMES = 12


@pytest.fixture
def domain(tmp_path: Path) -> Domain:
    """Two clips, the second one's pictures drawn, every third a PNG; some frames excluded, some without sharpness."""
    made = Domain(tmp_path / "anna", aligner="none", size=32)
    made.clips = [
        Clip(name, f"{name}.mp4", "", "video", {}, FRAMES, FRAMES, 1, "25/1", [32, 32], 0, {}) for name in ("p", "q")
    ]
    records = []
    for clip in ("p", "q"):
        for number in range(FRAMES):
            split = "excluded" if number == 5 else "test" if number > 8 else "train"
            blur = None if number % 4 == 1 else float((number * 7) % 5)
            png = (clip == "q" and number % 3 == 0) or None
            record = Record(clip, number, number, "1/25", 0, split, sharpness=blur, png=png)
            records.append(record)
            if split != "excluded":
                (made.folder / "frames" / clip).mkdir(parents=True, exist_ok=True)
                write_picture(made.folder / record.picture, np.full((32, 32, 3), number, np.uint8))
    made.save(records)
    return Domain.load(made.folder)


@pytest.mark.parametrize("falling", [False, True])
def test_it_lists_what_is_there_in_the_order_asked_for(domain: Domain, falling: bool) -> None:
    page = Grids().page(domain.folder, sort="sharpness", falling=falling)
    kept = [record for record in domain.records() if record.split != "excluded"]
    sign = -1 if falling else 1
    kept.sort(key=lambda record: math.inf if record.sharpness is None else sign * record.sharpness)
    assert page["pictures"] == [[r.clip, r.number, r.split, r.sharpness, r.file_name] for r in kept]
    assert page["of"] == len(kept) == 22 and page["sorts"] == ["sharpness"]
    part = Grids().page(domain.folder, clip="q", first=3, count=2)
    assert [picture[4] for picture in part["pictures"]] == ["000004.png", "000005.jpg"] and part["of"] == 11


def test_what_is_dropped_is_gone_until_it_is_taken_back(domain: Domain) -> None:
    grids = Grids()
    assert grids.page(domain.folder)["of"] == 22
    key = drop(domain.folder, [("q", 0), ("q", 1), ("q", 5)])  # a PNG, a JPEG, one that is not there
    assert {("q", 0), ("q", 1)}.isdisjoint((clip, n) for clip, n, *_ in grids.page(domain.folder)["pictures"])
    assert grids.page(domain.folder)["of"] == 20
    assert take_back(domain.folder, key) == 2
    assert grids.page(domain.folder)["of"] == 22


def test_a_damaged_clip_is_left_out_and_the_others_are_shown(domain: Domain) -> None:
    path = domain.folder / "clips" / "p.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"train"', b'"tr\xffin"', 1))
    page = Grids().page(domain.folder)
    assert {picture[0] for picture in page["pictures"]} == {"q"} and page["of"] == 11
