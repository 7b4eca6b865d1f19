"""A file of lines that grows: a kill costs no line that was finished, and two processes never write the same one."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Growing:
    """lines: how many are finished. last: the last of them, without its end; "" where there is none."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.lines, self.last, whole = 0, "", 0
        with path.open("rb") as content:
            for line in content:
                if line.endswith(b"\n"):
                    self.lines, self.last, whole = self.lines + 1, line[:-1].decode(), whole + len(line)
        os.ftruncate(descriptor, whole)

    def add(self, *lines: str) -> None:
        """Adds lines in one piece. Raises OSError."""
        text = "".join(f"{line}\n" for line in lines).encode()
        while text:
            text = text[os.write(self._descriptor, text) :]
        self.lines, self.last = self.lines + len(lines), lines[-1]


@contextmanager
def growing(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[Growing]:
    """The file at `path`, made where it is not there, for this process alone; what was torn at its end is cut off.

    on_wait: called where another process has it; then it is waited for. Raises OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Growing(descriptor, path)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
