"""Crop and paste are each other's inverse; masks leave no seam; colours match."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from data.faces.align import (
    FACE_WIDTH,
    TEMPLATE,
    apply,
    crop,
    crop_matrix,
    face_width,
    five_points,
    paste,
    scale_of,
    similarity,
)
from data.faces.colour_match import ColourMatch
from data.faces.contour import RIM, of_landmarks
from data.faces.masks import mask_within
from data.faces.warp import invert
from data.video.pixels import whole_of

SHARED = Path(__file__).parents[4] / "shared"
needs_clips = pytest.mark.skipif(not (SHARED / "clips").exists(), reason="no shared clips beside the checkout")

transforms = st.tuples(
    st.floats(0.2, 5), st.floats(-3.1, 3.1), st.floats(-300, 300), st.floats(-300, 300)
).map(lambda t: np.array([
    [t[0] * np.cos(t[1]), -t[0] * np.sin(t[1]), t[2]],
    [t[0] * np.sin(t[1]), t[0] * np.cos(t[1]), t[3]],
]))  # fmt: skip


def smooth_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 5)
    return cv2.normalize(blurred, None, 10, 245, cv2.NORM_MINMAX).astype(np.uint8)


def at(centre: tuple[float, float], width: float, roll: float = 0.0) -> np.ndarray:
    """Five points of a face `width` px wide, rolled by `roll` radians."""
    around = (TEMPLATE - [0.5, 0.55]) * width / FACE_WIDTH
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return around @ turn.T + centre


@settings(max_examples=60, deadline=None)
@given(transforms, st.integers(0, 1000))
def test_similarity_recovers_the_transform(matrix, seed):
    points = np.random.default_rng(seed).uniform(0, 100, (6, 2))
    assert np.allclose(similarity(points, apply(matrix, points)), matrix, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(transforms)
def test_invert_undoes(matrix):
    points = np.random.default_rng(1).uniform(-500, 500, (7, 2))
    assert np.allclose(apply(invert(matrix), apply(matrix, points)), points, atol=1e-6)


def test_similarity_is_the_least_squares_one():
    """On points that do not fit exactly: against SciPy's best rotation and small changes of every parameter."""
    rng = np.random.default_rng(3)
    source, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    found = similarity(source, target)
    a, b = (np.column_stack([p - p.mean(0), np.zeros(5)]) for p in (source, target))
    # With zero third coordinates SciPy may also flip about an axis in the plane; weights of z pin it down.
    a3, b3 = np.vstack([a, [0, 0, 1e6]]), np.vstack([b, [0, 0, 1e6]])
    rotation = Rotation.align_vectors(b3, a3)[0].as_matrix()[:2, :2]
    assert np.allclose(found[:, :2] / scale_of(found), rotation, atol=1e-6)
    error = np.sum((apply(found, source) - target) ** 2)
    base = np.array([found[0, 0], found[1, 0], found[0, 2], found[1, 2]])
    for change in np.vstack([np.eye(4), -np.eye(4)]) * 1e-3:
        c, s, x, y = base + change
        other = np.array([[c, -s, x], [s, c, y]])
        assert np.sum((apply(other, source) - target) ** 2) > error


@pytest.mark.parametrize("roll", [0, 0.5, -2.0])
def test_crop_puts_the_face_on_the_template(roll):
    points = at((200, 150), 80, roll)
    matrix = crop_matrix(points, 256)
    assert np.allclose((apply(matrix, points) + 0.5) / 256, TEMPLATE, atol=1e-9)
    assert face_width(points) == pytest.approx(80)


def test_shrinking_does_not_alias():
    """A one-pixel checkerboard becomes even grey, not a moiré."""
    board = np.indices((600, 600)).sum(0) % 2 * 255
    frame = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    small = crop(frame, crop_matrix(at((300, 300), 300, 0.2), 64), 64)
    assert small.std() < 12
    assert abs(small.mean() - 127.5) < 3


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.75, 1.0)])
def test_crop_then_paste_is_the_identity(scale):
    square = smooth_picture(240, 320)
    frame = cv2.resize(square, None, fx=scale[0], fy=scale[1], interpolation=cv2.INTER_AREA)
    before = frame.copy()
    matrix = crop_matrix(at((150, 118), 70, 0.3), 256)
    mask = mask_within(RIM, 256)
    out = whole_of(paste(frame, crop(frame, matrix, 256, scale=scale), matrix, mask, scale=scale))
    assert np.array_equal(frame, before)  # the caller's frame is left alone
    assert np.abs(out.astype(int) - frame).max() <= 2
    # A different crop shows where the mask reaches; everything else keeps its bytes.
    changed = whole_of(paste(frame, np.zeros((256, 256, 3), np.uint8), matrix, mask, scale=scale)) != frame
    changed = changed.any(2)
    y, x = np.indices(changed.shape)
    stored = np.column_stack([x.ravel(), y.ravel()]).astype(float)
    places = apply(matrix, (stored + 0.5) / scale - 0.5)
    inside = ((places > 0) & (places < 255)).all(1).reshape(changed.shape)
    assert changed.any()
    assert not changed[~inside].any()


