"""Videos that are dropped on a page: streamed to disk under a name of ours, limited, whole or not there."""

import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from data.disk import make_folder, name_from, output_errors, put_in_place
from data.errors import OutputError, SettingsError
from durable.files import partial_path
from pipelines.rendering.inputs import VIDEOS

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""Ends of names of pictures of a person to follow."""
SPARED_BYTES = 500_000_000
"""Of the disk, that an upload leaves free."""


def target(folder: Path, name: str) -> Path:
    """Where a file of that name goes: letters of its stem, one of the known ends, never over another.

    Raises SettingsError.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in VIDEOS | PICTURES:
        raise SettingsError(f"{name_from(name)}: its name does not end as a video's or a picture's does")
    stem = name_from(Path(name).stem)
    count = 1
    while True:
        path = folder / (f"{stem}{suffix}" if count == 1 else f"{stem}-{count}{suffix}")
        if not path.exists() and not partial_path(path).exists():
            return path
        count += 1


async def receive(folder: Path, name: str, length: int, most: int, chunks: AsyncIterator[bytes]) -> Path:
    """Writes what arrives; gives the file. length: bytes that were announced. most: that are taken.

    Raises SettingsError, OutputError; then nothing is left.
    """
    if length > most:
        raise SettingsError(f"{name_from(name)}: {length / 1e9:.1f} GB, at most {most / 1e9:.1f} are taken")
    free = shutil.disk_usage(make_folder(folder)).free
    if length > free - SPARED_BYTES:
        raise OutputError(f"{name_from(name)}: {length / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB left")
    path = target(folder, name)
    partial = partial_path(path)
    arrived = 0
    try:
        with output_errors(path), partial.open("xb") as file:
            async for chunk in chunks:
                arrived += len(chunk)
                if arrived > length:
                    raise SettingsError(f"{path.name}: more arrives than was announced")
                file.write(chunk)
        if arrived < length:
            raise SettingsError(f"{path.name}: broken off after {arrived / 1e6:.1f} of {length / 1e6:.1f} MB")
        put_in_place(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return path
