"""Windows of consecutive frames, drawn unpaired from two domains.

What sample number k holds depends on the seed and k alone: so an interrupted run goes on with the very windows that it
would have seen, and each process of many draws its own part.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from data.domain.cache import Cache, Decoded, Mapped
from data.domain.domain import Domain
from data.domain.record import Record, runs, windows_in
from data.domain.splits import halves
from data.errors import SmallPicturesError, TooFewFramesError

LOAD_SCALE = 286 / 256
"""Pictures are loaded larger than the crop by this factor, as the authors do, where crops are jittered."""


def load_size_of(size: int, crop_jitter: bool) -> int:
    """Side in pixels that pictures are scaled to before a crop of `size` is taken: the scale at which networks see."""
    return round(size * LOAD_SCALE) if crop_jitter else size


class Crop(NamedTuple):
    """Where a square lies in a picture, in pixels, and whether it is then flipped left to right."""

    top: int
    left: int
    flipped: bool


class Windows:
    """All runs of `window` consecutive frames in one part of a domain.

    A window never crosses a cut, a hole in time, a gap in the face's track, or a frame whose picture was deleted; it
    steps over frames that repeat the one before.

    split: "train", "test" (all that is held out) or "choosing" (see `halves`).
    size: side of the square crop in pixels. crop_jitter: load pictures 286/256 larger and crop at a random place;
    without it the middle is taken (of a whole frame that is wider than high, anywhere along its length).
    Raises SmallPicturesError where the domain's pictures are smaller than `size`, TooFewFramesError.
    """

    def __init__(
        self, domain: Domain, *, split: str, window: int, size: int, crop_jitter: bool = True, flip: bool = False
    ) -> None:
        if domain.size < size:
            raise SmallPicturesError(domain.folder, there=domain.size, wanted=size)
        self.folder = domain.folder
        self.window, self.size, self.crop_jitter, self.flip = window, size, crop_jitter, flip
        self._mapped = Mapped()
        self._clips: list[Decoded] = []
        self._places: list[int] = []
        numbers: list[np.ndarray] = []
        longest = 0
        with Cache(domain, load_size_of(size, crop_jitter)) as cache:
            for place, clip in enumerate(domain.clips):
                there = cache.present(clip.clip, domain.records_of(clip, landmarks=False))
                if not any(len(run) >= window for run in runs(_part(there, split, window))):
                    longest = max(longest, *map(len, runs(_part(there, split, window))), 0)
                    continue
                decoded = cache.decoded(there)
                fit = set(decoded.numbers.tolist())
                found = list(runs(_part([record for record in there if record.number in fit], split, window)))
                longest = max(longest, *map(len, found), 0)
                rows = [[record.number for record in few] for run in found for few in windows_in(run, window)]
                if rows:
                    numbers.append(np.array(rows, np.int32))
                    self._clips.append(decoded)
                    self._places.append(place)
        if split == "train" and longest < window:
            raise TooFewFramesError(str(domain.folder), longest, window)
        self._owners = np.repeat(np.arange(len(numbers), dtype=np.int32), [len(rows) for rows in numbers])
        self._numbers = np.concatenate(numbers) if numbers else np.empty((0, window), np.int32)

    def __len__(self) -> int:
        return len(self._owners)

    def frames_of(self, index: int) -> tuple[int, int]:
        """What window `index` shows: the place of its clip in the domain, and the number of its first frame."""
        return self._places[self._owners[index]], int(self._numbers[index, 0])

    def numbers_of(self, index: int) -> list[int]:
        """The numbers of window `index`'s frames: consecutive, but where some repeat the one before."""
        return self._numbers[index].tolist()

    def of_same_clip(self, index: int) -> np.ndarray:
        """The places of all windows of the clip that window `index` is of."""
        return np.flatnonzero(self._owners == self._owners[index])

    def size_of(self, index: int) -> tuple[int, int]:
        """(height, width) in pixels of the pictures that window `index` is cropped from."""
        return self._clips[self._owners[index]].size(int(self._numbers[index, 0]))

    def draw(self, index: int, rng: np.random.Generator | None) -> torch.Tensor:
        """Window `index` as (window, 3, size, size) uint8, cropped at a place that `rng` draws.

        One crop and one flip serve all frames of a window. Without `rng`: the middle, unflipped.
        """
        return self.cut(index, self.crop(self.size_of(index), rng))

    def crop(self, size: tuple[int, int], rng: np.random.Generator | None) -> Crop:
        """Where to crop pictures of this (height, width): drawn by `rng`, or the middle without."""
        spare = np.array(size) - self.size
        if rng is None or not (self.crop_jitter or spare.any()):
            top, left = spare // 2
        else:
            top, left = rng.integers(spare + 1)
        flipped = self.flip and rng is not None and rng.random() < 0.5
        return Crop(int(top), int(left), flipped)

    def cut(self, index: int, crop: Crop) -> torch.Tensor:
        """Window `index` as (window, 3, size, size) uint8, cropped there: a quarter of what values in [-1, 1] weigh on
        the way to a GPU, which makes them of it."""
        pictures = self._mapped.read(self._clips[self._owners[index]], self.numbers_of(index))
        pictures = pictures[:, crop.top : crop.top + self.size, crop.left : crop.left + self.size]
        if crop.flipped:
            pictures = pictures[:, :, ::-1]
        return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def _part(records: list[Record], split: str, window: int) -> list[Record]:
    """Those of a clip's records that are in a part of its domain."""
    if split == "choosing":
        return halves(records, window)[0]
    return [record for record in records if record.split == split]


class Shuffled:
    """Endless: the numbers below `length` in a new order every epoch. Number k depends on the seed and k alone."""

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        self._epoch, self._order = -1, np.empty(0, int)

    def __getitem__(self, k: int) -> int:
        epoch, place = divmod(k, self.length)
        if epoch != self._epoch:
            order = np.random.default_rng((self.seed, 0, epoch)).permutation(self.length)
            self._epoch, self._order = epoch, order
        return int(self._order[place])


def sample_generator(seed: int, k: int) -> np.random.Generator:
    """What draws all that is random in sample number k."""
    return np.random.default_rng((seed, 1, k))


class UnpairedWindows(Dataset):
    """Endless: every window of A in shuffled order, each with a window drawn at random of B and of what more there are.

    An epoch is as long as the longest of the domains.
    """

    def __init__(self, a: Windows, b: Windows, seed: int, *others: Windows, companions: bool = False) -> None:
        """others: of more domains, drawn as those of B are. companions: behind each window of B another of its clip."""
        self.a, self.seed, self._drawn, self._companions = a, seed, (b, *others), companions
        self.epoch_length = max(len(a), len(b), *(len(other) for other in others))
        self._order = Shuffled(self.epoch_length, seed)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, ...]:
        rng = sample_generator(self.seed, k)
        found = [self.a.draw(self._order[k] % len(self.a), rng)]
        for windows in self._drawn:
            index = int(rng.integers(len(windows)))
            drawn = windows.draw(index, rng)
            if self._companions:
                others = windows.of_same_clip(index)
                drawn = torch.cat([drawn, windows.draw(int(others[rng.integers(len(others))]), rng)])
            found.append(drawn)
        return tuple(found)


def batches(
    dataset: Dataset,
    *,
    batch_size: int,
    start_step: int,
    rank: int = 0,
    world_size: int = 1,
    workers: int = 0,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches (a, b) of process `rank` from step `start_step` on, uint8 (batch_size, window, 3, size, size)."""
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