def test_square_stored_pixels_give_the_same_crop_as_stretched_ones():
    square = smooth_picture(240, 320)
    narrow = cv2.resize(square, (240, 240), interpolation=cv2.INTER_AREA)
    matrix = crop_matrix(at((150, 118), 70), 128)
    a, b = crop(square, matrix, 128), crop(narrow, matrix, 128, scale=(0.75, 1.0))
    assert np.abs(a.astype(int) - b).mean() < 1.5


def test_paste_of_a_face_partly_or_wholly_outside():
    frame = smooth_picture(100, 100)
    white = np.full((64, 64, 3), 255, np.uint8)
    partly = whole_of(paste(frame, white, crop_matrix(at((0, 50), 40), 64), mask_within(RIM, 64)))
    assert (partly != frame).any()
    assert np.array_equal(partly[:, 60:], frame[:, 60:])
    wholly = whole_of(paste(frame, white, crop_matrix(at((-500, 50), 40), 64), mask_within(RIM, 64)))
    assert np.array_equal(wholly, frame)
    assert crop(frame, crop_matrix(at((-500, 50), 40), 64), 64).shape == (64, 64, 3)


def test_five_points_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"\(5, 2\)"):
        five_points(np.zeros((7, 2)))


def lab_statistics(rgb, mask):
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[mask > 0]
    return lab.mean(0), lab.std(0)


def mild(seed: int, shift: tuple[int, int, int]) -> np.ndarray:
    """A picture far from black and white, so that matching cannot clip."""
    return (smooth_picture(64, 64, seed) * 0.3 + 70 + np.array(shift)).astype(np.uint8)


def test_colour_match_makes_the_statistics_equal():
    mask = np.zeros((64, 64), np.float32)
    mask[10:50, 12:60] = 1
    original = mild(1, (40, 0, -20))
    matched = ColourMatch()(mild(2, (0, 10, 30)), original, mask, 0.0)
    for got, wanted in zip(lab_statistics(matched, mask), lab_statistics(original, mask), strict=True):
        assert np.allclose(got, wanted, atol=0.5)


def test_colours_are_matched_as_far_as_asked() -> None:
    mask = np.ones((64, 64), np.float32)
    translated, original = mild(2, (0, 10, 30)), mild(1, (40, 0, -20))
    none, half, whole = (ColourMatch(strength=part)(translated, original, mask, 0.0) for part in (0.0, 0.5, 1.0))
    assert np.abs(none.astype(int) - translated).max() <= 1
    assert np.array_equal(whole, ColourMatch()(translated, original, mask, 0.0))
    means = [lab_statistics(picture, mask)[0] for picture in (none, half, whole)]
    assert np.allclose(means[1], (means[0] + means[2]) / 2, atol=0.5)


def test_colour_match_follows_slowly_resets_and_restores():
    mask = np.ones((64, 64), np.float32)
    translated, dark, light = mild(2, (0, 0, 0)), mild(1, (0, 0, 0)), mild(1, (60, 60, 60))
    match = ColourMatch(time_constant_seconds=0.5)
    at_first = match(translated, dark, mask, 10.0).mean()
    saved = json.loads(json.dumps(match.state()))
    after = match(translated, light, mask, 10.04).mean()
    assert 0 < after - at_first < 0.15 * 60  # one frame of a flash: 1 - exp(-0.04 / 0.5) = 8 % of it
    other = ColourMatch(time_constant_seconds=0.5)
    other.restore(saved)
    assert other(translated, light, mask, 10.04).mean() == after
    match.reset()
    assert match(translated, light, mask, 10.08).mean() - at_first > 0.8 * 60


@needs_clips
def test_reference_landmarks_of_a_photo():
    photo = cv2.cvtColor(cv2.imread(str(SHARED / "clips/photos/einstein.jpg")), cv2.COLOR_BGR2RGB)
    lines = (SHARED / "clips/photos/einstein.pts").read_text().split("{")[1].split("}")[0].split()
    points = np.array(lines, float).reshape(68, 2)
    matrix = crop_matrix(points, 256)
    places = (apply(matrix, points) + 0.5) / 256
    assert np.abs(five_points(places) - TEMPLATE).max() < 0.08  # he looks a little aside
    assert ((places > 0.05) & (places < 0.98)).all()
    assert 0.5 < np.ptp(places[:17, 0]) < 0.75  # the jaw, ear to ear
    mask = mask_within(of_landmarks((apply(matrix, points) + 0.5) / 256), 256)
    assert mask[int(0.575 * 256), 128] == 1
    back = whole_of(paste(photo, crop(photo, matrix, 256), matrix, mask))
    far = np.ones(photo.shape[:2], bool)
    x0, y0 = points.min(0).astype(int) - 150
    x1, y1 = points.max(0).astype(int) + 150
    far[max(y0, 0) : y1, max(x0, 0) : x1] = False
    assert np.array_equal(back[far], photo[far])
