"""Cuts and dissolves are found where they are, and nothing else is taken for one."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.video.reader import read_frames
from data.video.shots import ShotFinder
from data.world.characters import draw
from data.world.movement import motion

SHARED = Path(__file__).parents[4] / "shared" / "clips"
needs_clips = pytest.mark.skipif(not SHARED.exists(), reason="the shared clips are not here")
SIDE = 64


def found(pictures, rate=25) -> list[int]:
    finder = ShotFinder()
    for number, picture in enumerate(pictures):
        finder.feed(picture, Fraction(number) / Fraction(rate))
    return finder.finish()


def scene(seed: int) -> np.ndarray:
    """A place of its own: boxes on a gradient, (SIDE, SIDE, 3) uint8."""
    generator = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, SIDE)[:, None, None] if seed % 2 else np.linspace(0, 1, SIDE)[None, :, None]
    ends = generator.integers(0, 256, (2, 3))
    picture = np.ascontiguousarray(np.broadcast_to(ends[0] + ramp * (ends[1] - ends[0]), (SIDE, SIDE, 3)))
    for _ in range(14):
        x, y, width, height = generator.integers(0, SIDE, 4)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + width // 2), int(y + height // 2)),
                      generator.integers(0, 256, 3).tolist(), -1)  # fmt: skip
    return picture.astype(np.uint8)


def camera(seed: int, frames: int) -> list[np.ndarray]:
    """A scene seen by a hand-held camera, with noise."""
    generator = np.random.default_rng(seed)
    large = cv2.resize(scene(seed), (SIDE + 8, SIDE + 8))
    pictures = []
    for number in range(frames):
        x, y = (round(4 + 3 * np.sin(number / 9 + phase)) for phase in (seed, seed + 1))
        noise = generator.normal(0, 3, (SIDE, SIDE, 3))
        pictures.append(np.clip(large[y : y + SIDE, x : x + SIDE] + noise, 0, 255).astype(np.uint8))
    return pictures


def dissolved(first: list[np.ndarray], second: list[np.ndarray], length: int) -> list[np.ndarray]:
    """`first` goes into `second` over its last and the other's first `length` frames, all of them blended."""
    share = (np.arange(length) + 1) / (length + 1)
    blend = [
        np.round((1 - s) * one + s * two.astype(float)).astype(np.uint8)
        for s, one, two in zip(share, first[-length:], second[:length], strict=True)
    ]
    return first[:-length] + blend + second[length:]


@settings(max_examples=12, deadline=None)
@given(lengths=st.lists(st.integers(4, 30), min_size=1, max_size=4), seed=st.integers(0, 50))
def test_hard_cuts_are_found_where_they_are(lengths, seed):
    pictures, expected = [], []
    for place, length in enumerate(lengths):
        pictures += camera(10 * seed + place, length)
        expected.append(len(pictures))
    assert found(pictures) == expected[:-1]


def test_a_cut_between_the_two_characters_is_found_and_lively_motion_is_none():
    first = [draw(pose, "A", SIDE) for pose in motion(3, 80)]
    second = [draw(pose, "B", SIDE) for pose in motion(4, 60)]
    assert found(first + second) == [80]
    for look in "AB":
        assert found(draw(pose, look, SIDE) for pose in motion(9, 150)) == []


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize(("length", "rate"), [(12, 25), (18, 25), (25, 25), (30, 60), (60, 60)])
def test_a_dissolve_is_a_shot_of_its_own(length, rate, moving):
    # The two characters share their outline, which a dissolve between them keeps: one dissolves into a landscape. She
    # moves at a third of the demo's speed, as people before a camera do.
    first = [draw(pose, "A", SIDE) for pose in motion(21, rate + length, Fraction(3 * rate))]
    second = camera(22, rate + length)
    if not moving:
        first, second = first[:1] * len(first), second[:1] * len(second)
    starts = found(dissolved(first, second, length), rate)
    assert len(starts) == 2
    # Blended frames are rate to rate + length - 1; a few pure ones beside them do no harm.
    slack = 4 * rate // 25
    assert rate - slack <= starts[0] <= rate + slack // 2
    assert rate + length - slack // 2 <= starts[1] <= rate + length + slack


def test_cuts_beside_a_dissolve_are_kept():
    pictures = [scene(1)] * 30 + dissolved([scene(2)] * 60, [scene(3)] * 60, 14) + [scene(4)] * 30
    starts = found(pictures)
    assert starts[0] == 30
    assert starts[-1] == 30 + 60 + 60 - 14
    assert len(starts) == 4


