"""The bar of a batch: which frame of how many, and an honest time left."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import time

import pytest

from data.watching import watched
from pipelines import progress as progress_of
from pipelines.progress import WORKING, Progress


def test_it_says_where_no_frame_comes(monkeypatch, capsys):
    monkeypatch.setattr(progress_of, "QUIET_SECONDS", 0.1)
    said, deadline = "", time.monotonic() + 60
    with Progress("rendering", [1]) as progress:
        progress.clip("a")
        for _ in watched(range(1), WORKING, 1):
            while "rendering a: no frame for" not in said and time.monotonic() < deadline:
                time.sleep(0.01)
                said += capsys.readouterr().out
    assert said.count("no frame for") == 1


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


TALKING = """
from data.watching import watched
from pipelines.places import say
from pipelines import progress as progress_of
from pipelines.progress import WORKING, Progress
with Progress("rendering", [4, None]) as progress:
    for clip in ("a", "b"):
        progress.clip(clip)
        say(f"output {clip}.mp4")
        for frame in watched(range(4), WORKING, 4):
            if frame == 2:
                say("the first of two lines\\nand the second")
say("over")
"""


def test_on_a_terminal_what_is_said_has_lines_of_its_own():
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", TALKING], stdout=its, stderr=its, stdin=its)
    os.close(its)
    shown = [line for line in on_screen(written_to(ours)) if line]
    os.close(ours)
    assert process.wait() == 0
    lines = "the first of two lines", "and the second"
    bar = shown.pop(-2)
    assert shown == ["output a.mp4", *lines, "output b.mp4", *lines, "over"]
    assert re.fullmatch(r"rendering 2 of 2 b: 100%\|[^|]+\| 8/8 frames, [\d.]+ a second, 00:00 left", bar)


def written_to(terminal: int) -> str:
    """Everything until nobody holds its other end."""
    found = b""
    try:
        while part := os.read(terminal, 4096):
            found += part
    except OSError:  # which is how Linux says it
        pass
    return found.decode()


def on_screen(written: str) -> list[str]:
    """Lines as a terminal shows them in the end: a return goes back, and what comes then lies over what was there."""
    lines: list[str] = []
    for written_line in written.split("\r\n"):
        line = ""
        for part in written_line.split("\r"):
            line = part + line[len(part) :]
        lines.append(line.rstrip())
    return lines
