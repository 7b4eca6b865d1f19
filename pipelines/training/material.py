"""The windows that a run learns from, is looked at by, and is compared on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from data.domain.domain import Domain
from data.domain.paired import PairedWindows, draw_pair, paired_places
from data.domain.windows import UnpairedWindows, Windows
from recycle.methods.base import LETTERS, Method
from recycle.training.pixels import to_values

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions

SAMPLE_WINDOWS = 4
HELD_OUT_WINDOWS = 16
"""Of each domain, to compare checkpoints on."""


class Material:
    """Of the domains of a run, in their order.

    windows: all of each domain's part to train on. dataset: the steps' windows, drawn of those.
    Raises SettingsError, SmallPicturesError, TooFewFramesError.
    """

    def __init__(self, domains: Sequence[Domain], method: Method, options: "TrainOptions") -> None:
        # A domain is read several times for one training: what it has to tell is told once.
        domains = [replace(domain, on_note=_once(domain.on_note)) for domain in domains]
        self._domains, self._options, self._window, self._paired = domains, options, method.window, method.paired
        self.windows = [self._of(domain, method.window) for domain in domains]
        seed = options.training.seed
        self.dataset: PairedWindows | UnpairedWindows
        if method.paired:
            self.dataset = PairedWindows(self.windows[0], self.windows[1], seed)
        else:
            first, second, *others = self.windows
            self.dataset = UnpairedWindows(first, second, seed, *others, companions=method.companions)

    def _of(self, domain: Domain, window: int, split: str = "train") -> Windows:
        options = self._options
        return Windows(
            domain,
            split=split,
            window=window,
            size=options.config.networks.size,
            crop_jitter=options.crop_jitter,
            flip=options.flip,
        )

    def fixed(self) -> list[Tensor]:
        """A few windows of each domain, always the same, for sample sheets: held-out ones where there are any.

        Each (n, T, 3, size, size); where the domains are paired, of the same frames.
        """
        held = [self._of(domain, self._window, split="test") for domain in self._domains]
        if self._paired:
            places = paired_places(*held)
            if not places:
                held, places = self.windows, paired_places(*self.windows)
            return _drawn_pairs(held, places, SAMPLE_WINDOWS)
        shown = [held_out if len(held_out) else own for held_out, own in zip(held, self.windows, strict=True)]
        return [_drawn(windows, SAMPLE_WINDOWS) for windows in shown]

    def held_out(self) -> dict[str, Tensor]:
        """Windows of the held-out frames that choose, by the domain's letter, always the same, to compare checkpoints
        on.

        Each (n, T, 3, size, size) of two frames, or of one where no two follow each other; where the domains are
        paired, of the same frames. Nothing of a domain that has none.
        """
        found: dict[str, Tensor] = {}
        for window in (1, 2):  # longer ones in the place of shorter
            held = [self._of(domain, window, split="choosing") for domain in self._domains]
            if self._paired:
                if places := paired_places(*held):
                    found["a"], found["b"] = _drawn_pairs(held, places, HELD_OUT_WINDOWS)
                continue
            for letter, of_domain in zip(LETTERS, held, strict=False):
                if len(of_domain):
                    found[letter] = _drawn(of_domain, HELD_OUT_WINDOWS)
        return found


def _once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tells no line again."""
    told: set[str] = set()

    def note(line: str) -> None:
        if line not in told:
            told.add(line)
            tell(line)

    return note


def _drawn(windows: Windows, count: int) -> Tensor:
    """At most `count` of the windows, spread evenly, unflipped from the middle: (n, T, 3, size, size)."""
    return to_values(torch.stack([windows.draw(i, None) for i in _spread(len(windows), count)]))


def _drawn_pairs(held: Sequence[Windows], places: list[tuple[int, int]], count: int) -> list[Tensor]:
    """The like of pairs (see `paired_places`): two of (n, T, 3, size, size)."""
    drawn = [draw_pair(held[0], held[1], places[i], None) for i in _spread(len(places), count)]
    return [to_values(torch.stack([pair[side] for pair in drawn])) for side in (0, 1)]


def _spread(length: int, count: int) -> list[int]:
    """At most `count` places from the first to the last of `length`."""
    return [round(place) for place in np.linspace(0, length - 1, min(count, length))]
