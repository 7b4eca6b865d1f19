"""Windows of consecutive frames, drawn unpaired from two domains.

Pictures are decoded once into memory-mapped arrays beside the domain, which all worker processes of a machine share.
What sample number k holds depends on the seed and k alone: so an interrupted run goes on with the very windows that it
would have seen, and each process of many draws its own part.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from data.disk import make_folder, output_errors, remove_folder
from data.domain import Domain, Record, require_window, runs
from data.errors import PictureError, SettingsError
from data.pictures import read_picture, resize

LOAD_SCALE = 286 / 256
"""Pictures are loaded larger than the crop by this factor, as the authors do, where crops are jittered."""


def load_size_of(size: int, crop_jitter: bool) -> int:
    """Side in pixels that pictures are scaled to before a crop of `size` is taken: the scale at which networks see."""
    return round(size * LOAD_SCALE) if crop_jitter else size


class Windows:
    """All runs of `window` consecutive frames in one part of a domain.

    A window never crosses a cut, a gap in the face's track, or a frame whose picture was deleted.

    size: side of the square crop in pixels. crop_jitter: load pictures 286/256 larger and crop at a random place;
    without it the middle is taken (of a whole frame that is wider than high, anywhere along its length).
    Raises SettingsError where the domain's pictures are smaller than `size`, TooFewFramesError.
    """

    def __init__(
        self, domain: Domain, *, split: str, window: int, size: int, crop_jitter: bool = True, flip: bool = False
    ) -> None:
        if domain.size < size:
            raise SettingsError(
                f"{domain.folder}: its pictures are of size {domain.size}, training wants {size}; "
                f"extract again with --size {size}, or train with --size {domain.size}"
            )
        self.window, self.size, self.crop_jitter, self.flip = window, size, crop_jitter, flip
        load_size = load_size_of(size, crop_jitter)
        present = [
            record
            for record in domain.records()
            if record.split == split and (domain.folder / record.picture).is_file()
        ]
        if split == "train":
            require_window(present, window, str(domain.folder))
        self._arrays, rows = _cached(domain, present, load_size, split)
        self._starts = [
            (run[0].clip, rows[run[0].clip, run[0].number] + offset)
            for run in runs(present)
            for offset in range(len(run) - window + 1)
        ]
        self.frames = len(present)

    def __len__(self) -> int:
        return len(self._starts)

    def draw(self, index: int, rng: np.random.Generator | None) -> torch.Tensor:
        """Window `index` as (window, 3, size, size) float32 in [-1, 1], cropped at a place that `rng` draws.

        One crop and one flip serve all frames of a window. Without `rng`: the middle, unflipped.
        """
        clip, row = self._starts[index]
        pictures = self._arrays[clip][row : row + self.window]
        spare = np.array(pictures.shape[1:3]) - self.size
        if rng is None or not (self.crop_jitter or spare.any()):
            top, left = spare // 2
        else:
            top, left = rng.integers(spare + 1)
        pictures = pictures[:, top : top + self.size, left : left + self.size]
        if self.flip and rng is not None and rng.random() < 0.5:
            pictures = pictures[:, :, ::-1]
        tensor = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return tensor.float().div_(127.5).sub_(1)


class UnpairedWindows(Dataset):
    """Endless pairs: every window of A in shuffled order, each with a window of B drawn at random.

    An epoch is as long as the longer of the two domains.
    """

    def __init__(self, a: Windows, b: Windows, seed: int) -> None:
        self.a, self.b, self.seed = a, b, seed
        self.epoch_length = max(len(a), len(b))
        self._epoch, self._order = -1, np.empty(0, int)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, place = divmod(k, self.epoch_length)
        if epoch != self._epoch:
            order = np.random.default_rng((self.seed, 0, epoch)).permutation(self.epoch_length)
            self._epoch, self._order = epoch, order
        rng = np.random.default_rng((self.seed, 1, k))
        return self.a.draw(int(self._order[place]) % len(self.a), rng), self.b.draw(int(rng.integers(len(self.b))), rng)


def batches(
    dataset: UnpairedWindows,
    *,
    batch_size: int,
    start_step: int,
    rank: int = 0,
    world_size: int = 1,
    workers: int = 0,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches (a, b) of process `rank` from step `start_step` on: each (batch_size, window, 3, size, size)."""
    sampler = _Places(start_step, batch_size, rank, world_size)
    loader = DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=workers > 0,
    )
    return iter(loader)


