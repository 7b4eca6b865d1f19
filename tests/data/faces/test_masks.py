"""Masks hold to the face in both pictures, leave the border, and move with it."""

import json
from itertools import pairwise

import cv2
import numpy as np
import pytest

from data.faces.align import TEMPLATE, crop, crop_matrix
from data.faces.contour import RIM, TEMPLATE_OUTLINE, Contour, of_landmarks, outline
from data.faces.masks import FEATHER, SharedMask, mask_within
from data.world.busy import BUSY_HEAD, BusyPose, busy_face_of, draw_busy
from data.world.characters import HEAD, LookName, draw, face_of

PX = 96


def landmarks_68() -> np.ndarray:
    """A schematic face in iBUG's order on the template of size 1."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.column_stack([0.5 + 0.3 * np.cos(angle), 0.42 + 0.46 * np.sin(angle)])
    brows = [np.column_stack([np.linspace(a, a + 0.2, 5), np.full(5, 0.33)]) for a in (0.26, 0.54)]
    bridge = np.column_stack([np.full(4, 0.5), np.linspace(0.41, 0.575, 4)])
    nostrils = np.column_stack([np.linspace(0.44, 0.56, 5), np.full(5, 0.6)])
    ring = np.linspace(np.pi, -np.pi, 7)[:6]
    eyes = [np.column_stack([x + 0.05 * np.cos(ring), 0.41 + 0.02 * np.sin(ring)]) for x in (0.365, 0.635)]
    around = np.linspace(np.pi, -np.pi, 13)[:12]
    mouth = np.column_stack([0.5 + 0.123 * np.cos(around), 0.7 + 0.04 * np.sin(around)])
    return np.vstack([jaw, *brows, bridge, nostrils, *eyes, mouth, mouth[:8]])


def drawn(world: str, look: LookName, pose: BusyPose) -> tuple[np.ndarray, np.ndarray]:
    """A crop of a drawn character, and which pixels of it are face."""
    side = 256
    if world == "plain":
        rgb, face, head = draw(pose, look, side), face_of(pose, look, side), HEAD
        features = [(-0.12, -0.045), (0.12, -0.045), (0.0, 0.06), (-0.135, 0.155), (0.135, 0.155)]
    else:
        rgb, face, head = draw_busy(pose, look, side), busy_face_of(pose, look, side), BUSY_HEAD
        features = [(-0.115, -0.035), (0.115, -0.035), (0.0, 0.07), (-0.12, 0.155), (0.12, 0.155)]
    c, s = np.cos(np.radians(pose.tilt)), np.sin(np.radians(pose.tilt))
    points = np.array(features) @ np.array([[c, s], [-s, c]]) + (head[0] + pose.x, head[1] + pose.y)
    matrix = crop_matrix(points * side - 0.5, PX)
    true = crop(np.repeat(face[..., None], 3, axis=2), matrix, PX)[..., 0] > 0.5
    return crop(rgb, matrix, PX), true


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("pose", [BusyPose(mouth=0.6), BusyPose(x=0.05, tilt=12.0, smile=0.8, light=0.7)])
@pytest.mark.parametrize("look", ["A", "B"])
@pytest.mark.parametrize("world", ["plain", "busy"])
def test_the_outline_is_that_of_the_drawn_face(world: str, look: LookName, pose: BusyPose) -> None:
    rgb, true = drawn(world, look, pose)
    assert overlap(mask_within(outline(rgb), PX) > 0, true) > 0.9


def test_a_fixed_oval_would_not_be_enough() -> None:
    """What the measure is worth: the mask of before, and that of any face, do worse."""
    _, true = drawn("plain", "A", BusyPose())
    assert overlap(mask_within(RIM, PX) > 0, true) < 0.7
    assert overlap(mask_within(TEMPLATE_OUTLINE, PX) > 0, true) < 0.89


def test_beside_the_face_of_either_picture_nothing_is_laid() -> None:
    """The translation's face is narrower: its hair beside it must not come along, nor may it cover the source's."""
    source, wide = drawn("plain", "B", BusyPose())
    squeezed = cv2.resize(source, (72, PX))
    translated = cv2.copyMakeBorder(squeezed, 0, 0, 12, 12, cv2.BORDER_REPLICATE)
    narrow = cv2.copyMakeBorder(cv2.resize(wide.astype(np.uint8), (72, PX)), 0, 0, 12, 12, cv2.BORDER_CONSTANT) > 0
    points = TEMPLATE * PX - 0.5
    for one, other in ((source, translated), (translated, source)):
        mask = SharedMask()(one, other, points, 0.0)
        assert mask[~(wide & narrow)].sum() < 0.02 * mask.sum()
        assert overlap(mask > 0, wide & narrow) > 0.85


def test_a_mask_is_steady_and_goes_on_from_its_state() -> None:
    """Under a camera's noise, from frame to frame, the mask changes by less than a hundredth of its area."""
    generator = np.random.default_rng(0)
    clean, _ = drawn("busy", "A", BusyPose())
    noisy = [np.clip(clean + generator.normal(0, 4, clean.shape), 0, 255).astype(np.uint8) for _ in range(6)]
    shared, points = SharedMask(), TEMPLATE * PX - 0.5
    masks = [shared(rgb, rgb, points, number / 25) for number, rgb in enumerate(noisy[:5])]
    assert max(np.abs(after - before).sum() for before, after in pairwise(masks)) < 0.01 * masks[0].sum()
    other = SharedMask()
    other.restore(json.loads(json.dumps(shared.state())))
    assert np.array_equal(other(noisy[5], noisy[5], points, 0.2), shared(noisy[5], noisy[5], points, 0.2))


