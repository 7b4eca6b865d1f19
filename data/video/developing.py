"""Decoded pictures become upright R'G'B' of one shape."""

from fractions import Fraction

import av
import cv2
import numpy as np

from data.video.colour import ToRgb
from data.video.orientation import Orientation, orientation_of
from data.video.planes import Planes


class Developer:
    """Makes decoded pictures upright R'G'B' of the first one's shape.

    first: (width, height, sample aspect) of the first picture. shape: how often that has changed since; an aspect that
    changes by less than a pixel is the same.
    """

    def __init__(self) -> None:
        self.first: tuple[int, int, Fraction] | None = None
        self.shape = 0
        self._now: tuple[int, int, Fraction] | None = None
        self._orientation = Orientation()
        self._to_rgb, self._to_small = ToRgb(), ToRgb()  # each plans for one size

    def look(self, picture: av.VideoFrame, aspect: Fraction) -> None:
        """Notes the shape of the next picture, whether it is wanted or not."""
        now = (picture.width, picture.height, aspect)
        if self.first is None:
            self.first = self._now = now
            # Once a clip: a frame that was asked for its side data is kept until Python looks for cycles.
            self._orientation = orientation_of(picture)
        elif self._now is not None and (now[:2] != self._now[:2] or _fitting(now, self._now) != now[:2]):
            self.shape, self._now = self.shape + 1, now

    def __call__(self, picture: av.VideoFrame, colour: dict[str, str]) -> tuple[np.ndarray, Planes | None]:
        """(height, width, 3) uint8 and the picture's planes, where they are of the same shape."""
        assert self.first is not None and self._now is not None
        if self._plain:
            rgb = self._orientation.upright(self._to_rgb(picture, colour, self.first[:2]))
            return rgb, Planes(picture, self._orientation, rgb)
        size = _fitting(self._now, self.first)
        framed = np.zeros((self.first[1], self.first[0], 3), np.uint8)
        left, top = (self.first[0] - size[0]) // 2, (self.first[1] - size[1]) // 2
        framed[top : top + size[1], left : left + size[0]] = self._to_rgb(picture, colour, size)
        return self._orientation.upright(framed), None

    def whole(self, picture: av.VideoFrame, colour: dict[str, str]) -> np.ndarray:
        """(height, width, 3) uint8 alone."""
        return self(picture, colour)[0]

    def small(self, picture: av.VideoFrame, colour: dict[str, str], size: tuple[int, int]) -> np.ndarray:
        """The same at `size`, (width, height) upright, which may have another aspect."""
        if not self._plain:
            return cv2.resize(self(picture, colour)[0], size, interpolation=cv2.INTER_AREA)
        stored = size[::-1] if self._orientation.transposed else size
        return self._orientation.upright(self._to_small(picture, colour, stored))

    @property
    def _plain(self) -> bool:
        """Whether the last picture looked at has the first one's shape."""
        assert self.first is not None and self._now is not None
        return self._now[:2] == self.first[:2] == _fitting(self._now, self.first)


def _fitting(shape: tuple[int, int, Fraction], frame: tuple[int, int, Fraction]) -> tuple[int, int]:
    """(width, height), in the pixels of `frame`, of a picture that fills it as far as it can unstretched."""
    width = Fraction(shape[0] * shape[2] / frame[2])
    scale = min(frame[0] / width, Fraction(frame[1], shape[1]))
    return max(1, min(frame[0], round(width * scale))), max(1, min(frame[1], round(shape[1] * scale)))
