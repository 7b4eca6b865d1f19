"""Windows of two domains that show the same frames: where the right answer is known, as for pix2pix."""

import numpy as np
import torch
from torch.utils.data import Dataset

from data.domain.windows import Shuffled, Windows, sample_generator
from data.errors import SettingsError

_ROUNDING_PX = 2
"""Two pictures of one aspect may differ by this after each was scaled to a whole number of pixels twice."""


class PairedWindows(Dataset):
    """Endless pairs: every pair of windows once an epoch in shuffled order, both cropped and flipped alike.

    Raises SettingsError where no window of A shows the same frames as one of B, or their pictures do not lie over each
    other.
    """

    def __init__(self, a: Windows, b: Windows, seed: int) -> None:
        self.a, self.b, self.seed = a, b, seed
        self.pairs = paired_places(a, b)
        if not self.pairs:
            raise SettingsError(
                f"{a.folder} and {b.folder}: no window of one shows the same frames as one of the other; "
                "make both from clips that belong together, in the same order"
            )
        self.epoch_length = len(self.pairs)
        self._order = Shuffled(self.epoch_length, seed)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        return draw_pair(self.a, self.b, self.pairs[self._order[k]], sample_generator(self.seed, k))


def paired_places(a: Windows, b: Windows) -> list[tuple[int, int]]:
    """The windows of A that have one of B with the same frames, each with it: (index in A, index in B).

    Clips belong together by their place in the domain, frames by their number; what is missing on one side (deleted,
    excluded, in another part) is left out. Raises SettingsError where pictures do not lie over each other.
    """
    in_b = {_shown(b, index): index for index in range(len(b))}
    pairs = [(i, in_b[_shown(a, i)]) for i in range(len(a)) if _shown(a, i) in in_b]
    for i, j in pairs:
        size_a, size_b = a.size_of(i), b.size_of(j)
        if np.abs(np.subtract(size_a, size_b)).max() > _ROUNDING_PX:
            clip, number = a.frames_of(i)
            shown = " and ".join(f"{width}x{height}" for height, width in (size_a, size_b))
            raise SettingsError(
                f"{a.folder} and {b.folder}: frame {number + 1} of clip {clip + 1} differs in shape ({shown}); "
                "pairs have to lie over each other"
            )
    return pairs


def _shown(windows: Windows, index: int) -> tuple[int, ...]:
    return windows.frames_of(index)[0], *windows.numbers_of(index)


def draw_pair(
    a: Windows, b: Windows, pair: tuple[int, int], rng: np.random.Generator | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """A pair of `paired_places`, each (window, 3, size, size) uint8: one crop and one flip for both.

    Without `rng`: the middle, unflipped.
    """
    height, width = np.minimum(a.size_of(pair[0]), b.size_of(pair[1])).tolist()
    crop = a.crop((height, width), rng)
    return a.cut(pair[0], crop), b.cut(pair[1], crop)
