"""Decoded pictures become upright R'G'B' of one shape."""

from fractions import Fraction
from threading import RLock

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from data.video.colour import ToRgb
from data.video.cutting import Cutter
from data.video.orientation import Orientation, orientation_of
from data.video.pixels import Box
from data.video.planes import Planes

Shape = tuple[int, int, Fraction]
"""Width, height, and the aspect of a sample."""
Way = tuple[Shape, Orientation]
_FILTER_PX = 8
"""Pixels that a filter which makes R'G'B' sees on each side, and more."""
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
        self._to_rgb, self._to_part, self._to_small = ToRgb(), ToRgb(), ToRgb()  # each plans for one size
        self._to_alpha, self._cut, self._lock = VideoReformatter(), Cutter(), RLock()

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

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what is made."""
        assert self.first is not None
        return _upright(self.first, self._first_orientation)[1::-1]

    def __call__(self, picture: av.VideoFrame, colour: dict[str, str]) -> tuple["Negative", Planes | None]:
        """What becomes (height, width, 3) uint8 of the picture looked at last, and its planes, where they are of the
        same shape."""
        assert self._now is not None
        negative = Negative(self, picture, colour, (self._now, self._orientation))
        return negative, Planes(picture, self._orientation, negative) if self._plain(*negative.way) else None

    def whole(self, picture: av.VideoFrame, colour: dict[str, str], way: Way) -> np.ndarray:
        """(height, width, 3) uint8 of a picture of that shape."""
        assert self.first is not None
        shape, orientation = way
        with self._lock:
            if self._plain(*way):
                return orientation.upright(self._opaque(picture, colour, self.first[:2], self._to_rgb))
            frame = _upright(self.first, self._first_orientation)
            size = _fitting(_upright(shape, orientation), frame)
            framed = np.zeros((frame[1], frame[0], 3), np.uint8)
            left, top = (frame[0] - size[0]) // 2, (frame[1] - size[1]) // 2
            stored = size[::-1] if orientation.transposed else size
            shown = orientation.upright(self._opaque(picture, colour, stored, self._to_rgb))
            framed[top : top + size[1], left : left + size[0]] = shown
            return framed

    def part(self, picture: av.VideoFrame, colour: dict[str, str], way: Way, box: Box) -> np.ndarray | None:
        """That part of `whole`, made of that part of the picture; None where that would not pay, or be another."""
        shape, orientation = way
        stored = orientation.stored(box, self.size)
        around = stored.grown(_FILTER_PX, (shape[1], shape[0]))
        height, width = around.size
        if not self._plain(*way) or has_alpha(picture.format) or shape[0] % 2 or shape[1] % 2:
            return None
        if 2 * height * width > shape[0] * shape[1]:
            return None
        with self._lock:
            made = self._to_part(self._cut(picture, around), colour, (width, height), of=shape[:2])
        return orientation.upright(made[stored.within(around).inside])

    def small(self, picture: av.VideoFrame, colour: dict[str, str], size: tuple[int, int]) -> np.ndarray:
        """The picture looked at last at `size`, (width, height) upright, which may have another aspect."""
        assert self._now is not None
        way = self._now, self._orientation
        if not self._plain(*way):
            return cv2.resize(self.whole(picture, colour, way), size, interpolation=cv2.INTER_AREA)
        stored = size[::-1] if self._orientation.transposed else size
        with self._lock:
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

    def _plain(self, shape: Shape, orientation: Orientation) -> bool:
        """Whether a picture has the first one's shape."""
        assert self.first is not None
        same = orientation == self._first_orientation
        return same and shape[:2] == self.first[:2] == _fitting(shape, self.first)


class Negative:
    """A decoded picture that is not R'G'B' yet; `Pixels` of the first picture's shape, from any thread. way: its shape
    and which way up it is."""

    def __init__(self, developer: Developer, picture: av.VideoFrame, colour: dict[str, str], way: Way) -> None:
        self._developer, self._picture, self._colour, self.way = developer, picture, colour, way
        self._whole: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self._developer.size

    def whole(self) -> np.ndarray:
        if self._whole is None:
            self._whole = self._developer.whole(self._picture, self._colour, self.way)
        return self._whole

    def part(self, box: Box) -> np.ndarray:
        if self._whole is None:
            found = self._developer.part(self._picture, self._colour, self.way, box)
            if found is not None:
                return found
        return self.whole()[box.inside]


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
