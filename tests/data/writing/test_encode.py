"""Writing: the times of the source arrive in the new file."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.video.frame import Frame
from data.video.reader import probe, read_frames
from data.writing.encode import SegmentWriter
from data.writing.join import join_segments
from tests.data.writing.written import (
    RATE,
    SHARED,
    clicks,
    drawn,
    info_of,
    left_in,
    needs_clips,
    needs_ffprobe,
    sound_in,
    times_in,
    write,
)

CLIPS = [
    "awkward/face_vfr.mp4", "awkward/face_rotated_meta.mp4", "awkward/face_other_fps.mp4",
    "awkward/face_audio_late.mp4", "awkward/face_audio_longer.mp4", "awkward/face_nonsquare_sar.mp4",
    "awkward/face_odd_dims_444.mp4", "awkward/face_hevc_10bit.mp4", "awkward/face_two_audio_sine_first.mp4",
    "awkward/flower-fragmented.mp4", "faces/grid_bbaf2n.mpg", "awkward/face_interlaced.ts",
    "awkward/no_duration.webm",
]  # fmt: skip


@st.composite
def timings(draw) -> tuple[Fraction, list[int]]:
    time_base = draw(
        st.sampled_from(
            [Fraction(1, 12800), Fraction(1, 30000), Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 90000),
             Fraction(1, 25), Fraction(1, 1), Fraction(2, 15), Fraction(1, 1_000_000), Fraction(1, 16384)]
        )
    )  # fmt: skip
    most = max(1, int(2 / time_base))
    first = draw(st.integers(0, int(9 / time_base)))
    steps = draw(st.lists(st.integers(1, most), min_size=0, max_size=12))
    return time_base, [first + sum(steps[:count]) for count in range(len(steps) + 1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timing=timings(), with_sound=st.booleans())
def test_times_arrive_exactly(tmp_path_factory, timing, with_sound):
    folder = tmp_path_factory.mktemp("times")
    time_base, times = timing
    info = info_of(time_base)
    audio = clicks(folder / "sound.mp4", "aac", seconds=0.2) if with_sound else None
    write(folder / "a.mp4", drawn(times, info, duration=1), info, audio_from=audio)
    assert times_in(folder / "a.mp4") == [pts * time_base for pts in times]
    assert left_in(folder) == {"a.mp4", "sound.mp4"} if with_sound else {"a.mp4"}
    if audio:
        assert sound_in(folder / "a.mp4") == sound_in(audio)


@needs_clips
@pytest.mark.parametrize("name", CLIPS)
def test_times_and_sound_of_real_clips(tmp_path, name):
    source, new = SHARED / name, tmp_path / "new.mp4"
    info = probe(source)
    frames = list(read_frames(source))
    size = None
    if info.width >= 640:  # the picture does not matter here: a small one is written sooner
        size, grey = (64, 48), np.full((48, 64, 3), 90, np.uint8)
        frames = [dataclasses.replace(frame, rgb=grey) for frame in frames]
    write(new, frames, info, size=size, audio_from=source)
    again = probe(new)
    assert times_in(new) == [frame.seconds for frame in frames]
    assert (again.width, again.height) == (size or (info.width, info.height))
    assert again.sample_aspect == info.sample_aspect
    assert (again.rotation, again.interlaced, again.audio_tracks) == (0, False, info.audio_tracks)
    for track in range(info.audio_tracks):
        before, after = sound_in(source, track), sound_in(new, track)
        assert [content for _, content in after] == [content for _, content in before]
        # MP4 counts sound in samples; a source that counts coarser is met to half a sample.
        assert max(abs(one[0] - other[0]) for one, other in zip(before, after, strict=True)) <= Fraction(1, 2 * 8000)


def ffprobe(path: Path, streams: str, entries: str, *options: str) -> list[dict]:
    command = ["ffprobe", "-v", "error", "-select_streams", streams, "-show_entries", entries, "-of", "json", *options]
    result = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True)
    return next(iter(json.loads(result.stdout).values()))


@needs_clips
@needs_ffprobe
@pytest.mark.parametrize("name", ["awkward/face_vfr.mp4", "awkward/face_audio_late.mp4", "awkward/face_interlaced.ts"])
def test_ffprobe_sees_the_same_times_and_sound(tmp_path, name):
    source, new = SHARED / name, tmp_path / "new.mp4"
    write(new, read_frames(source), probe(source), audio_from=source)
    before, after = (ffprobe(path, "v:0", "frame=pts_time") for path in (source, new))
    assert [frame["pts_time"] for frame in before] == [frame["pts_time"] for frame in after]
    options = ("-show_data_hash", "md5")
    before, after = (ffprobe(path, "a:0", "packet=pts_time,data_hash", *options) for path in (source, new))
    assert [packet["data_hash"] for packet in before] == [packet["data_hash"] for packet in after]
    for one, other in zip(before, after, strict=True):
        assert float(one["pts_time"]) == pytest.approx(float(other["pts_time"]), abs=1.2e-5)


def test_the_last_frame_stays_as_long_as_it_was(tmp_path):
    info = info_of()
    write(tmp_path / "a.mp4", drawn([0, 512, 1024], info, duration=5120), info)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].duration == 1024 + 5120
    write(tmp_path / "b.mp4", drawn([0, 512, 1536], info), info)  # nobody says how long: as long as the one before
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].duration == 1536 + 1024


def test_segments_join_to_what_one_writer_makes(tmp_path):
    info = info_of(Fraction(1, 30000), size=(64, 48))
    frames = drawn([500 + 1001 * number + (number % 3) for number in range(30)], info, duration=1001)
    cuts, paths = [0, 1, 13, 30], []
    for first, last in itertools.pairwise(cuts):
        paths.append(tmp_path / f"{first}.mp4")
        with SegmentWriter(paths[-1], source=info) as writer:
            for frame in frames[first:last]:
                writer.write(frame)
    assert join_segments(paths, tmp_path / "joined.mp4") == []
    write(tmp_path / "whole.mp4", frames, info)
    joined, whole = list(read_frames(tmp_path / "joined.mp4")), list(read_frames(tmp_path / "whole.mp4"))
    assert [frame.seconds for frame in joined] == [frame.seconds for frame in whole] == [f.seconds for f in frames]
    assert all(np.abs(one.rgb.astype(int) - other.rgb).max() <= 2 for one, other in zip(joined, whole, strict=True))
    with pytest.raises(ValueError, match="starts before"):
        join_segments(paths[::-1], tmp_path / "wrong.mp4")
    with SegmentWriter(tmp_path / "other.mp4", source=info_of(info.time_base, (32, 16))) as writer:
        writer.write(Frame(frames[0].rgb[:16, :32], 0, 900_000, info.time_base))
    with pytest.raises(ValueError, match="other settings"):
        join_segments([paths[0], tmp_path / "other.mp4"], tmp_path / "wrong.mp4")
    assert "wrong.mp4" not in left_in(tmp_path)


@pytest.mark.parametrize("first", [-3 * 12800 - 100, -1, 40 * 3600 * 12800 + 7])
def test_starts_that_no_player_shows_are_moved_by_whole_seconds(tmp_path, first):
    """Before 0, or hours in: picture and sound move together, and the user is told."""
    info = info_of()
    start = Fraction(first, 12800)
    audio = clicks(tmp_path / "sound.mkv", "aac", seconds=0.4, start=max(Fraction(0), Fraction(round(25 * start), 25)))
    notes = write(tmp_path / "a.mp4", drawn([first, first + 512, first + 1536], info), info, audio_from=audio)
    times = times_in(tmp_path / "a.mp4")
    moved = times[0] - start
    assert moved.denominator == 1 and 0 <= times[0] < 10 and len(notes) == 1 and "moved by" in notes[0]
    assert [time - times[0] for time in times] == [0, Fraction(512, 12800), Fraction(1536, 12800)]
    before, after = sound_in(audio), sound_in(tmp_path / "a.mp4")
    assert all(abs(time + moved - new) < Fraction(1, RATE) for (time, _), (new, _) in zip(before, after, strict=True))


@pytest.mark.parametrize("start", [Fraction(1, 3), Fraction(1001, 30000)])
def test_any_start_shifts_all_frames_alike(tmp_path, start):
    info = info_of()
    write(tmp_path / "a.mp4", drawn([12800, 13312, 14000], info), info, start=start)
    assert times_in(tmp_path / "a.mp4") == [Fraction(pts, 12800) - start for pts in (12800, 13312, 14000)]


MOVING = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from data.writing.encode import VideoWriter
from data.video.frame import Frame, VideoInfo
info = VideoInfo("", 400, 400, Fraction(1), 0, Fraction(25), Fraction(1, 25), None, "", "yuv420p", {}, False, 0)
world = np.random.default_rng(0).integers(0, 255, (140, 300, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
with VideoWriter(Path(sys.argv[1]), source=info) as writer:
    for n in range(30):
        writer.write(Frame(world[n : n + 400, 3 * n : 3 * n + 400].copy(), n, n, Fraction(1, 25)))
"""


def test_the_same_frames_give_the_same_bytes_whatever_lay_in_memory_before(tmp_path):
    for fill in ("1", "50"):  # what the C library fills new memory with
        command = [sys.executable, "-c", MOVING, str(tmp_path / f"{fill}.mp4")]
        subprocess.run(command, check=True, env=os.environ | {"MALLOC_PERTURB_": fill}, cwd=Path(__file__).parents[3])
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
