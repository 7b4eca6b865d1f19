"""The bar of a batch: which frame of how many, and an honest time left."""

import time

import pytest

from data.watching import watched
from pipelines.progress import WORKING, Progress


def test_it_counts_frames_of_all_clips_and_ends_at_the_last(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def take(stage: str, frames: int, seconds: float, total: int | None = None) -> None:
        for _ in watched(range(frames), stage, total):
            now[0] += seconds

    with Progress("rendering", [10, 30]) as progress:
        assert progress.left_seconds() is None
        progress.clip("a")
        take("looking", 10, 0.1)
        assert progress.left_seconds() == pytest.approx(30 * 0.1 + 40 * 0.2)  # work is taken for twice a look
        take(WORKING, 5, 1.0, total=10)
        assert progress.told().startswith("5/40 frames, 1.0 a second")
        assert progress.left_seconds() == pytest.approx(5 + 30 * 0.1 + 30)
        progress.clip("b")  # the other five do not come
        take(WORKING, 0, 1.0, total=20)  # looked at before; ten fewer than the header said
        assert progress.left_seconds() == pytest.approx(20)
        take(WORKING, 20, 1.0)
        assert progress.left_seconds() == pytest.approx(0)
    assert progress.told().startswith("25/25 frames")


def test_what_is_not_known_is_not_told():
    with Progress("rendering", [5, None]) as progress:
        progress.clip("a")
        for _ in watched(range(5), "looking", None):
            pass
        assert "0/? frames" in progress.told() and "time left not known" in progress.told()
