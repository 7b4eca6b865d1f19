"""A line of text in the corner of frames, on a dark plate so that it is read on any ground."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.errors import MissingInputError, SettingsError
from data.video.frame import VideoInfo

_PART = 24
"""Of the shorter side, the height of the letters; they are at least ..."""
_LEAST_PX = 10
"""... so high, below which they are not read; the text is then as wide as it is."""
_MOST_WIDTH = 0.9
"""Of a frame's width."""
_PLATE, _DARK = 24, 0.65
"""Grey level of the plate, and how much it covers."""


class Label:
    """text: of one line. font: a font file; None: the one of Pillow, which has Latin letters without accents.

    Raises SettingsError where it cannot be drawn or read on frames of `info`, MissingInputError.
    """

    def __init__(self, text: str, info: VideoInfo, font: Path | None = None) -> None:
        _check(text, font)
        width, height = info.display_size
        plate = None
        for size in range(max(_LEAST_PX, round(min(width, height) / _PART)), _LEAST_PX - 1, -1):
            plate = _plate(text, _font(font, size), size)
            if plate.shape[1] <= _MOST_WIDTH * width and plate.shape[0] <= height / 2:
                break
        else:
            assert plate is not None
            raise SettingsError(
                f"--mark {text}: takes {plate.shape[1]}x{plate.shape[0]} pixels in letters that can be read, too many "
                f"for frames of {width}x{height}; give a shorter one"
            )
        across, down = info.width / width, info.height / height  # where pixels are not square
        box = max(1, round(plate.shape[1] * across)), max(1, round(plate.shape[0] * down))
        letters = cv2.resize(plate, box, interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
        self._keep: np.ndarray = (1 - _DARK) * (1 - letters)
        self._add: np.ndarray = letters * 255 + (1 - letters) * _DARK * _PLATE
        margin = max(1, round(min(info.width, info.height) / 50))
        self._left = min(margin, info.width - box[0])
        self._top = max(0, info.height - box[1] - margin)

    def on(self, rgb: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 with the text at its lower left; all else as it was."""
        marked, (height, width) = rgb.copy(), self._keep.shape[:2]
        place = marked[self._top : self._top + height, self._left : self._left + width]
        place[:] = np.rint(place * self._keep + self._add).astype(np.uint8)
        return marked


def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    if path is None:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
    try:
        return ImageFont.truetype(str(path), size)
    except OSError as error:
        if not path.is_file():
            raise MissingInputError(f"{path}: no such font file") from error
        raise SettingsError(f"{path}: not a font file that can be read ({error})") from error


def _check(text: str, font: Path | None) -> None:
    """Raises SettingsError for what is no line of text, and for signs that the font lacks; MissingInputError."""
    if not text.strip() or not text.isprintable():
        raise SettingsError(f"--mark {text!r}: give one line of text")
    drawn = _font(font, 20)
    lacking = drawn.getmask("\U0010ffff")  # no font has it: what is drawn instead
    missing = [c for c in dict.fromkeys(text) if not c.isspace() and bytes(drawn.getmask(c)) == bytes(lacking)]
    if missing:
        name = "the built-in font" if font is None else font
        raise SettingsError(f"--mark {text}: {name} lacks {' '.join(missing)}; name one that has them: --mark-font")


def _plate(text: str, font: ImageFont.FreeTypeFont, size: int) -> np.ndarray:
    """The text white on black, with room around it: (height, width) uint8."""
    left, top, right, bottom = font.getbbox(text)
    room = max(2, size // 4)
    canvas = Image.new("L", (round(right - left) + 2 * room, round(bottom - top) + 2 * room))
    ImageDraw.Draw(canvas).text((room - left, room - top), text, fill=255, font=font)
    return np.asarray(canvas)
