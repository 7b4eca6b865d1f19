"""Files and folders that appear only when whole, and are still there after a power cut.

Beside `recycle` and `data`, which both write and never import each other. Errors are those of the system: whoever calls
knows what to say of them.
"""

import os
from contextlib import suppress
from pathlib import Path


def partial_path(path: Path) -> Path:
    """The hidden temporary name beside `path`, with its suffix, for what is being written."""
    return path.with_name(f".{path.stem}.partial{path.suffix}")


def flush(path: Path) -> None:
    """Puts a finished file's content on the disk. Raises OSError."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


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
        partial.write_bytes(content)
        put_in_place(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _flush_names(folder: Path) -> None:
    """Makes the names in `folder` last, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
