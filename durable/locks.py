"""One process at a time: a lock is a file that says who holds it and since when, and that ends with its holder."""

import getpass
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl


class HeldError(Exception):
    """Another process holds the lock: `holder` says which, in words."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path}: held by {holder}")
        self.holder = holder


@contextmanager
def locked(path: Path, on_wait: Callable[[str], None] | None) -> Iterator[bool]:
    """Holds the lock at `path`, in a folder that is there, for as long as this process lives and is inside.

    The system lets go of it when the process ends, however it ends, on this machine and on file systems that pass
    locks on to other machines. on_wait: told who holds it before it is waited for; None: HeldError instead.
    Gives False where the file system has no locks: another process may be inside then. Raises OSError, HeldError.
    """
    if fcntl is None:
        yield False
        return
    handle, exclusive = _taken(path, on_wait)
    try:
        if exclusive:
            os.ftruncate(handle, 0)
            os.pwrite(handle, _who().encode(), 0)
        yield exclusive
    finally:
        # Whoever waits for it looks again whether the name is still that of the file it holds.
        if exclusive:
            with suppress(OSError):
                path.unlink()
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether another process holds the lock at `path`."""
    if fcntl is None or not path.exists():
        return False
    try:
        with locked(path, None):
            return False
    except HeldError:
        return True
    except OSError:
        return False


def _taken(path: Path, on_wait: Callable[[str], None] | None) -> tuple[int, bool]:
    """An open handle of the file called `path`, and whether it is locked."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            exclusive = _lock(handle, path, on_wait)
            if not exclusive or _is_still(path, handle):
                return handle, exclusive
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, path: Path, on_wait: Callable[[str], None] | None) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of the process: children that load data have no part
    except (BlockingIOError, PermissionError) as error:
        holder = os.pread(handle, 400, 0).decode(errors="replace").strip() or "another process"
        if on_wait is None:
            raise HeldError(path, holder) from error
        on_wait(holder)
        fcntl.lockf(handle, fcntl.LOCK_EX)
    except OSError:
        return False  # a file system without locks
    return True


def _is_still(path: Path, handle: int) -> bool:
    """Whether `path` names the open file: its last holder may have removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"process {os.getpid()} of {user} on {socket.gethostname()} since {now}"
