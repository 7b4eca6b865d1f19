"""What is before a face is told from a face that moves."""

import cv2
import numpy as np

from data.faces.appearance import describe
from data.faces.haar import Haar
from data.faces.hidden import hidden
from tests.media import portrait


def test_a_hand_before_the_mouth_is_told_and_motion_is_not() -> None:
    (face,) = Haar().find(portrait())
    looks, covered = [], range(20, 28)
    for number in range(48):
        rgb = portrait().copy()
        if number in covered:
            x0, y0, x1, y1 = face.box
            centre = round((x0 + x1) / 2) + number % 3, round(y0 + 0.85 * (y1 - y0))
            cv2.ellipse(rgb, centre, (round(0.4 * (x1 - x0)), round(0.25 * (y1 - y0))), 15, 0, 360, (200, 150, 125), -1)
        noise = np.random.default_rng(number).normal(0, 3, rgb.shape)
        looks.append(describe(np.clip(rgb + noise, 0, 255).astype(np.uint8), face.points + np.sin(number / 3)))
    marks = hidden(looks, [face.points] * len(looks))
    assert np.flatnonzero(marks).tolist() == list(covered)


def test_a_face_seen_too_seldom_is_not_judged() -> None:
    rng = np.random.default_rng(0)
    looks = [look / np.linalg.norm(look) for look in rng.normal(size=(9, 30)).astype(np.float32)]
    assert not hidden(looks, [np.eye(5, 2) * 10] * 9).any()
    assert not hidden([None] * 40, [np.eye(5, 2) * 10] * 40).any()
