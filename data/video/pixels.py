"""The R'G'B' of a frame: there, or made when it is asked for, whole or a part of it."""

from typing import NamedTuple, Protocol

import numpy as np


class Box(NamedTuple):
    """Rows and columns of a picture, the last ones not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def inside(self) -> tuple[slice, slice]:
        """What indexes a picture (height, width, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.bottom - self.top, self.right - self.left

    def within(self, other: "Box") -> "Box":
        """The same in the pixels of `other`, which holds it."""
        return Box(self.top - other.top, self.bottom - other.top, self.left - other.left, self.right - other.left)

    def grown(self, by: int, size: tuple[int, int], block: int = 64) -> "Box":
        """With so many pixels more about it, or up to the border of a picture (height, width), and more up to whole
        blocks: so that what is planned for a size is planned for a few only."""
        top, left = (max(0, edge - by) // block * block for edge in (self.top, self.left))
        edges = zip(size, (self.bottom, self.right), strict=True)
        bottom, right = (min(side, -(-(edge + by) // block) * block) for side, edge in edges)
        return Box(top, bottom, left, right)


class Pixels(Protocol):
    """What becomes (height, width, 3) uint8 when it is asked for, in whichever thread. size: (height, width)."""

    @property
    def size(self) -> tuple[int, int]: ...

    def whole(self) -> np.ndarray:
        """All of it: the same array each time."""

    def part(self, box: Box) -> np.ndarray:
        """The same as that part of the whole, which need not be made for it."""


class Laid:
    """Pixels with a patch over them. below: what lies under it. patch: (height, width, 3) uint8 of the box's size."""

    def __init__(self, below: "Pixels | np.ndarray", box: Box, patch: np.ndarray) -> None:
        self.below, self.box, self.patch = below, box, patch
        self._whole: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        return size_of(self.below)

    def whole(self) -> np.ndarray:
        if self._whole is None:
            made = whole_of(self.below).copy()
            made[self.box.inside] = self.patch
            self._whole = made
        return self._whole

    def part(self, box: Box) -> np.ndarray:
        return self.whole()[box.inside]


def whole_of(pixels: Pixels | np.ndarray) -> np.ndarray:
    """(height, width, 3) uint8."""
    return pixels if isinstance(pixels, np.ndarray) else pixels.whole()


def part_of(pixels: Pixels | np.ndarray, box: Box) -> np.ndarray:
    """The same as that part of the whole."""
    return pixels[box.inside] if isinstance(pixels, np.ndarray) else pixels.part(box)


def size_of(pixels: Pixels | np.ndarray) -> tuple[int, int]:
    """(height, width)."""
    return (pixels.shape[0], pixels.shape[1]) if isinstance(pixels, np.ndarray) else pixels.size
