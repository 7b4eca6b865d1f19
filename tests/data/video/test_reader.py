"""Reading: frames upright, in order, with their numbers and times."""

import gc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from data.video.clocks import Clock
from data.video.reader import probe, read_frames
from tests.data.video.drawn import PATCHES, centres, encoded, patches, raw, yuv420
from tests.media import write_frames


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True], ids=["", "mirrored"])
def test_pictures_are_upright(tmp_path, degrees, mirrored):
    """What the display matrix asks for is applied: turn counter-clockwise, then mirror."""
    stored = patches()
    clip = encoded(tmp_path / "a.mp4", [yuv420(stored / 255, "smpte170m", full=False)], rotation=(degrees, mirrored))
    expected = np.rot90(stored, degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    info, read = probe(clip), next(read_frames(clip)).rgb
    assert read.shape == expected.shape == (info.height, info.width, 3)
    assert np.abs(centres(read) - centres(expected)).max() <= 4
    if not mirrored:
        assert info.rotation == degrees


def test_sample_aspect_turns_with_the_picture_and_is_not_applied(tmp_path):
    frame = yuv420(patches() / 255, "smpte170m", full=False)
    clip = encoded(tmp_path / "a.mp4", [frame], sample_aspect_ratio=Fraction(4, 3), rotation=(90,))
    info = probe(clip)
    assert (info.width, info.height, info.sample_aspect) == (96, 128, Fraction(3, 4))
    assert info.display_size == (96, 171)


def test_part_of_a_clip_keeps_its_numbers_and_times(tmp_path):
    clip = encoded(tmp_path / "a.mp4", [yuv420(patches() / 255, "smpte170m", full=False) for _ in range(12)])
    whole = list(read_frames(clip))
    part = list(read_frames(clip, start=Fraction(3, 25), stop=Fraction(7, 25)))
    assert [frame.number for frame in part] == [3, 4, 5, 6]
    assert [frame.seconds for frame in whole] == [Fraction(number, 25) for number in range(12)]
    assert all(np.array_equal(one.rgb, whole[one.number].rgb) and one.pts == whole[one.number].pts for one in part)


def test_a_picture_that_changes_its_size_is_scaled_to_the_first(tmp_path):
    parts = b""
    for scale in (2, 1):
        frame = yuv420(patches(16 * scale) / 255, "smpte170m", full=False)
        parts += encoded(tmp_path / f"{scale}.ts", [frame] * 3, "mpeg2video").read_bytes()
    clip = tmp_path / "both.ts"
    clip.write_bytes(parts)
    frames = list(read_frames(clip))
    assert len(frames) == len(raw(clip)) >= 5 and all(frame.rgb.shape == (96, 128, 3) for frame in frames)
    assert np.abs(centres(frames[-1].rgb) - PATCHES).max() < 40
    times = [frame.pts for frame in frames]
    assert times == sorted(set(times))  # the second part starts its clock anew


def test_missing_and_repeated_times_are_repaired_without_drift():
    clock = Clock(Fraction(1000 * 1001, 30000), Fraction(1000))
    assert [clock.stamp(None) for _ in range(31)][::10] == [0, 334, 667, 1001]
    clock = Clock(Fraction(40), Fraction(1000))
    assert [clock.stamp(pts) for pts in (0, 40, 40, 80, None, 160)] == [0, 40, 41, 80, 120, 160]
    assert [clock.stamp(pts) for pts in (100_000, 0, 40)] == [100_000, 100_040, 100_080]


def test_a_stream_without_any_times_gets_them_from_its_rate(tmp_path):
    frames = [yuv420(patches() / 255, "smpte170m", full=False) for _ in range(6)]
    clip = encoded(tmp_path / "a.h264", frames)
    assert [frame.seconds for frame in read_frames(clip)] == [Fraction(number, 25) for number in range(6)]


def test_frames_are_let_go_as_they_are_read(tmp_path: Path) -> None:
    """Nothing waits for the collector of cycles: memory is flat in the length of the clip."""
    path = tmp_path / "clip.mp4"
    write_frames(path, [np.full((32, 32, 3), 5 * n, np.uint8) for n in range(40)], sound=False)
    gc.collect()
    gc.disable()
    try:
        for _ in read_frames(path):
            held = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert held < 6


@pytest.mark.parametrize("second", [(48, 64), (96, 48), (32, 96)])
def test_a_picture_that_changes_its_shape_stands_unstretched_between_bars(tmp_path, second):
    """second: (height, width) of what follows on 96 x 118."""
    grey = np.full((96, 118, 3), 0.5)
    parts = encoded(tmp_path / "1.ts", [yuv420(grey, "smpte170m", full=False)] * 3, "mpeg2video").read_bytes()
    other = yuv420(np.full((*second, 3), 0.9), "smpte170m", full=False)
    parts += encoded(tmp_path / "2.ts", [other] * 3, "mpeg2video").read_bytes()
    (tmp_path / "both.ts").write_bytes(parts)
    frames = list(read_frames(tmp_path / "both.ts"))
    assert {frame.rgb.shape for frame in frames} == {(96, 118, 3)}
    assert [frame.shape for frame in frames] == sorted(frame.shape for frame in frames) and frames[-1].shape == 1
    scale = min(96 / second[0], 118 / second[1])
    height, width = round(second[0] * scale), round(second[1] * scale)
    lit = np.argwhere(frames[-1].rgb.min(axis=2) > 120)
    assert np.abs(lit.max(axis=0) - lit.min(axis=0) + 1 - (height, width)).max() <= 1
    assert np.abs(lit.min(axis=0) + lit.max(axis=0) + 1 - (96, 118)).max() <= 2  # in the middle


def test_a_phone_turned_midway_stays_upright(shared):
    frames = list(read_frames(shared / "clips" / "reported" / "turned_midway.webm"))
    assert len(frames) == 70 and {frame.rgb.shape for frame in frames} == {frames[0].rgb.shape}
    assert {frame.shape for frame in frames} == {0, 1}
    height, width = frames[-1].rgb.shape[:2]
    lit = np.flatnonzero(frames[-1].rgb.max(axis=(0, 2)) > 30)
    assert (lit.max() - lit.min() + 1) / height == pytest.approx(height / width, abs=0.03)


def test_a_sample_aspect_that_cannot_be_meant_is_none(tmp_path):
    frame = yuv420(patches() / 255, "smpte170m", full=False)
    clip = encoded(tmp_path / "a.mp4", [frame], sample_aspect_ratio=Fraction(3, 2))
    assert probe(clip).sample_aspect == Fraction(3, 2)
    data = bytearray(clip.read_bytes())
    place = data.index(b"pasp") + 4
    data[place : place + 8] = (2**31 - 1).to_bytes(4, "big") + (3).to_bytes(4, "big")
    clip.write_bytes(data)
    assert probe(clip).display_size[0] <= 10 * frame.width


def test_pixels_that_become_wider_midway_begin_a_shot_and_are_not_stretched(tmp_path):
    """The size stays; only the sample aspect says that the picture is now shown 4:3 as wide. B-frames come late."""
    white = av.VideoFrame.from_ndarray(np.full((96, 128, 3), 255, np.uint8), "rgb24").reformat(format="yuv420p")
    with av.open(str(tmp_path / "both.ts"), "w", format="mpegts") as output:
        stream = output.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for first, aspect in ((0, Fraction(1)), (12, Fraction(4, 3))):
            encoder = av.CodecContext.create("mpeg2video", "w")
            encoder.width, encoder.height, encoder.pix_fmt = 128, 96, "yuv420p"
            encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
            encoder.sample_aspect_ratio = aspect
            encoder.max_b_frames = 2
            packets = []
            for number in range(first, first + 12):
                white.pts, white.time_base = number, Fraction(1, 25)
                packets += encoder.encode(white)
            for packet in packets + encoder.encode(None):
                packet.stream = stream
                output.mux(packet)
    frames = list(read_frames(tmp_path / "both.ts"))
    assert [frame.shape for frame in frames] == [0] * 12 + [1] * 12
    lit = [np.flatnonzero(frame.rgb[:, 64].min(axis=1) > 120) for frame in frames]
    assert [len(rows) for rows in lit] == [96] * 12 + [72] * 12
    assert (lit[-1].min(), lit[-1].max()) == (12, 83)
