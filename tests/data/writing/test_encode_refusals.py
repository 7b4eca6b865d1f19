"""What cannot be written is one line; nothing half-written stays, on a full disk either."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data.errors import MissingInputError, OutputError, SettingsError
from data.video.frame import Frame
from data.writing.encode import VideoWriter
from tests.data.writing.written import clicks, drawn, info_of, left_in, times_in, write


def test_nothing_stays_of_a_video_that_broke_off(tmp_path):
    info = info_of()
    (tmp_path / "a.mp4").write_bytes(b"the one before")
    with pytest.raises(RuntimeError, match="stop"), VideoWriter(tmp_path / "a.mp4", source=info) as writer:
        for frame in drawn(list(range(0, 51200, 512)), info):
            writer.write(frame)
        raise RuntimeError("stop")
    assert left_in(tmp_path) == {"a.mp4"} and (tmp_path / "a.mp4").read_bytes() == b"the one before"


def test_what_cannot_be_written_is_said_in_one_line(tmp_path):
    info = info_of()
    frames = drawn([0, 512], info)
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "missing" / "a.mp4", tmp_path / "folder.mp4", tmp_path / "file" / "a.mp4"):
        with pytest.raises(OutputError) as error:
            write(path, frames, info)
        assert "\n" not in str(error.value) and path.name in str(error.value)
    with pytest.raises(OutputError, match="no frame"):
        write(tmp_path / "a.mp4", [], info)
    with pytest.raises(SettingsError, match=r"\.mkv"):
        write(tmp_path / "a.txt", frames, info)
    with pytest.raises(MissingInputError):
        write(tmp_path / "a.mp4", frames, info, audio_from=tmp_path / "none.mp4")
    source = clicks(tmp_path / "source.mp4", "aac", seconds=0.2)
    before = source.read_bytes()
    with pytest.raises(SettingsError, match="replace"):
        write(source, frames, info, audio_from=source)
    assert left_in(tmp_path) == {"folder.mp4", "file", "source.mp4"} and source.read_bytes() == before


def test_wrong_frames_are_refused(tmp_path):
    info = info_of()
    good = drawn([0, 512], info)
    wrong = [
        Frame(good[1].rgb[:8], 1, 512, info.time_base),
        Frame(good[1].rgb.astype(np.float32), 1, 512, info.time_base),
        Frame(good[1].rgb, 1, 0, info.time_base),
        Frame(good[1].rgb, 1, 512, Fraction(1, 25)),
    ]
    for frame in wrong:
        with pytest.raises(ValueError):
            write(tmp_path / "a.mp4", [good[0], frame], info)
    assert left_in(tmp_path) == set()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from fractions import Fraction
import numpy as np
from data.writing.encode import VideoWriter
from data.errors import OutputError
from data.video.frame import Frame, VideoInfo
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
info = VideoInfo("", 320, 240, Fraction(1), 0, Fraction(25), Fraction(1, 25), None, "", "yuv420p", {}, False, 0)
noise = np.random.default_rng(0)
try:
    with VideoWriter(Path(sys.argv[1]), source=info) as writer:
        for number in range(12):
            writer.write(Frame(noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), number, number, info.time_base))
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("most", [20_000, 400_000, 700_000])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, most):
    """The limit on the size of a file stands for a full disk: while encoding, at its end, while joining."""
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.mp4"), str(most)],
        capture_output=True, text=True, cwd=Path(__file__).parents[3], check=True,
    )  # fmt: skip
    assert result.stderr == ""
    if result.stdout:
        assert "a.mp4: cannot be written" in result.stdout and left_in(tmp_path) == set()
    else:
        assert len(times_in(tmp_path / "a.mp4")) == 12
    assert result.stdout or most == 700_000
