"""A look that is killed goes on with the next frame, and ends with the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from data.domain.sources import open_source
from data.errors import NotAVideoError
from data.faces.detection import Detection
from data.faces.haar import Haar
from data.faces.placing import Placing, look
from data.faces.recognise import Looks
from tests.media import portrait, write_frames, write_portrait

FRAMES = 24
LOOK = """
import sys
from pathlib import Path
from data.domain.sources import open_source
from data.faces.haar import Haar
from data.faces.placing import look
from data.faces.recognise import Looks

class Counted(Haar):
    def find(self, rgb):
        with open(sys.argv[3], "a") as tally:
            tally.write("x")
        return super().find(rgb)

print("ready", flush=True)
look(open_source(Path(sys.argv[1])), Counted(), "largest", Path(sys.argv[2]), Looks())
"""


def start(clip: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A process that looks through the clip, once it is about to."""
    root = Path(__file__).parents[3]
    words = [sys.executable, "-c", LOOK, str(clip), str(folder), str(folder.with_suffix(".tally"))]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    return process


def kept(folder: Path) -> bytes:
    (path,) = folder.iterdir()
    return path.read_bytes()


def test_a_killed_look_goes_on_with_the_next_frame(tmp_path: Path) -> None:
    clip, undisturbed, killed = tmp_path / "p.mp4", tmp_path / "undisturbed", tmp_path / "killed"
    write_portrait(clip, frames=FRAMES, without=range(8, 10))
    assert start(clip, undisturbed).wait() == 0
    moments, kills = random.Random(0), 0
    while True:
        process = start(clip, killed)
        time.sleep(moments.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0 or kills == 5:
            break
        kills += 1
    assert start(clip, killed).wait() == 0
    assert kept(killed) == kept(undisturbed)
    assert len((tmp_path / "killed.tally").read_text()) <= FRAMES + kills + 1


def where(placing: Placing) -> list[np.ndarray | None]:
    return [None if place is None else place.landmarks for place in placing.places or []]


def test_a_log_of_any_length_is_gone_on_with(tmp_path: Path) -> None:
    """Cut after every line, and within one: what follows is the same."""
    clip, folder = tmp_path / "p.mp4", tmp_path / "looks"
    write_portrait(clip, frames=6)
    source = open_source(clip)
    whole = look(source, Haar(), "largest", folder, Looks())
    (path,) = folder.iterdir()
    content = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == 10]
    for end in (0, *ends[:-1], ends[2] + 40):
        path.write_bytes(content[:end])
        again = look(source, Haar(), "largest", folder, Looks())
        assert path.read_bytes() == content
        for one, other in zip(where(whole), where(again), strict=True):
            assert one is not None and other is not None and np.array_equal(one, other)


class Other(Haar):
    version = "another"


def test_another_aligner_or_clip_is_another_look(tmp_path: Path) -> None:
    clip, folder = tmp_path / "p.mp4", tmp_path / "looks"
    write_portrait(clip, frames=4)
    look(open_source(clip), Haar(), "largest", folder, Looks())
    look(open_source(clip), Haar(), 1, folder, Looks())
    assert len(list(folder.iterdir())) == 1, "another person needs no other look"
    look(open_source(clip), Other(), "largest", folder, Looks())
    assert len(list(folder.iterdir())) == 2
    write_portrait(clip, frames=5)
    assert look(open_source(clip), Haar(), "largest", folder, Looks()).frames == 5


def test_what_cannot_be_read_leaves_no_log(tmp_path: Path) -> None:
    clip, folder = tmp_path / "p.mp4", tmp_path / "looks"
    write_portrait(clip, frames=4)
    source = open_source(clip)
    clip.write_bytes(b"no video")
    with pytest.raises(NotAVideoError):
        look(source, Haar(), "largest", folder, Looks())
    assert list(folder.iterdir()) == []


class Noting(Haar):
    """Keeps how large the pictures are that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[tuple[int, ...]] = set()

    def find(self, rgb: np.ndarray) -> list[Detection]:
        self.shapes.add(rgb.shape)
        return super().find(rgb)


def test_faces_of_a_large_frame_are_found_in_a_small_picture_of_it(tmp_path: Path) -> None:
    """And placed in the frame's own pixels, to within a hundredth of the face's width."""
    small, large = [portrait(n / 25, 256) for n in range(6)], [portrait(n / 25, 1280) for n in range(6)]
    places = []
    for name, frames in (("small", small), ("large", large)):
        write_frames(tmp_path / f"{name}.mp4", frames)
        finder = Noting()
        placing = look(open_source(tmp_path / f"{name}.mp4"), finder, "largest", tmp_path / name, Looks())
        places.append(np.stack([points for points in where(placing) if points is not None]))
    assert finder.shapes == {(640, 640, 3)}
    width = np.ptp(places[0][0], axis=0).max() * 2
    assert np.abs((places[1] + 0.5) / 5 - 0.5 - places[0]).max() < 0.03 * width
