"""Masks cover the face, leave the border, and move with it."""

from itertools import pairwise

import numpy as np
import pytest

from data.faces.align import TEMPLATE
from data.faces.masks import face_mask


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


@pytest.mark.parametrize("points", [None, landmarks_68()])
@pytest.mark.parametrize("size", [32, 256])
def test_mask_covers_the_face_and_leaves_the_border(points, size):
    mask = face_mask(size, None if points is None else points * size - 0.5)
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
        assert np.abs(np.diff(mask, axis=axis)).max() < 22 / size  # feathered over a twelfth: no step shows


def test_landmark_mask_stays_inside_the_crop_for_a_face_larger_than_the_template():
    huge = (landmarks_68() - 0.5) * 2 + 0.5
    mask = face_mask(64, huge * 64)
    assert not mask[0].any()
    assert not mask[:, 0].any()


@pytest.mark.parametrize("size", [72, 288])
def test_a_tenth_of_a_pixel_changes_the_landmarks_mask_by_as_little(size):
    """Drawn on whole pixels, it would stand still and then jump: by a third at 72 px."""
    masks = [face_mask(size, landmarks_68() * size + step / 10) for step in range(21)]
    changes = [np.abs(after - before).max() for before, after in pairwise(masks)]
    assert max(changes) < 0.1 * 22 / size * 1.5  # as steep as the feather is, on a diagonal
    assert min(changes) > 0
