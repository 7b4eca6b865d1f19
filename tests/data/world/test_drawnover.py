"""The filter that real footage is drawn over with: its output is called the truth, so it has to be a fixed answer."""

import cv2
import numpy as np
import pytest

from data.world.drawnover import WORK_PX, DrawnOver
from recycle.measures.metrics import psnr
from tests.media import portrait


def face(size: int = 256) -> np.ndarray:
    return cv2.resize(portrait(), (size, size), interpolation=cv2.INTER_AREA)


def test_a_picture_is_drawn_over_alike_whatever_came_before_it():
    picture, other = face(), face()[::-1].copy()
    drawn_over = DrawnOver(0)
    first = drawn_over(picture)
    drawn_over(other)
    assert np.array_equal(drawn_over(picture), first) and np.array_equal(DrawnOver(0)(picture), first)
    assert first.shape == picture.shape and first.dtype == np.uint8


@pytest.mark.parametrize("seed", range(4))
def test_it_is_far_from_its_source_and_from_that_of_another_seed(seed):
    picture = face()
    drawn = DrawnOver(seed)(picture)
    assert psnr(drawn, picture) < 16
    assert psnr(drawn, DrawnOver(seed + 1)(picture)) < 30


def test_proportions_change_smoothly_and_the_edges_stay():
    """Read off where a grid of dots goes: everywhere by less than the bend, nowhere by a jump."""
    drawn_over = DrawnOver(1)
    columns, rows = np.meshgrid(np.arange(WORK_PX), np.arange(WORK_PX))
    shift = np.stack([drawn_over.map_x - columns, drawn_over.map_y - rows])
    assert 4 < np.abs(shift).max() < 0.06 * WORK_PX
    assert np.abs(shift[:, [0, -1]]).max() < 0.5 and np.abs(shift[:, :, [0, -1]]).max() < 0.5
    assert max(np.abs(np.diff(shift, axis=axis)).max() for axis in (1, 2)) < 0.4, "nothing folds over"


def test_what_moves_little_changes_little():
    """A step of a tone's edge would flicker in footage: half a pixel of motion may not."""
    picture = face()
    moved = cv2.warpAffine(picture, np.float32([[1, 0, 0.5], [0, 1, 0]]), (256, 256), borderMode=cv2.BORDER_REFLECT)
    drawn_over = DrawnOver(0)
    change = np.abs(drawn_over(moved).astype(int) - drawn_over(picture)).mean()
    assert change < 3 * np.abs(moved.astype(int) - picture).mean()


def test_outlines_are_dark_and_on_edges():
    picture = np.full((256, 256, 3), 200, np.uint8)
    picture[:, 128:] = 60
    drawn = cv2.cvtColor(DrawnOver(0)(picture), cv2.COLOR_RGB2GRAY).astype(int)
    middle = drawn[100:156].mean(axis=0)
    edge = int(np.argmin(middle))
    assert 110 < edge < 146, "the bend moves it a little"
    assert middle[edge] < middle[edge + 25] - 10 and middle[edge] < middle[edge - 25] - 60


@pytest.mark.parametrize("size", [32, 65, 300])
def test_any_size_looks_the_same(size):
    small = DrawnOver(0)(face(size))
    assert small.shape == (size, size, 3)
    large = cv2.resize(DrawnOver(0)(face()), (size, size), interpolation=cv2.INTER_AREA)
    assert psnr(small, large) > (17 if size == 32 else 20)