def test_a_fade_to_black_and_back_parts_the_scenes_from_the_black():
    black = [np.zeros((SIDE, SIDE, 3), np.uint8)] * 40
    pictures = dissolved(dissolved([scene(5)] * 50, black, 15), [scene(6)] * 50, 15)
    # 0-34 the scene, 35-49 out, 50-59 black, 60-74 in, 75- the other scene
    starts = found(pictures)
    assert 2 <= len(starts) <= 4
    assert any(31 <= start <= 36 for start in starts)
    assert any(74 <= start <= 79 for start in starts)
    assert all(31 <= start <= 79 for start in starts)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_flash_is_no_cut(frames):
    pictures = camera(7, 60)
    for number in range(30, 30 + frames):
        pictures[number] = np.full((SIDE, SIDE, 3), 250, np.uint8)
    assert found(pictures) == []


def test_light_that_changes_and_a_camera_that_pans_are_no_cut():
    base = scene(8).astype(float)
    assert found((base * (1 - 0.7 * n / 60)).astype(np.uint8) for n in range(60)) == []
    assert found(np.clip(base * 0.5 + 100 * n / 30, 0, 255).astype(np.uint8) for n in range(30)) == []
    wide = cv2.resize(np.concatenate([scene(seed) for seed in (11, 12, 13, 14)], axis=1), (SIDE * 4, SIDE))
    assert found(wide[:, x : x + SIDE] for x in range(0, SIDE * 3, 2)) == []


def test_dark_noise_is_no_cut():
    generator = np.random.default_rng(0)
    assert found(generator.integers(0, 4, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(60)) == []
    assert found([np.zeros((SIDE, SIDE, 3), np.uint8)] * 50) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("shape", [(SIDE, SIDE, 3), (1, 1, 3), (1, 300, 3)])
def test_very_short_and_very_small_clips_do_no_harm(count, shape):
    assert found([np.full(shape, 90, np.uint8)] * count) == []


def test_a_cut_in_a_clip_of_two_frames_is_found():
    assert found([scene(1), scene(2)]) == [1]


def test_frames_may_change_their_size():
    pictures = [cv2.resize(scene(1), size) for size in [(64, 64)] * 10 + [(80, 60)] * 10 + [(320, 200)] * 10]
    assert found(pictures) == []


def test_times_may_be_missing_repeated_or_go_back():
    pictures = camera(1, 20) + camera(2, 20)
    for times in (lambda n: None, lambda n: 0.0, lambda n: Fraction(-n, 25), lambda n: Fraction(n * n, 7)):
        finder = ShotFinder()
        for number, picture in enumerate(pictures):
            finder.feed(picture, times(number))
        assert finder.finish() == [20]


def test_memory_does_not_grow_with_the_length():
    finder = ShotFinder()
    picture = scene(3)
    held = []
    for number in range(400):
        finder.feed(picture, Fraction(number, 25))
        held.append(len(finder._thumbs))
    assert max(held) <= 53
    assert held[-1] == held[100]


def shots_of(name: str) -> list[int]:
    finder = ShotFinder()
    for frame in read_frames(SHARED / name):
        finder.feed(frame.rgb, frame.seconds)
    return finder.finish()


@needs_clips
def test_the_known_cuts_of_a_real_clip():
    assert shots_of("scenes/cuts_at_25_60_100_130.mp4") == [25, 60, 100, 130]
    assert {164, 248} <= set(shots_of("scenes/tears_of_steel_26_40s.mp4"))


@needs_clips
def test_a_real_dissolve_and_the_cut_after_it():
    first, after, cut = shots_of("awkward/nasa_13013.mp4")
    # Measured by projecting on the scenes before and after: frames 127 to 150 are blended.
    assert 123 <= first <= 127
    assert 150 <= after <= 154
    assert cut == 202


@needs_clips
@pytest.mark.parametrize(
    "name",
    [
        "scenes/flower.mp4",
        "scenes/sky_garden_timelapse.mp4",
        "scenes/street_car_topview_12s.mp4",
        "scenes/friday.mp4",
        "faces/wh_obama_weekly_address.mp4",
        "faces/grid_bbaf2n.mpg",
        "awkward/transparent.webm",
        "awkward/no_duration.webm",
        "awkward/one_pixel.mp4",
    ],
)
def test_real_clips_without_a_cut(name):
    assert shots_of(name) == []
