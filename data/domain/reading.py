"""Picture files read as people see them: alpha on a background, grey of any depth; too large ones refused in time."""

import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from data.errors import MissingInputError, PictureError

HEIF = frozenset({".heic", ".heif"})
_OF_8_BITS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".webp", ".pbm", *HEIF})
HAS_HEIF_LIBRARY = importlib.util.find_spec("pillow_heif") is not None
_ALWAYS = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".gif", ".jp2", ".ppm", ".pgm",
    ".pbm", ".pnm",
}  # fmt: skip
SUFFIXES = frozenset(_ALWAYS | (HEIF if HAS_HEIF_LIBRARY else set()))
DEPTHS = (8, 9, 10, 12, 14, 16)
"""Bits that pictures stored in 16 may use."""
# EXIF orientation to (quarter turns counter-clockwise, then mirrored left to right).
_ORIENTATIONS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}


@dataclass(frozen=True)
class Reading:
    """How pictures are read. background: R, G, B under what is transparent. bits: that are used of 16; full scale.

    most_megapixels: a larger picture is refused by its header, before memory is taken for it.
    """

    background: tuple[int, int, int] = (255, 255, 255)
    bits: int = 16
    most_megapixels: int = 256

    def picture(self, path: Path) -> np.ndarray:
        """The picture as (height, width, 3) uint8 RGB, turned as its EXIF says.

        Raises MissingInputError, PictureError.
        """
        deep = self.deep(path)
        if deep.dtype == np.uint16:
            deep = np.rint(np.minimum(deep / (2**self.bits - 1), 1) * 255).astype(np.uint8)
        if deep.shape[2] == 3:
            return np.ascontiguousarray(deep)
        share = deep[..., 3:].astype(np.float32) / 255
        return np.rint(deep[..., :3] * share + np.array(self.background, np.float32) * (1 - share)).astype(np.uint8)

    def deep(self, path: Path) -> np.ndarray:
        """(height, width, 3 or 4) uint8 or uint16 RGB or RGBA as stored, upright. Raises as `picture`."""
        try:
            encoded = np.frombuffer(path.read_bytes(), np.uint8)
        except FileNotFoundError:
            raise MissingInputError(f"{path}: no such picture") from None
        except OSError as error:
            raise PictureError(f"{path}: cannot be read ({error.strerror})") from error
        if path.suffix.lower() in HEIF:
            return self._heif(path)
        transparent, orientation = self._header(path)
        flags = cv2.IMREAD_UNCHANGED if transparent else cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR
        try:
            picture = cv2.imdecode(encoded, flags) if encoded.size else None
        except cv2.error:
            picture = None
        if picture is None or picture.dtype not in (np.uint8, np.uint16):
            raise PictureError(f"{path}: not a picture that can be read; remove it or save it again as PNG or JPEG")
        if transparent:
            turns, mirrored = _ORIENTATIONS.get(orientation, (0, False))
            picture = np.rot90(picture, turns)
            picture = picture[:, ::-1] if mirrored else picture
            if picture.ndim == 3 and picture.shape[2] == 4:
                return picture[..., [2, 1, 0, 3]]
            picture = picture if picture.ndim == 3 else np.dstack([picture] * 3)
        return picture[..., ::-1]

    def transparent(self, path: Path) -> bool:
        """Whether some of a picture may be transparent, by its header. Raises PictureError."""
        return self._header(path)[0]

    def _heif(self, path: Path) -> np.ndarray:
        import pillow_heif

        try:
            picture = pillow_heif.open_heif(path)  # turned as it says; its pixels come later
            self._check_size(path, *picture.size)
            return np.asarray(picture.to_pillow().convert("RGBA" if picture.has_alpha else "RGB"))
        except (OSError, ValueError, RuntimeError) as error:
            raise PictureError(f"{path}: not a picture that can be read ({error}); save it again as JPEG") from error

    def _header(self, path: Path) -> tuple[bool, int]:
        """(whether the picture has transparency, its EXIF orientation); refuses one that is too large."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with Image.open(path) as header:
                    width, height = header.size
                    transparent = "A" in header.getbands() or "transparency" in header.info
                    orientation = header.getexif().get(ExifTags.Base.Orientation, 1)
            except Image.DecompressionBombError:
                width = height = 2**16
                transparent, orientation = False, 1
            except (OSError, ValueError, SyntaxError):
                return False, 1  # OpenCV reads some kinds that Pillow does not, and judges the rest
        self._check_size(path, width, height)
        return transparent, int(orientation)

    def _check_size(self, path: Path, width: int, height: int) -> None:
        if width * height > self.most_megapixels * 10**6:
            raise PictureError(
                f"{path}: more than {self.most_megapixels} megapixels; make it smaller, remove it, or raise the limit "
                "(--most-megapixels)"
            )


PLAIN = Reading()


def bits_used(paths: list[Path], reading: Reading) -> int:
    """How many of 16 bits the pictures of a folder use, judged by the largest value of those that are stored in
    16; 16 where none is.

    Raises MissingInputError, PictureError.
    """
    largest = 0
    for path in paths:
        picture = reading.deep(path) if _may_be_deep(path) else None
        if picture is not None and picture.dtype == np.uint16:
            largest = max(largest, int(picture.max()))
        if largest >= 2 ** DEPTHS[-2]:
            return 16
    return next(bits for bits in DEPTHS if largest < 2**bits) if largest else 16


def _may_be_deep(path: Path) -> bool:
    """Whether a picture may have more than 8 bits: not by its kind, or by a PNG's header, which is quick to read."""
    if path.suffix.lower() != ".png":
        return path.suffix.lower() not in _OF_8_BITS
    try:
        with path.open("rb") as file:
            return file.read(25)[24:] == b"\x10"
    except OSError:
        return True  # whoever reads it says why
