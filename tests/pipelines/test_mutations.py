"""Damaged files through extract and render, in short; at length: benchmarks/mutations.py."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mutations import Guarded
from data.video.reader import probe, read_frames
from data.writing.encode import VideoWriter
from tests.media import write_av, write_frames


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("seeds")
    pictures = [np.full((32, 48, 3), 20 * number, np.uint8) for number in range(8)]
    write_frames(folder / "a.mp4", pictures)
    write_frames(folder / "b.mkv", pictures, Fraction(30000, 1001))
    write_av(folder / "c.ts", video_seconds=0.4, sound_seconds=0.4, events=[0.2], codec="aac")
    process = Guarded(sorted(folder.iterdir()))
    yield process
    process.end()


def test_damaged_files_are_rendered_right_or_refused_in_one_line(guarded: Guarded) -> None:
    assert [fault for number in range(24) for fault in guarded.faults(number)] == []


def test_damaged_sound_costs_its_own_pieces_alone(tmp_path: Path) -> None:
    """Pieces of a broadcast stream without their headers: MP4 cannot take these, and all frames are done by then."""
    source = tmp_path / "a.ts"
    write_av(source, video_seconds=2, sound_seconds=2, events=[], codec="aac")
    data = bytearray(source.read_bytes())
    begins = [place for place in range(len(data)) if data[place : place + 4] == b"\0\0\1\xc0"]
    for place in begins[20:28]:
        data[place + 8] = 0  # the length of what precedes the sound
    source.write_bytes(data)
    with VideoWriter(tmp_path / "new.mp4", source=probe(source), audio_from=source) as writer:
        for frame in read_frames(source):
            writer.write(frame)
    assert [note for note in writer.notes if "8 damaged pieces of its sound are left out" in note]
    assert len(list(read_frames(tmp_path / "new.mp4"))) == 50
