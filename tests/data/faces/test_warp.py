"""What a transform keeps of a picture, and what it must not let through."""

import math

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from data.faces.warp import compose, invert, stretch, warp

SIDE = 160


def about(scale: float, degrees: float, size: int, moved: float = 0.0) -> np.ndarray:
    """A similarity that brings the middle of a picture of SIDE to that of one of `size`."""
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    turned = np.array([[c, -s], [s, c]])
    return np.column_stack([turned, (size - 1) / 2 + moved - turned @ np.full(2, (SIDE - 1) / 2)])


def seen(picture: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    return warp(picture, matrix, size, size, cv2.BORDER_REFLECT_101)


def grating(cycles_a_pixel: float, angle: float = 0.3) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    wave = np.cos(2 * np.pi * cycles_a_pixel * (x * math.cos(angle) + y * math.sin(angle)))
    return np.repeat((127.5 + 100 * wave).round().astype(np.uint8)[..., None], 3, axis=2)


def textured() -> np.ndarray:
    """A photograph of a face, as soft in the finest as frames of video are."""
    return cv2.GaussianBlur(astronaut()[40 : 40 + SIDE, 140 : 140 + SIDE], (0, 0), 0.5)


def laplacian_variance(rgb: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F)[2:-2, 2:-2].var())


@pytest.mark.parametrize("moved", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("degrees", [0.0, 7.0])
@pytest.mark.parametrize("scale", [0.997, 1.0, 1.003])
def test_there_and_back_at_scale_1_keeps_detail(scale, degrees, moved):
    picture, matrix = textured(), about(scale, degrees, SIDE, moved)
    back = seen(seen(picture, matrix, SIDE), invert(matrix), SIDE)
    middle = np.s_[40:120, 40:120]
    assert 0.9 < laplacian_variance(back[middle]) / laplacian_variance(picture[middle]) < 1.05


def test_whole_pixels_keep_their_bytes():
    picture = textured()
    moved = seen(picture, np.array([[1.0, 0, -20], [0, 1.0, -30]]), 100)
    assert np.array_equal(moved, picture[30:130, 20:120])


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25, 1 / 6, 1 / 9])
def test_a_slow_zoom_has_no_jump(scale):
    """Half of the detail was lost where a face became one pixel in 300 larger than its crop."""
    size = int(0.6 * SIDE * scale)
    nearer, farther = (
        laplacian_variance(seen(textured(), about(scale * step, 3.0, size), size)) for step in (1.002, 0.998)
    )
    assert nearer == pytest.approx(farther, rel=0.05)


@pytest.mark.parametrize("scale", [0.75, 0.5, 0.3, 0.12])
def test_shrinking_keeps_what_the_new_pixels_can_hold_and_nothing_else(scale):
    """Frequencies are in cycles a new pixel: 0.5 is the most that pixels can hold."""
    size = int(0.7 * SIDE * scale)
    inner = np.s_[1:-1, 1:-1]

    def kept(cycles: float) -> float:
        return float(seen(grating(cycles * scale), about(scale, 3.0, size), size)[inner].std() / (100 / math.sqrt(2)))

    assert kept(0.2) > 0.9
    assert kept(0.35) > 0.85
    if 0.75 * scale < 0.5:
        assert kept(0.75) < 0.05
    if 0.9 * scale < 0.5:
        assert kept(0.9) < 0.02


@pytest.mark.parametrize("scale", [1.0, 0.8, 0.2, 3.0])
def test_places_are_exact(scale):
    """A ramp has in every place the value of the place that it came from."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    matrix = about(scale, 20.0, 30, 0.3)
    rows, columns = np.mgrid[0:30, 0:30]
    back = invert(matrix)
    came_x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2]
    came_y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2]
    for ramp, came in ((x, came_x), (y, came_y)):
        inside = (came_x > 45) & (came_x < 115) & (came_y > 45) & (came_y < 115)
        assert np.abs(seen(ramp, matrix, 30) - came)[inside].max() < 0.05 / min(scale, 1)


def test_beyond_the_border_is_the_mirror_image():
    picture = textured()
    far = compose(np.array([[1.0, 0, 200], [0, 1.0, 90]]), stretch(1.0, 1.0))
    wide = cv2.copyMakeBorder(picture, 90, 0, 200, 0, cv2.BORDER_REFLECT_101)
    assert np.array_equal(seen(picture, far, 60), wide[:60, :60])
