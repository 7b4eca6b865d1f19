"""What is before a face is told from a face that moves."""

import itertools
from pathlib import Path

import av
import cv2
import numpy as np

from data.faces.appearance import describe
from data.faces.haar import Haar
from data.faces.hidden import hidden
from data.faces.yunet import YuNet
from data.models import MODELS
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
    points, scores = [face.points] * len(looks), [0.92 if number in covered else 0.95 for number in range(48)]
    assert np.flatnonzero(hidden(looks, points, scores)).tolist() == list(covered)
    assert not hidden(looks, points, [0.95] * 48).any()  # as sure as ever: an expression


def test_a_face_seen_too_seldom_is_not_judged() -> None:
    rng = np.random.default_rng(0)
    looks = [look / np.linalg.norm(look) for look in rng.normal(size=(9, 30)).astype(np.float32)]
    assert not hidden(looks, [np.eye(5, 2) * 10] * 9, [0.5] * 9).any()
    assert not hidden([None] * 40, [np.eye(5, 2) * 10] * 40, [0.5] * 40).any()


def test_a_mouth_wide_open_is_seen_and_fingers_before_it_hide_it(shared: Path) -> None:
    """A man who opens his mouth wide from frame 55 to 95, and again with something like fingers before it."""
    yunet = YuNet(shared / "models" / MODELS["yunet"].file_name)
    faces, covered = [], []
    with av.open(str(shared / "clips/faces/talk_d18.mp4")) as clip:
        for number, frame in enumerate(itertools.islice(clip.decode(video=0), 0, 120, 2)):
            rgb = cv2.resize(frame.to_ndarray(format="rgb24"), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            if number >= 48:
                (face,) = yunet.find(rgb)
                width, height = face.box[2] - face.box[0], face.box[3] - face.box[1]
                x, y = face.points[3:].mean(0)
                for finger in (-1.5, -0.5, 0.5, 1.5):
                    middle, axes = (
                        (round(x), round(y + 0.08 * finger * height)),
                        (round(0.45 * width), round(0.05 * height)),
                    )
                    cv2.ellipse(rgb, middle, axes, -10, 0, 360, (190, 140, 120), -1)
                covered.append(number)
            (face,) = yunet.find(rgb)
            faces.append(face)
    looks = [face.appearance for face in faces]
    marks = hidden(looks, [face.points for face in faces], [face.score for face in faces])
    assert not marks[:48].any()
    assert marks[covered].mean() > 0.8
