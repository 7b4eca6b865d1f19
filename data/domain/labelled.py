"""Pictures with label maps: FOLDER/images and FOLDER/labels, files of the same names."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data.domain.palette import Palette
from data.domain.pictures import read_picture, resize
from data.errors import MissingInputError, SettingsError

VOID = 255
"""In label maps: a pixel of no class."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Labelled:
    """pictures: (N, side, side, 3) uint8 RGB. labels: (N, side, side) uint8, places in a palette's classes, or VOID."""

    pictures: np.ndarray
    labels: np.ndarray

    def parts(self, test_part: float) -> tuple["Labelled", "Labelled"]:
        """What comes first, to learn from, and the rest, to test on: frames that follow each other stay together."""
        first = round(len(self.pictures) * (1 - test_part))
        return (
            Labelled(self.pictures[:first], self.labels[:first]),
            Labelled(self.pictures[first:], self.labels[first:]),
        )


def read_labelled(folder: Path, palette: Palette, side: int) -> Labelled:
    """The middle square of every picture of images/ and of the label map of its name in labels/, `side` pixels high.

    A pixel of a label map is of the class whose colour is nearest, and of the void colour of none.
    Raises MissingInputError, SettingsError, PictureError.
    """
    images = _files(folder / "images")
    maps = {path.stem: path for path in _files(folder / "labels")}
    missing = [path.name for path in images if path.stem not in maps]
    if missing:
        raise SettingsError(f"{folder / 'labels'}: has no label map for images/{missing[0]} ({len(missing)} in all)")
    pictures, labels = [], []
    for path in images:
        picture, label_map = read_picture(path), read_picture(maps[path.stem])
        if picture.shape[:2] != label_map.shape[:2]:
            raise SettingsError(f"{path} and {maps[path.stem]}: are of two sizes")
        pictures.append(resize(_middle(picture), (side, side)))
        # One of the pixels, never a mean of two classes.
        small = cv2.resize(_middle(label_map), (side, side), interpolation=cv2.INTER_NEAREST)
        labels.append(_classes(small, palette))
    return Labelled(np.stack(pictures), np.stack(labels))


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else []
    if not found:
        raise MissingInputError(f"{folder}: no pictures in it; a labelled set is FOLDER/images and FOLDER/labels")
    return found


def _middle(picture: np.ndarray) -> np.ndarray:
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def _classes(label_map: np.ndarray, palette: Palette) -> np.ndarray:
    """(H, W) uint8 of (H, W, 3) uint8 RGB."""
    colours, places = np.unique(label_map.reshape(-1, 3), axis=0, return_inverse=True)
    apart = ((colours[:, None].astype(int) - palette.colours.astype(int)) ** 2).sum(-1).argmin(1)
    numbers = np.array([VOID if name == "void" else palette.classes.index(name) for name in palette.names], np.uint8)
    return numbers[apart][places].reshape(label_map.shape[:2])
