"""What repeats, stands still or is shaken is no cut; what repeats is known; another shape is one."""

import cv2
import numpy as np
import pytest

from data.video.reader import read_frames
from data.video.shots import ShotFinder
from tests.media import portrait


@pytest.mark.parametrize("held", [2, 3, 4])
def test_drawings_held_for_some_frames_are_one_shot_and_known(held):
    """A figure that jumps on every new drawing, each shown for two to four frames under a little grain of coding."""
    rng, finder, repeats = np.random.default_rng(held), ShotFinder(), []
    wall = rng.integers(60, 190, (6, 8, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    for number in range(96):
        if number % held == 0:
            drawing = wall.copy()
            y, x = rng.integers(0, 60), rng.integers(0, 90)
            drawing[y : y + 36, x : x + 36] = (230, 60, 40)
        grain = (rng.random(drawing.shape) < 0.02).astype(np.uint8)
        repeats.append(finder.feed(drawing + grain, number / 24))
    assert finder.finish() == []
    assert repeats == [bool(number % held) for number in range(96)]


def test_a_still_clip_has_no_cut_and_repeats_itself():
    finder = ShotFinder()
    repeats = [finder.feed(portrait(0), number / 25) for number in range(40)]
    assert finder.finish() == [] and repeats == [False] + [True] * 39


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [30, 60])
def test_a_violently_shaken_head_is_no_cut(most, seed):
    """It rests, is thrown about by up to that many of 256 pixels from frame to frame, and rests."""
    rng, finder = np.random.default_rng(seed), ShotFinder()
    for number in range(75):
        across, down = rng.uniform(-most / 2, most / 2, 2) if 25 <= number < 50 else (0, 0)
        matrix = np.array([[1, 0, across], [0, 1, down]], float)
        shaken = cv2.warpAffine(portrait(number / 25), matrix, (256, 256), borderMode=cv2.BORDER_REFLECT_101)
        finder.feed(shaken, number / 25)
    assert finder.finish() == []


def test_another_shape_begins_a_shot():
    finder = ShotFinder()
    for number in range(30):
        finder.feed(portrait(number / 25), number / 25, new_shape=number == 12)
    assert finder.finish() == [12]


def test_reported_drawings_are_one_shot(shared):
    finder = ShotFinder()
    frames = read_frames(shared / "clips" / "reported" / "drawn_on_threes.mp4")
    repeats = [finder.feed(frame.rgb, frame.seconds) for frame in frames]
    assert finder.finish() == [] and sum(repeats) >= 70
