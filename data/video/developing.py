"""Decoded pictures become upright R'G'B' of one shape."""

from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from data.video.colour import ToRgb
from data.video.orientation import Orientation, orientation_of
from data.video.planes import Planes

Shape = tuple[int, int, Fraction]
"""Width, height, and the aspect of a sample."""
WHITE = (255, 255, 255)


class Developer:
    """Makes decoded pictures upright R'G'B' of the first one's shape, what is transparent on `background` (R, G, B).

    first: shape of the first picture as it is stored. shape: how often the shape has changed since, or which way up it
    is shown; an aspect that changes by less than a pixel is the same.
    """

    def __init__(self, background: tuple[int, int, int] = WHITE) -> None:
        self.first: Shape | None = None
        self.shape = 0
        self._now: Shape | None = None
        self._turned, self._orientation, self._first_orientation = 0, Orientation(), Orientation()
        self._background = background
        self._to_rgb, self._to_small = ToRgb(), ToRgb()  # each plans for one size
        self._to_alpha = VideoReformatter()

    def look(self, picture: av.VideoFrame, aspect: Fraction) -> None:
        """Notes the shape of the next picture, whether it is wanted or not."""
        now = (picture.width, picture.height, aspect)
        # Pictures between key frames may not say which way up they are.
        if self.first is None or (picture.key_frame and picture.rotation != self._turned):
            # Once a turn: a frame that was asked for its side data is kept until Python looks for cycles.
            self._turned, self._orientation = picture.rotation, orientation_of(picture)
            if self.first is None:
                self.first, self._first_orientation = now, self._orientation
            else:
                self.shape += 1
            self._now = now
        elif self._now is not None and (now[:2] != self._now[:2] or _fitting(now, self._now) != now[:2]):
            self.shape, self._now = self.shape + 1, now

    def __call__(self, picture: av.VideoFrame, colour: dict[str, str]) -> tuple[np.ndarray, Planes | None]:
        """(height, width, 3) uint8 and the picture's planes, where they are of the same shape."""
        assert self.first is not None and self._now is not None
        if self._plain:
            rgb = self._orientation.upright(self._opaque(picture, colour, self.first[:2], self._to_rgb))
            return rgb, Planes(picture, self._orientation, rgb)
        frame = _upright(self.first, self._first_orientation)
        size = _fitting(_upright(self._now, self._orientation), frame)
        framed = np.zeros((frame[1], frame[0], 3), np.uint8)
        left, top = (frame[0] - size[0]) // 2, (frame[1] - size[1]) // 2
        stored = size[::-1] if self._orientation.transposed else size
        shown = self._orientation.upright(self._opaque(picture, colour, stored, self._to_rgb))
        framed[top : top + size[1], left : left + size[0]] = shown
        return framed, None

    def whole(self, picture: av.VideoFrame, colour: dict[str, str]) -> np.ndarray:
        """(height, width, 3) uint8 alone."""
        return self(picture, colour)[0]

    def small(self, picture: av.VideoFrame, colour: dict[str, str], size: tuple[int, int]) -> np.ndarray:
        """The same at `size`, (width, height) upright, which may have another aspect."""
        if not self._plain:
            return cv2.resize(self(picture, colour)[0], size, interpolation=cv2.INTER_AREA)
        stored = size[::-1] if self._orientation.transposed else size
        return self._orientation.upright(self._opaque(picture, colour, stored, self._to_small))

    def _opaque(
        self, picture: av.VideoFrame, colour: dict[str, str], size: tuple[int, int], to_rgb: ToRgb
    ) -> np.ndarray:
        """The picture as stored at `size`, on the background where it is transparent."""
        rgb = to_rgb(picture, colour, size)
        if not has_alpha(picture.format):
            return rgb
        alpha = self._to_alpha.reformat(picture, *size, "rgba", threads=1).to_ndarray()[..., 3:]
        if alpha.min() == 255:
            return rgb
        share = alpha.astype(np.float32) / 255
        return np.rint(rgb * share + np.array(self._background, np.float32) * (1 - share)).astype(np.uint8)

    @property
    def _plain(self) -> bool:
        """Whether the last picture looked at has the first one's shape."""
        assert self.first is not None and self._now is not None
        same = self._orientation == self._first_orientation
        return same and self._now[:2] == self.first[:2] == _fitting(self._now, self.first)


def has_alpha(pixels: av.VideoFormat) -> bool:
    """Whether pictures of that format may be transparent."""
    return any(component.is_alpha for component in pixels.components)


def _upright(shape: Shape, orientation: Orientation) -> Shape:
    width, height, aspect = shape
    return (height, width, 1 / aspect) if orientation.transposed else shape


def _fitting(shape: Shape, frame: Shape) -> tuple[int, int]:
    """(width, height), in the pixels of `frame`, of a picture that fills it as far as it can unstretched."""
    width = Fraction(shape[0] * shape[2] / frame[2])
    scale = min(frame[0] / width, Fraction(frame[1], shape[1]))
    return max(1, min(frame[0], round(width * scale))), max(1, min(frame[1], round(shape[1] * scale)))
