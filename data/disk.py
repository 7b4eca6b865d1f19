"""Writing, with errors that a user can read, and names that may become paths."""

import errno
import hashlib
import json
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from data.errors import BadNameError, OutputError
from durable import files

T = TypeVar("T")
_NAME = re.compile(r"[\w][\w .,+&()-]{0,99}")
_MOST_BYTES = 200
"""Of a name: with what is put before and after it, below the 255 that file systems take."""


def check_name(name: str, what: str) -> str:
    """`name` as it is, where it is fit to be one folder's name.

    Raises BadNameError: empty, a path, hidden, longer than 100 characters or 200 bytes, or with signs that file systems
    refuse.
    """
    too_long = len(name.encode(errors="replace")) > _MOST_BYTES
    if too_long or not _NAME.fullmatch(name) or name != name.strip() or name.endswith("."):
        raise BadNameError(
            f"{what} {name!r}: cannot be a folder's name; use letters, digits, '-' and '_', no '/' and no leading '.'"
        )
    return name


def name_from(text: str) -> str:
    """A folder's name made from any text: what `check_name` refuses is replaced by '-'."""
    text = unicodedata.normalize("NFC", text)
    name = re.sub(r"[^\w .,+&()-]+", "-", text).strip(" .-")[:100]
    name = name.encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore").strip(" .-")
    return name if _NAME.fullmatch(name) else "clip"


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turns what the system says while `path` is written into an OutputError of one line."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise OutputError(f"{path}: cannot be written ({reason}); choose another folder or make room") from error


def make_folder(path: Path) -> Path:
    """Creates `path` and its parents. Raises OutputError."""
    with output_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def put_in_place(partial: Path, path: Path) -> None:
    """`durable.files.put_in_place`. Raises OutputError."""
    with output_errors(path):
        files.put_in_place(partial, path)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a whole file or none. Raises OutputError."""
    with output_errors(path):
        files.write_bytes(path, content)


def write_json(path: Path, content: object) -> None:
    """Writes a whole JSON file or none. Raises OutputError.

    A file name that is no Unicode is held by escapes, from which `json` makes the same name again.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False)
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        text = json.dumps(content, indent=1)
    write_bytes(path, (text + "\n").encode())


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file's content, read once a process while its size and time of change stay. Raises OSError."""
    there = path.stat()
    return _digest(path, there.st_size, there.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, changed: int) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()


def typed(kind: type[T], values: Any) -> T:
    """A dataclass from what JSON held, where each value is of its field's type. Raises TypeError."""
    fields = _fields(kind)  # type: ignore[arg-type]  # mypy doubts that classes are hashable
    if not isinstance(values, dict):
        raise TypeError(f"no {kind.__name__}")
    for name, value in values.items():
        allowed = fields.get(name, (object,))
        is_number = isinstance(value, bool) and not {bool, object} & set(allowed)  # to Python, but not to us
        if is_number or not isinstance(value, allowed):
            raise TypeError(f"{name} cannot be {str(value)[:40]!r}")
    return kind(**values)


@lru_cache(maxsize=256)
def _fields(kind: type) -> dict[str, tuple[type, ...]]:
    """The types that each field of a dataclass may have."""
    found = {}
    for name, hint in get_type_hints(kind).items():
        kinds = get_args(hint) if get_origin(hint) is UnionType else (hint,)
        found[name] = tuple(get_origin(part) or part for part in kinds)
    return found


def remove_folder(path: Path) -> None:
    """Removes a folder and all in it; nothing where it is not there."""
    shutil.rmtree(path, ignore_errors=True)
