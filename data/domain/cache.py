"""A domain's pictures decoded once, clip by clip, into files beside it that all processes of a machine map."""

import hashlib
import os
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

import numpy as np
from PIL import Image
from tqdm import tqdm

from data.disk import make_folder, output_errors, remove_folder
from data.domain.domain import Domain
from data.domain.pictures import read_picture, resize
from data.domain.record import Record
from data.errors import MissingInputError, PictureError
from durable.files import flush, partial_path, put_in_place

_FORMAT = 3
_OLDER = ("train-", "test-", "choosing-")
"""What the folders of an earlier version are called: a part of the domain each."""
_DECODED_AT_ONCE = 64
NAMED = 5
UNFIT = "are left out, damaged or of another size than most of their shot; extract again makes damaged ones anew"
_MAPPED_AT_ONCE = 64
"""Clips whose pixels are mapped: each costs an open file, of which a process may have about a thousand."""


@dataclass(frozen=True)
class Decoded:
    """The pictures of one clip, their short sides at one length.

    numbers: of its frames, rising, without those that could not be used. starts: where each picture begins in the file
    of pixels. sizes: (height, width).
    """

    pixels: Path
    numbers: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray

    def size(self, number: int) -> tuple[int, int]:
        """(height, width) of the picture of a frame."""
        height, width = self.sizes[np.searchsorted(self.numbers, number)]
        return int(height), int(width)


class Mapped:
    """Reads decoded clips, a few of which stay mapped."""

    def __init__(self) -> None:
        self._maps: OrderedDict[Path, np.ndarray] = OrderedDict()

    def read(self, clip: Decoded, numbers: Sequence[int]) -> np.ndarray:
        """(length, height, width, 3) uint8 RGB of frames of one size; not copied where they are consecutive."""
        pixels = self._map(clip.pixels)
        places = np.searchsorted(clip.numbers, numbers)
        height, width = clip.sizes[places[0]].tolist()
        bytes_each, length = height * width * 3, len(numbers)
        start = int(clip.starts[places[0]])
        if numbers[-1] - numbers[0] == length - 1:
            return pixels[start : start + length * bytes_each].reshape(length, height, width, 3)
        starts = clip.starts[places].tolist()
        return np.stack([pixels[at : at + bytes_each].reshape(height, width, 3) for at in starts])

    def _map(self, path: Path) -> np.ndarray:
        found = self._maps.pop(path, None)
        if found is None:
            found = np.memmap(path, np.uint8, mode="r")
            if len(self._maps) >= _MAPPED_AT_ONCE:
                self._maps.popitem(last=False)
        self._maps[path] = found
        return found


