"""The file of one clip: a first line of what it was made from and how, then a line a frame. Appears whole."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from data.disk import check_name, typed, write_bytes
from data.domain.record import Record, columns_from_lines, from_lines, to_line
from data.errors import BadNameError

_Read = TypeVar("_Read")

SUFFIX = ".jsonl"


@dataclass
class Clip:
    """What is said of one clip. `settings` are those it was extracted with; `place` is the clip's in its domain."""

    clip: str
    path: str
    sha256: str
    kind: str
    settings: dict[str, Any]
    frames: int
    kept: int
    shots: int
    rate: str
    size: list[int]
    rotation: int
    colour: dict[str, str]
    excluded: dict[str, int] = field(default_factory=dict)
    place: int = 0

    @property
    def from_video(self) -> bool:
        """Whether it was made from a video file and not from a folder of pictures."""
        return self.kind == "video"


class DamagedClipError(ValueError):
    """A clip's file is not what was written."""


def write_clip(folder: Path, clip: Clip, records: Iterable[Record]) -> None:
    """Writes the file of a clip into `folder`, whole or not at all. Raises OutputError."""
    lines = b"".join(map(to_line, records))
    first = {"records_sha256": hashlib.sha256(lines).hexdigest()} | dataclasses.asdict(clip)
    header = json.dumps(first, separators=(",", ":"), ensure_ascii=True).encode()
    write_bytes(folder / f"{clip.clip}{SUFFIX}", header + b"\n" + lines)


def read_clip(path: Path) -> Clip:
    """The first line of a clip's file. Raises DamagedClipError, BadNameError, OSError."""
    with path.open("rb") as file:
        return _clip(path, file.readline())[0]


def read_records(path: Path, *, landmarks: bool) -> list[Record]:
    """The frames of a clip in order, once the whole file is known to be what was written. Raises as `read_clip`."""
    return _read(path, lambda clip, lines: from_lines(clip, lines, landmarks=landmarks))


def read_columns(path: Path, names: Iterable[str]) -> dict[str, list[Any]]:
    """The same frames as columns of the fields that are named (see `columns_from_lines`). Raises as `read_clip`."""
    return _read(path, lambda clip, lines: columns_from_lines(lines, names))


def _read(path: Path, parse: Callable[[str, list[bytes]], _Read]) -> _Read:
    with path.open("rb") as file:
        clip, digest = _clip(path, file.readline())
        lines = file.read()
    if hashlib.sha256(lines).hexdigest() != digest:
        raise DamagedClipError("its frames are not those that were written")
    try:
        return parse(clip.clip, lines.splitlines())
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedClipError(str(error)) from error


def is_whole(path: Path) -> bool:
    """Whether a clip's file is there, and is what was written."""
    try:
        read_records(path, landmarks=False)
    except (DamagedClipError, BadNameError, OSError):
        return False
    return True


def _clip(path: Path, line: bytes) -> tuple[Clip, str]:
    """The clip that a first line is about, and the digest of the other lines."""
    try:
        content = json.loads(line)
        digest = content.pop("records_sha256")
        clip = typed(Clip, content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedClipError(str(error)) from error
    if check_name(clip.clip, f"{path}: clip") != path.name.removesuffix(SUFFIX):
        raise DamagedClipError(f"says that it is {clip.clip}")
    return clip, digest
