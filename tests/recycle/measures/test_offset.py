"""How far things lie beside their place: known shifts are read, whatever else is wrong with the pictures."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from scipy.ndimage import shift

from data.world.characters import draw
from data.world.movement import motion
from recycle.measures.offset import Offset, displacement, mirrored, own_offset

PICTURES = np.array([draw(pose, "B", 64) for pose in motion(3, 80)[::10]])
SHIFTS = [(0, 0), (0.3, 0), (0, -0.3), (1, -1), (2.5, 0), (-4, 3)]


def moved(picture: np.ndarray, right: float, down: float) -> np.ndarray:
    padded = np.pad(picture.astype(float), ((8, 8), (8, 8), (0, 0)), mode="edge")
    return np.clip(shift(padded, (down, right, 0), order=3), 0, 255).round().astype(np.uint8)[8:-8, 8:-8]


FAULTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda rgb: rgb,
    "blurred": lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 1.5),
    "tinted": lambda rgb: np.clip(rgb * [1.1, 0.8, 0.9] + [12, 0, -12], 0, 255).astype(np.uint8),
    "lit from the side": lambda rgb: np.clip(rgb * np.linspace(0.7, 1.3, 64)[:, None], 0, 255).astype(np.uint8),
    "noisy": lambda rgb: (rgb * 0.9 + np.random.default_rng(0).integers(0, 25, rgb.shape)).astype(np.uint8),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("by", SHIFTS)
def test_a_shift_is_read_to_a_tenth_of_a_pixel(by: tuple[float, float], fault: str) -> None:
    offset = Offset()
    for picture in PICTURES:
        found = displacement(picture, FAULTS[fault](moved(picture, *by)))
        assert found is not None
        offset.add({"x": found[0], "y": found[1]})
    assert [offset.axes["x"], offset.axes["y"]] == pytest.approx(by, abs=0.1)
    assert offset.px == pytest.approx(np.hypot(*by), abs=0.1)


def test_what_has_nothing_in_common_tells_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    flat = np.full_like(noise, 90)
    for other in (noise, flat, 255 - PICTURES[0]):
        assert displacement(PICTURES[0], other) is None
    assert displacement(flat, flat) is None and displacement(flat[:8, :8], flat[:8, :8]) is None
    with pytest.raises(ValueError, match="one shape"):
        displacement(flat, flat[:32])


@pytest.mark.parametrize("by", SHIFTS[:5])
def test_a_network_gives_itself_away(by: tuple[float, float]) -> None:
    def network(pictures: np.ndarray) -> np.ndarray:
        return np.array([moved(255 - picture, *by) for picture in pictures])

    offset = own_offset(network, PICTURES, network(PICTURES))
    assert [offset.axes["x"], offset.axes["y"]] == pytest.approx(by, abs=0.1)


def test_a_mirror_that_the_network_does_not_know_is_not_believed() -> None:
    """Upside down it draws nothing of the picture: the height is not told, the side still is."""
    right_way_up = {picture.tobytes() for each in PICTURES for picture in (each, mirrored(each, "x"))}

    def network(pictures: np.ndarray) -> np.ndarray:
        generator = np.random.default_rng(0)
        return np.array(
            [moved(p, 1, 1) if p.tobytes() in right_way_up else generator.integers(0, 256, p.shape) for p in pictures],
            np.uint8,
        )

    offset = own_offset(network, PICTURES, network(PICTURES))
    assert offset.axes == {"x": pytest.approx(1, abs=0.1)} and offset.px == pytest.approx(1, abs=0.1)


def test_a_tremor_is_no_offset() -> None:
    offset = Offset()
    lengths = [offset.add({"x": value, "y": 0.0}) for value in (-1.0, 1.0, -1.0, 1.0, 0.0)]
    assert lengths == [1, 1, 1, 1, 0] and offset.px == 0
    assert Offset().px is None
    assert offset.add({"x": None, "y": None}) is None
