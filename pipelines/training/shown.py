"""Which windows training takes, shows, and compares checkpoints on."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from data.domain.domain import Domain
from data.domain.paired import draw_pair, paired_places
from data.domain.windows import Windows
from recycle.training.pixels import to_values

if TYPE_CHECKING:
    from pipelines.options import TrainOptions

SAMPLE_WINDOWS = 4
HELD_OUT_WINDOWS = 16
"""Of each domain, to compare checkpoints on."""


def windows_of(domain: Domain, options: "TrainOptions", window: int, split: str = "train") -> Windows:
    return Windows(
        domain,
        split=split,
        window=window,
        size=options.config.networks.size,
        crop_jitter=options.crop_jitter,
        flip=options.flip,
    )


def sample_windows(
    a: Domain, b: Domain, training_a: Windows, training_b: Windows, paired: bool, options: "TrainOptions"
) -> tuple[Tensor, Tensor]:
    """A few windows of A and of B, always the same, for sample sheets: held-out ones where there are any.

    Each (n, T, 3, size, size); where the domains are paired, of the same frames.
    """
    held_a, held_b = (windows_of(domain, options, training_a.window, split="test") for domain in (a, b))
    if paired:
        places = paired_places(held_a, held_b)
        if not places:
            held_a, held_b, places = training_a, training_b, paired_places(training_a, training_b)
        return _drawn_pairs(held_a, held_b, places, SAMPLE_WINDOWS)
    shown = [held if len(held) else training for held, training in ((held_a, training_a), (held_b, training_b))]
    of_a, of_b = (_drawn(windows, SAMPLE_WINDOWS) for windows in shown)
    return of_a, of_b


def held_out_windows(a: Domain, b: Domain, paired: bool, options: "TrainOptions") -> dict[str, Tensor]:
    """Windows of the held-out frames of "a" and "b" that choose, always the same, to compare checkpoints on.

    Each (n, T, 3, size, size) of two frames, or of one where no two follow each other; where the domains are paired, of
    the same frames. Nothing of a domain that has none.
    """
    found: dict[str, Tensor] = {}
    for window in (1, 2):  # longer ones in the place of shorter
        held_a, held_b = (windows_of(domain, options, window, split="choosing") for domain in (a, b))
        if paired:
            if places := paired_places(held_a, held_b):
                found["a"], found["b"] = _drawn_pairs(held_a, held_b, places, HELD_OUT_WINDOWS)
            continue
        for name, held in (("a", held_a), ("b", held_b)):
            if len(held):
                found[name] = _drawn(held, HELD_OUT_WINDOWS)
    return found


def _drawn(windows: Windows, count: int) -> Tensor:
    """At most `count` of the windows, spread evenly, unflipped from the middle: (n, T, 3, size, size)."""
    return to_values(torch.stack([windows.draw(i, None) for i in _spread(len(windows), count)]))


def _drawn_pairs(a: Windows, b: Windows, places: list[tuple[int, int]], count: int) -> tuple[Tensor, Tensor]:
    """The like of pairs (see `paired_places`): both (n, T, 3, size, size)."""
    drawn = [draw_pair(a, b, places[i], None) for i in _spread(len(places), count)]
    return to_values(torch.stack([x for x, _ in drawn])), to_values(torch.stack([y for _, y in drawn]))


def _spread(length: int, count: int) -> list[int]:
    """At most `count` places from the first to the last of `length`."""
    return [round(place) for place in np.linspace(0, length - 1, min(count, length))]