class _Places:
    """Sample numbers of each step's batch: the processes of one step take neighbouring parts."""

    def __init__(self, start_step: int, batch_size: int, rank: int, world_size: int) -> None:
        self.step, self.batch_size, self.rank, self.world_size = start_step, batch_size, rank, world_size

    def __iter__(self) -> Iterator[list[int]]:
        step = self.step
        while True:
            first = (step * self.world_size + self.rank) * self.batch_size
            yield list(range(first, first + self.batch_size))
            step += 1


def _cached(
    domain: Domain, records: Sequence[Record], load_size: int, split: str
) -> tuple[dict[str, np.ndarray], dict[tuple[str, int], int]]:
    """Memory-mapped (frames, height, width, 3) uint8 RGB for each clip, and the row of each (clip, frame number).

    The cache is made again when a picture was changed or deleted; the one before it is removed.
    """
    pictures = [domain.folder / record.picture for record in records]
    stats = [path.stat() for path in pictures]
    listing = [[str(p), s.st_size, s.st_mtime_ns] for p, s in zip(pictures, stats, strict=True)]
    key = hashlib.sha256(json.dumps([load_size, listing]).encode()).hexdigest()[:16]
    folder = domain.folder / ".cache" / f"{split}-{load_size}-{key}"
    by_clip: dict[str, list[Record]] = {}
    for record in records:
        by_clip.setdefault(record.clip, []).append(record)
    if not folder.exists():
        for stale in folder.parent.glob(f"{split}-{load_size}-*"):
            remove_folder(stale)
        _fill(folder, domain, by_clip, load_size)
    arrays = {clip: np.load(folder / f"{clip}.npy", mmap_mode="r") for clip in by_clip}
    rows = {(r.clip, r.number): row for clip in by_clip.values() for row, r in enumerate(clip)}
    return arrays, rows


def _fill(folder: Path, domain: Domain, by_clip: dict[str, list[Record]], load_size: int) -> None:
    """Decodes every picture into the cache. Raises PictureError, OutputError; leaves nothing half-written."""
    partial = make_folder(folder.with_name(f".{folder.name}-{os.getpid()}"))
    total = sum(map(len, by_clip.values()))
    try:
        with (
            tqdm(total=total, desc=f"reading {domain.name}", unit="picture", disable=None) as bar,
            output_errors(folder),
        ):
            for clip, records in by_clip.items():
                paths = [domain.folder / record.picture for record in records]
                _decode(partial / f"{clip}.npy", paths, load_size, bar)
            with suppress(OSError):  # another process of this machine was first: its copy is as good
                partial.rename(folder)
    finally:
        remove_folder(partial)


def _decode(target: Path, paths: list[Path], load_size: int, bar: tqdm) -> None:
    """Writes the pictures at `paths`, their short side at `load_size`, into one array file."""
    shape = read_picture(paths[0]).shape
    scale = load_size / min(shape[:2])
    size = max(load_size, round(shape[1] * scale)), max(load_size, round(shape[0] * scale))
    array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(paths), size[1], size[0], 3))
    with target.open("rb+") as handle:  # a full disk is an error here, a crash once the pages are written
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle.fileno(), 0, target.stat().st_size)

    def decode(row: int) -> None:
        picture = read_picture(paths[row])
        if picture.shape != shape:
            raise PictureError(f"{paths[row]}: of another size than {paths[0].name}; delete it or extract again")
        array[row] = resize(picture, size)
        bar.update()

    with ThreadPoolExecutor() as pool:
        list(pool.map(decode, range(len(paths))))
    array.flush()
