"""A domain's pictures decoded once, into memory-mapped files beside it that all processes of a machine share."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.disk import make_folder, output_errors, remove_folder
from data.domain.domain import Domain, Record
from data.domain.pictures import read_picture, resize
from data.errors import PictureError
from durable.files import flush, put_in_place

_FORMAT = 2
_DECODED_AT_ONCE = 64


class Decoded:
    """Pictures of some frames of a domain, their short sides at one length."""

    def __init__(self, folder: Path, by_clip: dict[str, list[Record]]) -> None:
        self._pixels: dict[str, np.ndarray] = {}
        self._places: dict[tuple[str, int], tuple[int, int, int]] = {}
        for clip, records in by_clip.items():
            self._pixels[clip] = np.memmap(folder / f"{clip}.rgb", np.uint8, mode="r")
            sizes = np.load(folder / f"{clip}.npy").tolist()
            start = 0
            for record, (height, width) in zip(records, sizes, strict=True):
                self._places[clip, record.number] = start, height, width
                start += 3 * height * width

    def size(self, clip: str, number: int) -> tuple[int, int]:
        """(height, width) of the picture of a frame."""
        return self._places[clip, number][1:]

    def of(self, clip: str, numbers: Sequence[int]) -> np.ndarray:
        """(length, height, width, 3) uint8 RGB of frames of one size; not copied where they are consecutive."""
        start, height, width = self._places[clip, numbers[0]]
        bytes_each, length = height * width * 3, len(numbers)
        if numbers[-1] - numbers[0] == length - 1:
            return self._pixels[clip][start : start + length * bytes_each].reshape(length, height, width, 3)
        starts = [self._places[clip, number][0] for number in numbers]
        return np.stack([self._pixels[clip][at : at + bytes_each].reshape(height, width, 3) for at in starts])


def decoded(domain: Domain, records: Sequence[Record], short_side: int, split: str) -> Decoded:
    """The pictures of `records`, which are all of one part of the domain.

    They are decoded again when a picture was changed or deleted; what was decoded before is removed.
    short_side: in pixels. split: the part, which names the files.
    Raises PictureError (not to be read, or of another size than the frame before it), OutputError.
    """
    pictures = [domain.folder / record.picture for record in records]
    stats = [path.stat() for path in pictures]
    listing = [[str(p), s.st_size, s.st_mtime_ns] for p, s in zip(pictures, stats, strict=True)]
    key = hashlib.sha256(json.dumps([_FORMAT, short_side, listing]).encode()).hexdigest()[:16]
    folder = domain.folder / ".cache" / f"{split}-{short_side}-{key}"
    by_clip: dict[str, list[Record]] = {}
    for record in records:
        by_clip.setdefault(record.clip, []).append(record)
    if not folder.exists():
        for stale in folder.parent.glob(f"{split}-{short_side}-*"):
            remove_folder(stale)
        _fill(folder, domain, by_clip, short_side)
    return Decoded(folder, by_clip)


def _fill(folder: Path, domain: Domain, by_clip: dict[str, list[Record]], short_side: int) -> None:
    """Decodes every picture. Raises PictureError, OutputError; leaves nothing half-written."""
    partial = make_folder(folder.with_name(f".{folder.name}-{os.getpid()}"))
    total = sum(map(len, by_clip.values()))
    try:
        with (
            tqdm(total=total, desc=f"reading {domain.name}", unit="picture", disable=None) as bar,
            output_errors(folder),
        ):
            for clip, records in by_clip.items():
                sizes = []
                with (partial / f"{clip}.rgb").open("wb") as pixels:
                    for picture in _pictures(domain, records, short_side):
                        pixels.write(np.ascontiguousarray(picture).data)
                        sizes.append(picture.shape[:2])
                        bar.update()
                flush(partial / f"{clip}.rgb")
                np.save(partial / f"{clip}.npy", np.array(sizes, np.int64))
            with suppress(OSError):  # another process of this machine was first: its copy is as good
                put_in_place(partial, folder)
    finally:
        remove_folder(partial)


def _pictures(domain: Domain, records: list[Record], short_side: int) -> Iterator[np.ndarray]:
    """The pictures of one clip in order, at their size. Frames that follow each other are of one size."""

    def decode(record: Record) -> tuple[tuple[int, ...], np.ndarray]:
        picture = read_picture(domain.folder / record.picture)
        height, width = picture.shape[:2]
        scale = short_side / min(height, width)
        size = max(short_side, round(width * scale)), max(short_side, round(height * scale))
        return picture.shape, resize(picture, size)

    last, last_shape = records[0], None
    with ThreadPoolExecutor() as pool:
        for first in range(0, len(records), _DECODED_AT_ONCE):
            some = records[first : first + _DECODED_AT_ONCE]
            for record, (shape, picture) in zip(some, pool.map(decode, some), strict=True):
                follows = (last.shot, last.number) == (record.shot, record.number - 1)
                if follows and shape != last_shape:
                    raise PictureError(
                        f"{domain.folder / record.picture}: of another size than {Path(last.picture).name}; "
                        "delete it or extract again"
                    )
                last, last_shape = record, shape
                yield picture