class Cache:
    """A domain's decoded pictures at one length of their short side, in pixels; while inside, clips are given to it."""

    def __init__(self, domain: Domain, short_side: int) -> None:
        self._domain, self._side, self._folder = domain, short_side, domain.folder / ".cache"
        self._there: dict[str, list[str]] = {}
        for path in self._folder.glob("*"):
            if path.name.startswith(_OLDER):
                remove_folder(path)
            self._there.setdefault(path.name.rpartition("-")[0], []).append(path.name)

    def __enter__(self) -> "Cache":
        self._stack = ExitStack()
        self._gone: list[str] = []
        self._unfit: list[str] = []
        self._pool: ThreadPoolExecutor | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for pictures, what in ((self._gone, "are not there"), (self._unfit, UNFIT)):
            if pictures:
                more = f", and {len(pictures) - NAMED} more" if len(pictures) > NAMED else ""
                named = ", ".join(pictures[:NAMED])
                self._domain.on_note(f"{self._domain.folder}: {len(pictures)} pictures {what} ({named}{more})")

    def present(self, clip: str, records: Iterable[Record]) -> list[Record]:
        """Those of a clip's records that are kept and whose picture is there."""
        self._listed = clip, _listing(self._domain.folder / "frames" / clip)
        there = self._listed[1]
        kept = [record for record in records if record.split != "excluded"]
        self._gone += [record.picture for record in kept if record.file_name not in there]
        return [record for record in kept if record.file_name in there]

    def decoded(self, records: Sequence[Record]) -> Decoded:
        """The pictures of a clip, given by what `present` said last.

        They are decoded again when one was changed or deleted; what was decoded before is removed. Those that cannot be
        read, or are of another size than most of their shot, are left out, with a note. Raises OutputError.
        """
        stem = f"{self._side}-{records[0].clip}"
        name = f"{stem}-{self._key(records)}"
        if name not in self._there.get(stem, []):
            for stale in self._there.get(stem, []):
                remove_folder(self._folder / stale)
            self._fill(self._folder / name, records)
        found = _opened(self._folder / name, records)
        fit = set(found.numbers.tolist())
        self._unfit += [record.picture for record in records if record.number not in fit]
        return found

    def _key(self, records: Sequence[Record]) -> str:
        """Changes with each of a clip's pictures, and with which there are."""
        clip = records[0].clip
        assert clip == self._listed[0], "those of the clip that `present` was asked about last"
        content = [f"{_FORMAT} {clip}", *(f"{r.file_name} {self._listed[1][r.file_name]}" for r in records)]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()[:16]

    def _fill(self, final: Path, records: Sequence[Record]) -> None:
        """Decodes every picture of a clip. Raises OutputError; leaves nothing half-written."""
        if self._pool is None:
            self._pool = self._stack.enter_context(ThreadPoolExecutor())
            total = sum(clip.kept for clip in self._domain.clips)
            name = f"reading {self._domain.name}"
            self._bar = self._stack.enter_context(tqdm(total=total, desc=name, unit="picture", disable=None))
        make_folder(self._folder)
        partial = make_folder(partial_path(final))
        try:
            with output_errors(final):
                sizes = []
                with (partial / "pixels.rgb").open("wb") as pixels:
                    for picture in _pictures(self._domain, records, self._side, self._pool):
                        if picture is not None:
                            pixels.write(np.ascontiguousarray(picture).data)
                        sizes.append((0, 0) if picture is None else picture.shape[:2])
                        self._bar.update()
                flush(partial / "pixels.rgb")
                np.save(partial / "sizes.npy", np.array(sizes, np.int32))
                with suppress(OSError):  # another process was first: its copy is as good
                    put_in_place(partial, final)
        finally:
            remove_folder(partial)


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Name of every picture in a clip's folder -> size and time of change. Links may lead out of it: none."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        pictures = (entry for entry in entries if entry.name.endswith((".jpg", ".png")))
        stats = ((entry.name, entry.stat(follow_symlinks=False)) for entry in pictures)
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats if S_ISREG(stat.st_mode)}
    return {}


def _opened(folder: Path, records: Sequence[Record]) -> Decoded:
    sizes = np.load(folder / "sizes.npy")
    lengths = 3 * np.prod(sizes, axis=1, dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    fit = lengths > 0
    numbers = np.array([r.number for r in records], np.int32)
    return Decoded(folder / "pixels.rgb", numbers[fit], starts[fit], sizes[fit])


def _pictures(
    domain: Domain, records: Sequence[Record], short_side: int, pool: ThreadPoolExecutor
) -> Iterator[np.ndarray | None]:
    """The pictures of one clip in order, at their size; None for one that cannot be used: frames that follow each other
    are of one size."""
    shapes: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)

    def decode(record: Record) -> tuple[tuple[int, ...], np.ndarray] | None:
        try:
            picture = read_picture(domain.folder / record.picture)
        except (PictureError, MissingInputError):
            return None
        height, width = picture.shape[:2]
        scale = short_side / min(height, width)
        size = max(short_side, round(width * scale)), max(short_side, round(height * scale))
        return picture.shape, resize(picture, size)

    def look(record: Record) -> tuple[int, tuple[int, int] | None]:
        with suppress(Exception), Image.open(domain.folder / record.picture) as picture:  # Pillow raises what it likes
            return record.shot, picture.size
        return record.shot, None

    for shot, size in pool.map(look, records):
        if size is not None:
            shapes[shot][(size[1], size[0], 3)] += 1
    usual = {shot: counted.most_common(1)[0][0] for shot, counted in shapes.items()}
    for first in range(0, len(records), _DECODED_AT_ONCE):
        some = records[first : first + _DECODED_AT_ONCE]
        for record, found in zip(some, pool.map(decode, some), strict=True):
            yield found[1] if found is not None and found[0] == usual.get(record.shot) else None
