"""Label scores: how many pixels of a translated label map have the right class (Zhu et al. 2017, Tables 2 to 5).

Pictures are (H, W, 3) uint8 RGB; a palette is (C, 3) uint8, a colour a class.
"""

import numpy as np


def nearest_class(rgb: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(H, W) int64: the class whose colour is nearest (least sum of squares); of two equally near the first.

    >>> road_and_sky = np.array([[128, 64, 128], [70, 130, 180]], np.uint8)
    >>> nearest_class(np.array([[[120, 70, 125], [60, 140, 200]]], np.uint8), road_and_sky)
    array([[0, 1]])
    """
    codes, places = np.unique(rgb.astype(np.int64) @ (1 << 16, 1 << 8, 1), return_inverse=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
    nearest = np.empty(len(colours), np.int64)
    for start in range(0, len(colours), 4096):  # a soft picture has as many colours as pixels
        part = colours[start : start + 4096, None]
        nearest[start : start + 4096] = ((part - palette.astype(np.int64)) ** 2).sum(-1).argmin(1)
    return nearest[places.reshape(rgb.shape[:2])]


class Confusion:
    """Counts of pixels by the truth's class (row) and the result's class (column).

    >>> black_and_white = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    >>> truth, result = (np.array(row, np.uint8)[None, :, None].repeat(3, 2) for row in ([0, 0, 255], [9, 200, 250]))
    >>> confusion = Confusion(black_and_white)
    >>> round(confusion.add(result, truth), 3)
    0.667
    >>> confusion.counts
    array([[1, 1],
           [0, 1]])
    """

    def __init__(self, palette: np.ndarray, void: int | None = None) -> None:
        """palette: (C, 3). void: the colour among these that is no class: pixels that are nearest to it in the truth
        are left out, and no pixel of a result is taken for it.
        """
        self._palette, self._void = palette, void
        self._classes = np.array([number for number in range(len(palette)) if number != void])
        self.counts = np.zeros((len(self._classes), len(self._classes)), np.int64)

    def add(self, result: np.ndarray, truth: np.ndarray) -> float | None:
        """Counts one picture. Gives its per-pixel accuracy; None where all of the truth is void."""
        true = nearest_class(truth, self._palette)
        known = true != self._void if self._void is not None else np.ones(true.shape, bool)
        row = np.searchsorted(self._classes, true[known])
        column = nearest_class(result, self._palette[self._classes])[known]
        size = len(self._classes)
        counts = np.bincount(row * size + column, minlength=size * size).reshape(size, size)
        self.counts += counts
        return pixel_accuracy(counts)


def pixel_accuracy(counts: np.ndarray) -> float | None:
    """Part of all pixels that has the right class. counts: (C, C), truth by result. None where there is no pixel.

    >>> all_called_road = np.array([[90, 0], [10, 0]])
    >>> pixel_accuracy(all_called_road)
    0.9
    """
    total = counts.sum()
    return float(np.trace(counts) / total) if total else None


def class_accuracy(counts: np.ndarray) -> float | None:
    """Mean over the classes that the truth shows of the part of their pixels that has the right class.

    Who calls everything by the name of the largest class gains nothing by it:

    >>> all_called_road = np.array([[90, 0], [10, 0]])
    >>> class_accuracy(all_called_road)
    0.5
    """
    there = counts.sum(1) > 0
    return float(np.mean(np.diag(counts)[there] / counts.sum(1)[there])) if there.any() else None


def class_iou(counts: np.ndarray) -> float | None:
    """Mean over the classes that truth or result show of intersection over union.

    Pixels that a class was given wrongly count too: 90 of 100 for the one, none of 10 for the other.

    >>> all_called_road = np.array([[90, 0], [10, 0]])
    >>> class_iou(all_called_road)
    0.45
    """
    union = counts.sum(0) + counts.sum(1) - np.diag(counts)
    there = union > 0
    return float(np.mean(np.diag(counts)[there] / union[there])) if there.any() else None
