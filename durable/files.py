"""Files and folders that appear only when whole, and are still there after a power cut.

Beside `recycle` and `data`, which both write and never import each other. Errors are those of the system: whoever calls
knows what to say of them.
"""

import hashlib
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_LONGEST_STEM = 60
"""Bytes of a file's name that its temporary name repeats: no system takes names of more than 255."""
_OF_A_PROCESS = re.compile(r"\.(.+)\.(?P<host>[\w-]+)-(?P<pid>\d+)-[0-9a-f]{8}\.partial(\.\w+)?")


def partial_path(path: Path) -> Path:
    """A hidden temporary name beside `path`, with its suffix, for what is being written: no other process has it.

    What a process of this machine that is no more left under such a name of the same file is removed.
    """
    stem = path.stem.encode(errors="surrogateescape")
    if len(stem) > _LONGEST_STEM:
        stem = stem[: _LONGEST_STEM - 9] + b"-" + hashlib.sha256(stem).hexdigest()[:8].encode()
    start = "." + stem.decode(errors="replace") + "."
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if (
                entry.name.startswith(start)
                and entry.name.endswith(f".partial{path.suffix}")
                and _abandoned(entry.name)
            ):
                remove(Path(entry.path))
    return path.with_name(f"{start}{own_name()}.partial{path.suffix}")


def own_name() -> str:
    """What names this process and no other, on any machine: host, number, and what was drawn for it."""
    return f"{_host()}-{os.getpid()}-{_drawn(os.getpid())}"


def remove(path: Path) -> None:
    """Removes a file, or a folder with all in it; nothing where it is not there or cannot be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@cache
def _host() -> str:
    """What names the machine or container, in which numbers of processes mean something, and lasts beyond its restart:
    machines may share names, and containers share their machine's."""
    name = re.sub(r"[^\w-]", "-", socket.gethostname(), flags=re.ASCII)[:40] or "host"
    apart = ""
    with suppress(OSError):
        apart += Path("/etc/machine-id").read_text()
    with suppress(OSError):
        apart += str(Path("/proc/self/ns/pid").readlink())
    return f"{name}-{hashlib.sha256(apart.encode()).hexdigest()[:6]}" if apart else name


@cache
def _drawn(_: int) -> str:
    """Anew after a fork."""
    return uuid.uuid4().hex[:8]


def _abandoned(name: str) -> bool:
    """Whether a temporary name belongs to a process of this machine that has ended."""
    owner = _OF_A_PROCESS.fullmatch(name)
    if owner is None or owner["host"] != _host():
        return False
    try:
        os.kill(int(owner["pid"]), 0)
        # One that was killed keeps its number until its parent looks: in a container without an init, for ever.
        state = Path(f"/proc/{owner['pid']}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, ValueError, IndexError):
        return False
    return state in ("Z", "X")


def flush(path: Path) -> None:
    """Puts a finished file's content on the disk. Raises OSError."""
    with naming(path), path.open("rb+") as handle:
        os.fsync(handle.fileno())


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What the system says while `path` is written names it: of a full disk it says nothing else."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def put_in_place(partial: Path, path: Path) -> None:
    """Gives what is finished its name: a file, which is flushed first, or a folder, whose files are as they were left.

    A file replaces one that is there; a folder only an empty one. Raises OSError.
    """
    if partial.is_dir():
        _flush_names(partial)
    else:
        flush(partial)
    partial.replace(path)
    _flush_names(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a whole file or none. Raises OSError."""
    partial = partial_path(path)
    try:
        with naming(path):
            partial.write_bytes(content)
        put_in_place(partial, path)
    finally:
        remove(partial)


def _flush_names(folder: Path) -> None:
    """Makes the names in `folder` last, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
