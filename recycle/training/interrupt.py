"""Ctrl-C, and a scheduler's wish to end, become a flag that the loop asks for between two steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """True once the process has been asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def __bool__(self) -> bool:
        return self.asked


@contextmanager
def stop_signals(insist: bool) -> Iterator[StopRequest]:
    """SIGINT and SIGTERM set the flag that is given. Outside the main thread nothing is caught.

    insist: a second SIGINT does what it did before. Not for many processes: their launcher passes on the signal that
    the terminal has sent them already.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        request.asked = True
        if insist:
            signal.signal(signal.SIGINT, before[signal.SIGINT])

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
