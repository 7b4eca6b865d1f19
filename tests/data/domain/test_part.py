"""A part of a clip is what lies between two times of the whole, frame for frame, however it is read."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.domain.part import Part, part_of, shown_at
from data.domain.pictures import write_picture
from data.domain.sources import open_source
from data.errors import SettingsError
from data.video.reader import read_frames
from tests.media import portrait, write_av, write_frames

NUMBERED = [np.full((48, 64, 3), 3 * number, np.uint8) for number in range(80)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("part") / "a.mp4"
    write_frames(path, NUMBERED)
    return path


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.fractions(0, 3, max_denominator=100), length=st.fractions(Fraction(1, 20), 2, max_denominator=100))
def test_it_is_the_same_frames_numbered_anew(clip, first, length):
    want = [frame for frame in read_frames(clip) if first <= frame.seconds < first + length]
    got = list(part_of(open_source(clip), first, first + length).frames())
    assert [(frame.pts, frame.number) for frame in got] == [(frame.pts, n) for n, frame in enumerate(want)]
    assert all(np.array_equal(one.rgb, other.rgb) for one, other in zip(got, want, strict=True))


@pytest.mark.parametrize(
    "name",
    [
        "reported/two_edits.mp4", "reported/truehd.mkv", "reported/timelapse_exif.avi", "awkward/no_duration.webm",
        "awkward/face_vfr.mp4", "awkward/face_interlaced.ts", "reported/turned_midway.webm", "awkward/video_90.mov",
    ],
)  # fmt: skip
def test_parts_of_real_clips(shared, name):
    path = shared / "clips" / name
    whole = [(frame.seconds, frame.rgb) for frame in read_frames(path)]
    start = whole[2 * len(whole) // 3][0]
    want = [(time, rgb) for time, rgb in whole if time >= start]
    source = open_source(path)
    got = [(frame.seconds, frame.rgb) for frame in Part(path, source.info, source, start, None).frames()]
    assert [time for time, _ in got] == [time for time, _ in want]
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(got, want, strict=True))


def test_times_count_from_the_first_frame_whatever_the_clock_says(tmp_path):
    path = tmp_path / "late.ts"
    write_av(path, video_seconds=2, sound_seconds=2, events=[], start=Fraction(3600))
    got = [frame.seconds for frame in part_of(open_source(path), Fraction(1), None).frames()]
    assert len(got) == 25 and got[0] >= 3601
    assert shown_at(open_source(path), Fraction(1)).seconds == got[0]


def test_folders_of_pictures_have_times_too(tmp_path):
    for number in range(10):
        write_picture(tmp_path / f"{number}.jpg", NUMBERED[number])
    got = list(part_of(open_source(tmp_path), Fraction(1, 5), Fraction(2, 5)).frames())
    assert [(frame.number, frame.pts) for frame in got] == [(n, n + 5) for n in range(5)]


def test_what_is_shown_at_a_time_is_the_last_frame_that_has_begun(clip):
    source = open_source(clip)
    for seconds, number in ((0, 0), (Fraction(1, 10), 2), (Fraction(79, 25), 79), (Fraction(319, 100), 79)):
        assert shown_at(source, Fraction(seconds)).seconds == Fraction(number, 25)
    with pytest.raises(SettingsError, match=r"nothing at 4\.00 s"):
        shown_at(source, Fraction(4))


def test_an_empty_part_and_pictures_without_times_are_refused(clip, tmp_path):
    with pytest.raises(SettingsError, match=r"no frame from 9\.00 s on"):
        list(part_of(open_source(clip), Fraction(9), None).frames())
    write_picture(tmp_path / "1.jpg", portrait(0, 32))
    with pytest.raises(SettingsError, match="do not follow each other"):
        part_of(open_source(tmp_path, single=True), Fraction(1), None)
