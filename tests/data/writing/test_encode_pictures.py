"""Written pictures: colours come back, odd sizes stay, memory stays flat."""

import resource
from fractions import Fraction

import numpy as np
import pytest

from data.video.frame import Frame
from data.video.reader import probe, read_frames
from tests.data.writing.written import drawn, info_of, write

SMOOTH = np.stack(
    [np.tile(np.linspace(10, 245, 96), (64, 1)), np.tile(np.linspace(230, 30, 64)[:, None], (1, 96)),
     np.tile(np.linspace(60, 180, 96)[::-1], (64, 1))], axis=-1,
).astype(np.uint8)  # fmt: skip


@pytest.mark.parametrize(
    ("colour", "written"),
    [
        ({}, ("unspecified", "unspecified")),
        ({"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}, ("tv", "bt709")),
        ({"range": "pc", "space": "smpte170m"}, ("pc", "smpte170m")),
        ({"range": "pc", "space": "bt709", "transfer": "iec61966-2-1"}, ("pc", "bt709")),
        ({"range": "tv", "space": "bt2020nc", "primaries": "bt2020", "transfer": "smpte2084"}, ("tv", "bt709")),
        ({"range": "tv", "space": "bt2020nc", "primaries": "bt2020", "transfer": "bt2020-10"}, ("tv", "bt2020nc")),
        ({"range": "tv", "space": "ycgco"}, ("tv", "smpte170m")),
    ],
    ids=["untagged", "709", "full 601", "full 709", "HDR", "2020 SDR", "unknown matrix"],
)
def test_colours_come_back(tmp_path, colour, written):
    info = info_of(size=(96, 64), colour=colour)
    frame = Frame(SMOOTH, 0, 0, info.time_base)
    write(tmp_path / "a.mp4", [frame], info)
    again = probe(tmp_path / "a.mp4").colour
    assert (again["range"], again["space"]) == written
    if colour.get("transfer") == "smpte2084":
        assert (again["primaries"], again["transfer"]) == ("bt709", "bt709")
    elif "transfer" in colour:
        assert again["transfer"] == colour["transfer"]
    read = next(read_frames(tmp_path / "a.mp4")).rgb.astype(int)
    assert np.abs(read - SMOOTH).mean() < 2


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuv420p"])
def test_another_size_does_not_change_untagged_colours(tmp_path, pixel_format):
    """A small crop of a large untagged picture is tagged, for readers guess the matrix by the size."""
    info = info_of(size=(1920, 1080), pixel_format=pixel_format)
    write(tmp_path / "a.mp4", [Frame(SMOOTH, 0, 0, info.time_base)], info, size=(96, 64))
    assert probe(tmp_path / "a.mp4").colour["space"] == "bt709"
    assert np.abs(next(read_frames(tmp_path / "a.mp4")).rgb.astype(int) - SMOOTH).mean() < 2


@pytest.mark.parametrize("size", [(33, 17), (33, 16), (1, 1)])
def test_odd_sizes_stay(tmp_path, size):
    info = info_of(size=size)
    notes = write(tmp_path / "a.mp4", drawn([0, 512], info), info)
    assert (probe(tmp_path / "a.mp4").width, probe(tmp_path / "a.mp4").height) == size
    assert len(notes) == 1 and "odd" in notes[0]


def test_memory_stays_flat(tmp_path):
    """Eight times the frames take no more memory: the peak of this process grows by less than 20 MB."""
    info = info_of(Fraction(1, 25), size=(160, 120))

    def peak_after(count: int) -> int:
        pictures = (np.full((120, 160, 3), number % 200, np.uint8) for number in range(count))
        frames = (Frame(rgb, number, number, info.time_base) for number, rgb in enumerate(pictures))
        write(tmp_path / "a.mp4", frames, info)
        assert sum(1 for _ in read_frames(tmp_path / "a.mp4")) == count
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    short = peak_after(100)
    assert peak_after(800) - short < 20_000  # 700 frames are 40 MB
