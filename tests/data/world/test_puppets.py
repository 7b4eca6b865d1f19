"""The drawn world: the truth it promises has to hold, or nothing measured on it means anything."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import OutputError
from data.world.characters import RANGES, Pose, draw
from data.world.movement import motion
from data.world.puppets import write_clip
from data.world.worlds import poses_from_json, poses_to_json

REST = Pose()
poses_anywhere = st.builds(Pose, **{name: st.floats(*limits) for name, limits in RANGES.items()})


def changed_rows(first: Pose, second: Pose, look: str, size: int = 64) -> tuple[float, float, int]:
    """Where two poses differ: first and last row as fractions of the height, and how many pixels."""
    difference = np.abs(draw(first, look, size).astype(int) - draw(second, look, size)).max(axis=2) > 24
    rows = np.flatnonzero(difference.any(axis=1))
    return (rows[0] / size, rows[-1] / size, int(difference.sum())) if len(rows) else (0.0, 0.0, 0)


@settings(max_examples=20, deadline=None)
@given(pose=poses_anywhere, look=st.sampled_from("AB"), size=st.integers(8, 96))
def test_a_drawing_is_a_picture_and_the_same_bytes_each_time(pose, look, size):
    picture = draw(pose, look, size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert picture.tobytes() == draw(pose, look, size).tobytes()


@settings(max_examples=15, deadline=None)
@given(pose=poses_anywhere, look=st.sampled_from("AB"))
def test_a_drawing_is_the_same_at_any_size(pose, look):
    large = cv2.resize(draw(pose, look, 128), (64, 64), interpolation=cv2.INTER_AREA).astype(int)
    difference = np.abs(large - draw(pose, look, 64))
    assert difference.mean() < 2.5
    assert np.percentile(difference, 99) < 48  # strokes are whole pixels wide, so edges may differ a little


@pytest.mark.parametrize("look", ["A", "B"])
@pytest.mark.parametrize(
    ("name", "value", "top", "bottom", "pixels"),
    [
        ("mouth", 1.0, 0.55, 0.86, 60),
        ("smile", 1.0, 0.55, 0.75, 25),
        ("eyes", 0.0, 0.34, 0.54, 60),
        ("brows", 1.0, 0.22, 0.40, 40),
    ],
)
def test_each_feature_moves_its_own_part_of_the_face_and_visibly(look, name, value, top, bottom, pixels):
    first, last, count = changed_rows(REST, replace(REST, **{name: value}), look)
    assert top <= first
    assert last <= bottom
    assert count >= pixels


def test_an_open_mouth_is_eight_pixels_high_at_64():
    for look in "AB":
        throat = np.abs(draw(Pose(mouth=1.0), look, 64).astype(int) - draw(REST, look, 64)).max(axis=2) > 24
        assert throat[:, 32].sum() >= 8


@pytest.mark.parametrize("look", ["A", "B"])
def test_place_and_tilt_move_the_head_the_way_they_say(look):
    def ring(pose: Pose) -> np.ndarray:
        """The middle (x, y) of the ear-ring, found by its colour, as fractions of the side."""
        colour = {"A": (252, 208, 72), "B": (232, 236, 244)}[look]
        found = np.abs(draw(pose, look, 256).astype(int) - colour).max(axis=2) <= 2
        rows, columns = np.nonzero(found)
        return np.array([columns.mean(), rows.mean()]) / 256

    rest = ring(REST)
    np.testing.assert_allclose(ring(Pose(x=0.08)) - rest, [0.08, 0], atol=0.006)
    np.testing.assert_allclose(ring(Pose(y=-0.05)) - rest, [0, -0.05], atol=0.006)
    assert rest[0] > 0.7, "the ring hangs on the right of the picture"
    assert (ring(Pose(tilt=12)) - rest)[1] > 0.03, "clockwise takes the right side down"


def test_the_characters_differ_from_each_other_and_from_their_mirror_image():
    for pose in motion(5, 60)[::20]:
        first, second = draw(pose, "A", 64).astype(int), draw(pose, "B", 64).astype(int)
        assert np.abs(first - second).mean() > 40
    for look in "AB":
        picture = draw(REST, look, 64).astype(int)
        assert (np.abs(picture - picture[:, ::-1]).max(axis=2) > 60).sum() > 100


def test_motion_stays_in_range_covers_it_and_never_jumps():
    for seed in range(4):
        poses = motion(seed, 600)
        for name, (low, high) in RANGES.items():
            track = np.array([getattr(pose, name) for pose in poses])
            width = high - low
            assert low <= track.min()
            assert track.max() <= high
            assert np.ptp(track) >= 0.5 * width, (seed, name)
            assert track.std() >= 0.15 * width, (seed, name)
            largest = 0.5 if name == "mouth" else 0.36 if name == "eyes" else 0.16
            assert np.abs(np.diff(track)).max() <= largest * width, (seed, name)
        shut = np.array([pose.eyes for pose in poses]) < 0.1
        assert 3 <= np.count_nonzero(np.diff(shut.astype(int)) == 1) <= 20, "blinks in 24 seconds"


def test_motion_is_repeatable_and_seeds_are_unrelated():
    assert motion(3, 50) == motion(3, 50)
    table = {
        seed: np.array([[getattr(pose, name) for name in RANGES] for pose in motion(seed, 1500)]) for seed in (1, 2, 3)
    }
    for first, second in [(1, 2), (1, 3), (2, 3)]:
        for column in range(len(RANGES)):
            assert abs(np.corrcoef(table[first][:, column], table[second][:, column])[0, 1]) < 0.4


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**40), frames=st.integers(0, 40), step=st.integers(1, 4))
def test_motion_is_a_function_of_time(seed, frames, step):
    fast = motion(seed, frames * step, Fraction(30 * step, 1))
    slow = motion(seed, frames, Fraction(30))
    assert len(slow) == frames
    assert all(
        np.allclose([getattr(one, n) for n in RANGES], [getattr(two, n) for n in RANGES])
        for one, two in zip(fast[::step], slow, strict=True)
    )
    assert motion(seed, frames + 7)[:frames] == motion(seed, frames)


@settings(max_examples=20, deadline=None)
@given(st.lists(poses_anywhere, max_size=5))
def test_poses_survive_json_bit_for_bit(poses):
    text = poses_to_json(poses)
    assert poses_from_json(text) == poses
    assert len(json.loads(text)) == len(poses)


@pytest.mark.parametrize(("size", "rate"), [(64, Fraction(25)), (65, Fraction(30000, 1001)), (48, Fraction(25, 2))])
def test_a_written_clip_reads_back_frame_by_frame(tmp_path, size, rate):
    poses = motion(7, 20, rate)
    path = tmp_path / "clip.mp4"
    write_clip(path, poses, "B", size, rate)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert [frame.pts * stream.time_base for frame in frames] == [number / rate for number in range(20)]
        assert stream.average_rate == rate
    worst = 0.0
    for frame, pose in zip(frames, poses, strict=True):
        wanted = draw(pose, "B", size).astype(int)
        worst = max(worst, np.abs(frame.to_ndarray(format="rgb24").astype(int) - wanted).mean())
    assert worst < 6
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]


def test_the_same_poses_give_the_same_bytes_whatever_lay_in_memory_before(tmp_path):
    program = "import sys; from pathlib import Path; from data.world.movement import motion; "
    program += "from data.world.puppets import write_clip; "
    program += "write_clip(Path(sys.argv[1]), motion(2, 60), 'B', 64)"
    for fill in ("1", "100", "200"):  # what the C library fills new memory with
        command = [sys.executable, "-c", program, str(tmp_path / f"{fill}.mp4")]
        subprocess.run(command, check=True, env=os.environ | {"MALLOC_PERTURB_": fill}, cwd=Path(__file__).parents[3])
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    again = tmp_path / "again.mp4"
    write_clip(again, motion(2, 60), "B", 64)
    assert again.read_bytes() == (tmp_path / "1.mp4").read_bytes()


def test_the_sound_is_as_long_as_the_pictures_and_as_loud_as_the_mouth_is_open(tmp_path):
    poses = motion(11, 75)
    write_clip(tmp_path / "clip.mp4", poses, "A", 32)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        chunks = [(float(frame.time), frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    times = np.concatenate([start + np.arange(len(samples)) / 48000 for start, samples in chunks])
    samples = np.concatenate([samples for _, samples in chunks])
    assert times[0] == pytest.approx(0, abs=0.03)
    assert times[-1] == pytest.approx(3.0, abs=0.05)
    loudness = [np.sqrt(np.mean(samples[np.abs(times - number / 25) < 0.02] ** 2)) for number in range(75)]
    assert np.corrcoef(loudness, [pose.mouth for pose in poses])[0, 1] > 0.98


def test_a_clip_can_be_silent(tmp_path):
    write_clip(tmp_path / "clip.mp4", motion(1, 3), "A", 32, sound=False)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert not container.streams.audio
        assert len(list(container.decode(video=0))) == 3


def test_a_clip_that_cannot_be_written_is_one_clear_line(tmp_path):
    with pytest.raises(OutputError, match="cannot be written") as caught:
        write_clip(tmp_path / "missing" / "clip.mp4", motion(1, 2), "A", 32)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not on PATH; PyAV covers the same above")
def test_ffprobe_agrees_about_a_written_clip(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, motion(2, 12), "A", 64)
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    streams = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"]
    video, audio = streams
    assert (video["codec_name"], video["nb_read_frames"], video["r_frame_rate"]) == ("h264", "12", "25/1")
    assert (video["color_space"], video["color_range"], video["start_time"]) == ("bt709", "tv", "0.000000")
    assert audio["codec_name"] == "aac"
    assert float(audio["duration"]) == pytest.approx(12 / 25, abs=0.001)
