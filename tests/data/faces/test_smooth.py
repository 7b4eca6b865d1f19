"""Smoothing holds the points to how the picture moved: steady where it is still, prompt where it moves."""

import itertools

import numpy as np
import pytest

from data.faces.align import FACE_WIDTH, TEMPLATE, apply, invert
from data.faces.smooth import smooth_track

WIDTH, JITTER = 100.0, 0.012


def turned(degrees: float, x: float, y: float) -> np.ndarray:
    """(2, 3): turns about the face and moves it."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, x], [s, c, y]])


def way(kind: str, frames: int = 75) -> list[np.ndarray]:
    """Where the face's own coordinates are in each frame, at 25 frames a second."""
    t = np.arange(frames) / 25
    if kind == "still":
        return [turned(0, 200, 150)] * frames
    if kind == "turn":
        s = np.clip((t - 1.3) / 0.4, 0, 1)
        return [turned(0, 200 + 0.5 * WIDTH * v, 150) for v in s * s * (3 - 2 * s)]
    hertz = float(kind)
    swing = np.sin(2 * np.pi * hertz * t)
    return [turned(8 * v / hertz, 200, 150 + 0.15 * WIDTH * v / hertz) for v in swing]


def track(kind: str) -> tuple[np.ndarray, np.ndarray, list[np.ndarray | None]]:
    """The true points, what a finder would give, and how the picture moves, known to a hundredth of a pixel."""
    rng, ways = np.random.default_rng(0), way(kind)
    face = (TEMPLATE - 0.5) * WIDTH / FACE_WIDTH
    true = np.stack([apply(place, face) for place in ways])
    found = true + rng.normal(0, JITTER * WIDTH, true.shape)
    motions: list[np.ndarray | None] = [None]
    for before, now in itertools.pairwise(ways):
        back = invert(before)
        motion = np.column_stack([now[:, :2] @ back[:, :2], now[:, :2] @ back[:, 2] + now[:, 2]])
        motion[:, 2] += rng.normal(0, 0.01, 2)
        motions.append(motion)
    return true, found, motions


@pytest.mark.parametrize("kind", ["still", "0.5", "1.5", "3", "turn"])
def test_steady_and_prompt_on_every_motion(kind: str) -> None:
    true, found, motions = track(kind)
    smooth = smooth_track(found, motions, JITTER)
    off = np.linalg.norm(smooth - true, axis=2) / WIDTH
    assert off.max() < 0.015 and np.linalg.norm(found - true, axis=2).max() / WIDTH > 0.03
    shake = np.diff(smooth - true, axis=0) / WIDTH
    assert shake.std() < 0.001 < np.diff(found - true, axis=0).std() / WIDTH / 10


def test_one_false_find_is_not_followed() -> None:
    true, found, motions = track("1.5")
    found[30] += 0.4 * WIDTH
    smooth = smooth_track(found, motions, JITTER)
    assert np.abs(smooth - true).max() < 0.02 * WIDTH


def test_where_the_motion_is_not_known_the_finds_decide() -> None:
    """A head that jumps while the picture tells nothing: no point is dragged from the one place to the other."""
    true, found, motions = track("still")
    found[40:] += 0.5 * WIDTH
    motions[40] = None
    smooth = smooth_track(found, motions, JITTER)
    assert np.abs(smooth[:40] - true[:40]).max() < 0.02 * WIDTH
    assert np.abs(smooth[40:] - 0.5 * WIDTH - true[40:]).max() < 0.02 * WIDTH


def test_a_face_that_leaves_the_pictures_motion_is_followed_in_time() -> None:
    """The picture says that it stands still; the points, found again and again elsewhere, say where it is."""
    true, found, motions = track("still")
    drift = np.linspace(0, 0.1 * WIDTH, len(found))[:, None, None] * [1.0, 0.0]
    smooth = smooth_track(found + drift, motions, JITTER)
    assert np.abs(smooth - true - drift).max() < 0.03 * WIDTH


def test_a_track_of_one_frame_stays() -> None:
    points = TEMPLATE[None] * 100
    assert np.array_equal(smooth_track(points, [None], JITTER), points)