@pytest.mark.parametrize("radii", [RIM, TEMPLATE_OUTLINE, of_landmarks(landmarks_68())], ids=["rim", "face", "68"])
@pytest.mark.parametrize("size", [32, 256])
def test_a_mask_covers_the_face_and_leaves_the_border(radii: np.ndarray, size: int) -> None:
    mask = mask_within(radii, size)
    assert mask.shape == (size, size)
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() == 1
    edge = np.ones_like(mask, bool)
    rim = max(1, size // 32)
    edge[rim:-rim, rim:-rim] = False
    assert not mask[edge].any()
    for x, y in TEMPLATE:
        assert mask[int(y * size), int(x * size)] > 0.95
    for axis in (0, 1):
        assert np.abs(np.diff(mask, axis=axis)).max() < 2.0 / FEATHER / size  # no step shows


def test_a_wider_feather_is_softer_and_ends_where_a_narrow_one_does() -> None:
    narrow, wide = (mask_within(TEMPLATE_OUTLINE, 128, feather) for feather in (0.02, 0.3))
    assert np.array_equal(narrow > 0, wide > 0)
    assert (wide <= narrow).all() and wide.sum() < 0.7 * narrow.sum()
    steepest = [max(np.abs(np.diff(mask, axis=axis)).max() for axis in (0, 1)) for mask in (narrow, wide)]
    assert steepest[1] < steepest[0] / 5
    rgb, _ = drawn("plain", "A", BusyPose())
    soft, usual = (mask(rgb, rgb, TEMPLATE * PX - 0.5, 0.0) for mask in (SharedMask(feather=0.3), SharedMask()))
    assert soft.sum() < 0.9 * usual.sum()


def test_landmarks_of_a_face_larger_than_the_crop_stay_inside_it() -> None:
    mask = mask_within(of_landmarks((landmarks_68() - 0.5) * 2 + 0.5), 64)
    assert not mask[0].any()
    assert not mask[:, 0].any()


def test_landmarks_bound_the_mask() -> None:
    rgb, _ = drawn("plain", "A", BusyPose())
    points = (landmarks_68() - 0.5) * 0.7 + 0.5
    hull = mask_within(of_landmarks(points), PX)
    mask = SharedMask()(rgb, rgb, points * PX - 0.5, 0.0)
    assert (mask <= hull + 1e-6).all()
    assert overlap(mask > 0, hull > 0) > 0.9


@pytest.mark.parametrize("size", [72, 288])
def test_a_tenth_of_a_pixel_changes_the_landmarks_mask_by_as_little(size: int) -> None:
    """Drawn on whole pixels, it would stand still and then jump: by a third at 72 px."""
    places = landmarks_68()
    masks = [mask_within(of_landmarks(places + step / 10 / size), size) for step in range(21)]
    changes = [np.abs(after - before).max() for before, after in pairwise(masks)]
    assert max(changes) < 0.1 * 1.6 / FEATHER / size * 3  # as steep as the feather is, seen aslant
    assert min(changes) > 0


def test_an_outline_follows_within_a_quarter_of_a_second() -> None:
    near, far = drawn("plain", "A", BusyPose())[0], drawn("plain", "B", BusyPose())[0]
    contour = Contour()
    first = contour(near, 0.0)
    for number in range(1, 8):
        last = contour(far, number / 25)
    wanted = outline(far)
    assert np.abs(last - wanted).mean() < 0.35 * max(np.abs(first - wanted).mean(), 0.01)
