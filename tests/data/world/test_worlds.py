"""The drawn worlds: what each promises of its clips, beside what the characters' own tests hold."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.video.reader import read_frames
from data.world.busy import BUSY_RANGES, BusyPose, draw_busy
from data.world.characters import RANGES
from data.world.fitting import read_pose
from data.world.worlds import NOISE_LEVELS, WORLDS, busy_motion, noisy, poses_from_json, poses_to_json, world_of
from recycle.measures.metrics import psnr

BUSY = WORLDS["busy"]
busy_poses = st.builds(BusyPose, **{name: st.floats(*limits) for name, limits in BUSY_RANGES.items()})


def pictures(path) -> np.ndarray:
    return np.stack([frame.rgb for frame in read_frames(path)])


def scattered(seed: int, frames: int) -> list[BusyPose]:
    generator = np.random.default_rng(seed)
    return [BusyPose(**{n: generator.uniform(*limits) for n, limits in BUSY_RANGES.items()}) for _ in range(frames)]


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_is_the_same_bytes_each_time_and_its_truth_is_drawn_in_the_poses_of_its_test(name, tmp_path):
    world = WORLDS[name]
    first, again, other = (
        world.write(tmp_path / folder, seed, 6, 4, 32) for folder, seed in (("1", 0), ("2", 0), ("3", 1))
    )
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert first.a.read_bytes() != other.a.read_bytes()
    assert [len(pictures(clip)) for clip in first] == [6, 6, 4, 4]
    poses = poses_from_json(first.test.with_suffix(".json").read_text())
    assert poses == poses_from_json(first.truth.with_suffix(".json").read_text())
    assert world_of(poses) is world
    drawn = np.stack([world.draw(pose, "B", 32) for pose in poses])
    assert psnr(pictures(first.truth), drawn) > 26, "the answer is what its poses draw, as far as 4:2:0 keeps it"


def test_plain_is_drawn_as_ever():
    """Figures of runs on it stay comparable: a changed drawing would be another world."""
    plain = WORLDS["plain"]
    first, _, last = plain.motion(3, 3, False)
    means = [plain.draw(pose, look, 64).mean() for pose in (first, last) for look in "AB"]
    assert means == pytest.approx([156.57, 84.105, 157.818, 84.42], abs=0.01)


def test_noise_lies_on_the_source_and_is_another_in_every_frame():
    flat = [np.full((64, 64, 3), 128, np.uint8)] * 3
    one, two, _ = noisy(iter(flat), NOISE_LEVELS, seed=1)
    assert (one.astype(float) - 128).std() == pytest.approx(NOISE_LEVELS, rel=0.05)
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.05


@settings(max_examples=10, deadline=None)
@given(pose=busy_poses, look=st.sampled_from("AB"))
def test_a_busy_picture_is_the_same_at_any_size(pose, look):
    picture = draw_busy(pose, look, 64)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    large = cv2.resize(draw_busy(pose, look, 128), (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(large.astype(int) - picture).mean() < 4


@pytest.mark.parametrize("look", ["A", "B"])
def test_light_and_background_move_as_they_say(look):
    rest = BusyPose()
    left, right = (draw_busy(replace(rest, light=light), look, 64).astype(int) for light in (-1.0, 1.0))
    assert left[:, :20].mean() > 1.2 * right[:, :20].mean() and right[:, 44:].mean() > 1.2 * left[:, 44:].mean()
    dim, bright = (draw_busy(replace(rest, bright=bright), look, 64).mean() for bright in (0.0, 1.0))
    assert 0.6 < dim / bright < 0.8
    still, moved = (draw_busy(replace(rest, drift_x=drift), look, 64).astype(int) for drift in (0.0, 4 / 64))
    assert np.abs(moved[:10, 4:9] - still[:10, :5]).mean() < 2, "the wall goes to the right by four pixels"
    assert np.abs(moved[30:40, 28:36] - still[30:40, 28:36]).max() == 0, "the face stays"


def test_the_second_character_moves_otherwise_but_within_the_ranges():
    own, elsewhere = busy_motion(5, 1500, False), busy_motion(5, 1500, True)
    means = {
        n: np.mean([getattr(p, n) for p in elsewhere]) - np.mean([getattr(p, n) for p in own]) for n in BUSY_RANGES
    }
    width = {name: high - low for name, (low, high) in BUSY_RANGES.items()}
    assert means["x"] < -0.05 * width["x"] and means["mouth"] < -0.05 and means["smile"] > 0.05 * width["smile"]
    for name, (low, high) in BUSY_RANGES.items():
        assert all(low <= getattr(pose, name) <= high for pose in elsewhere)


@pytest.mark.slow
@pytest.mark.parametrize("look", ["A", "B"])
def test_hidden_parameters_are_read_back_from_a_noisy_busy_clip(look):
    poses = scattered(5, 8)
    frames = noisy((draw_busy(pose, look, 64) for pose in poses), NOISE_LEVELS, seed=2)
    read = [read_pose(frame, look, BUSY) for frame in frames]
    for name, (low, high) in BUSY_RANGES.items():
        error = np.mean([abs(getattr(f, name) - getattr(p, name)) for f, p in zip(read, poses, strict=True)]) / (
            high - low
        )
        assert error < 0.02, name


def test_a_wrong_face_is_read_as_wrong():
    pose = BusyPose(x=0.05, mouth=0.9, smile=0.5, light=-0.6, drift_x=0.05)
    frozen = draw_busy(replace(pose, mouth=0.2), "B", 64)
    read = read_pose(frozen, "B", BUSY)
    assert read.mouth == pytest.approx(0.2, abs=0.05) and read.x == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("name", WORLDS)
def test_poses_keep_their_world_in_json(name):
    poses = WORLDS[name].motion(2, 3, True)
    found = poses_from_json(poses_to_json(poses))
    assert found == poses and type(found[0]) is WORLDS[name].pose
    assert set(RANGES) <= set(json.loads(poses_to_json(poses))[0])
