"""Where the camera cuts, found while frames stream by, in memory that does not grow with the length of the video.

Hard cuts come from PySceneDetect's adaptive and hash detectors. A dissolve is seen by no detector of single steps,
which are all small, so pictures up to two seconds apart are compared too: where they show different things, and what
lies between them is a weighted average of the two, one shot was blended into the other.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, HashDetector

from data.video.likeness import change, distance, likeness, moved_likeness

_DETECTOR_SIDE_PX = 256
_THUMB_PX = 24
_NOMINAL_RATE = 25.0  # where no times are given; the detectors themselves only count frames

# Hard cuts. A step is the mean difference of two neighbouring thumbs in grey levels (0 to 255).
_LEAST_STEP = 3.0
_HASH_THRESHOLD = 0.35
_HASH_LEAST_STEP = 8.0
_HASH_STEP_RATIO = 1.7  # over the mean step around it; running and shaking stay below 1.3
_AROUND_FRAMES = 2  # looked at before and after a cut

# Frames that show the same again: (mean, largest) difference in grey levels. Compression changes a held drawing by less
# than _REPEATED; up to _STILL a frame tells the detectors nothing.
_REPEATED = (0.12, 6.0)
_STILL = (0.6, 8.0)
# A head or a camera that is shaken: the frame before, moved as a whole, shows the same. Over cuts at most 0.3 was seen.
_GREY_PX = 96
_LEAST_MOVED_LIKENESS = 0.5
_FLASH_FRAMES = 2
_FLASH_RETURN = 0.35  # of its step: how like before the picture is again after a flash

# Dissolves. Limits were set between fades among real and drawn clips and the same clips without fades.
_SPANS_SECONDS = (0.5, 1.0, 2.0)
_MOST_FRAMES_HELD = 512
_LEAST_CHANGE = 10.0  # grey levels between the ends, beside a change of the whole picture's colour
_MOST_LIKENESS = 0.45  # correlation of the ends' detail
_MOST_RESIDUAL = 0.22  # mean distance of the pictures between from their blend, as a share of the change
_MOST_BLEND_STEP = 0.34
_MOST_BLEND_RETURN = 0.1
_LEAST_BLENDED_FRAMES = 3


@dataclass(frozen=True)
class _Thumb:
    """A frame, small.

    picture: (_THUMB_PX, _THUMB_PX, 3) float32 RGB, 0 to 255. relief: the same less its mean colour.
    """

    number: int
    seconds: float
    picture: np.ndarray
    relief: np.ndarray


@dataclass(frozen=True)
class _Step:
    """A frame that does not stand still, and the step that leads to it from the last such frame.

    place: its number among such frames. length: distance between the two. grey: (_GREY_PX, _GREY_PX) uint8.
    """

    place: int
    thumb: _Thumb
    length: float
    grey: np.ndarray


@dataclass(frozen=True)
class _Dissolve:
    """The first blended frame, and the first frame after the blend."""

    first: int
    after: int


def _blend_between(thumbs: list[_Thumb]) -> _Dissolve | None:
    """The dissolve by which the first of `thumbs` becomes the last, or None where it is not one."""
    # A camera that adjusts its exposure also makes weighted averages: the mean colour says nothing.
    begin, end = thumbs[0].relief, thumbs[-1].relief
    apart = distance(begin, end)
    if apart < _LEAST_CHANGE or likeness(begin, end) > _MOST_LIKENESS:
        return None
    way = (end - begin).ravel()
    pictures = np.stack([thumb.relief.ravel() for thumb in thumbs]) - begin.ravel()
    # Least squares: picture = begin + share * (end - begin).
    shares = pictures @ way / (way @ way)
    steps = np.diff(shares)
    if steps.max() > _MOST_BLEND_STEP or steps.min() < -_MOST_BLEND_RETURN:
        return None
    blended = np.flatnonzero((shares > 0.1) & (shares < 0.9))
    if len(blended) < _LEAST_BLENDED_FRAMES:
        return None
    if np.abs(pictures[blended] - shares[blended, None] * way).mean() > _MOST_RESIDUAL * apart:
        return None
    return _extent(thumbs, shares)


def _extent(thumbs: list[_Thumb], shares: np.ndarray) -> _Dissolve | None:
    """The straight line through the middle of the blend, followed to where it leaves one shot and reaches the other."""
    middle = np.flatnonzero((shares > 0.2) & (shares < 0.8))
    if len(middle) < 2:
        return None
    slope, offset = np.polyfit(middle, shares[middle], 1)
    if slope <= 0:
        return None
    first = int(np.clip(np.floor(-offset / slope), 1, middle[0]))
    after = int(np.clip(np.ceil((1 - offset) / slope) + 1, middle[-1] + 1, len(thumbs) - 1))
    return _Dissolve(thumbs[first].number, thumbs[after].number)


class ShotFinder:
    """Fed every frame in order, says at the end which frames begin a new shot.

    The frames of a dissolve become a short shot of their own, so that no shot holds two scenes. A flash of one or two
    frames is no cut. Light that changes on one scene, a time-lapse or a moving camera is none either. Drawings held
    for two or three frames are seen once: to the detectors, a step after frames that stand still would be a cut.
    """

    def __init__(self) -> None:
        # Cuts two frames apart are still cuts: no minimum length of a shot.
        self._adaptive = AdaptiveDetector(min_scene_len=1)
        self._hash = HashDetector(threshold=_HASH_THRESHOLD, min_scene_len=1)
        self._detector_size: tuple[int, int] | None = None
        self._thumbs: deque[_Thumb] = deque(maxlen=_MOST_FRAMES_HELD)
        self._count = 0
        self._small: np.ndarray | None = None  # the last frame that did not stand still
        self._moving: deque[_Step] = deque(maxlen=_FLASH_FRAMES + 2 * _AROUND_FRAMES + 4)
        self._candidates: dict[int, bool] = {}  # place -> whether the adaptive detector named it
        self._cuts: list[int] = []
        self._shapes: list[int] = []
        self._dissolves: list[_Dissolve] = []

    def feed(self, rgb: np.ndarray, seconds: Fraction | float | None = None, *, new_shape: bool = False) -> bool:
        """Takes the next frame. Gives whether it repeats the one before.

        rgb: (height, width, 3) uint8; its size may change from frame to frame.
        seconds: when it is shown; without it, 25 frames a second are assumed.
        new_shape: its source changed its shape here: a new shot, whatever it shows.
        """
        if new_shape:
            self._shapes.append(self._count)
        small = self._shrink(rgb)
        mean, most = (255.0, 255.0) if self._small is None or new_shape else change(small, self._small)
        thumb = self._thumb(small, seconds)
        self._thumbs.append(thumb)
        self._forget(thumb.seconds)
        self._find_dissolve(thumb.seconds)
        self._count += 1
        if mean > _STILL[0] or most > _STILL[1]:
            self._small = small
            self._step(small, thumb)
        return mean <= _REPEATED[0] and most <= _REPEATED[1]

    def _thumb(self, small: np.ndarray, seconds: Fraction | float | None) -> _Thumb:
        picture = cv2.resize(small, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        time = self._count / _NOMINAL_RATE if seconds is None else float(seconds)
        return _Thumb(self._count, time, picture, picture - picture.mean(axis=(0, 1)))

    def _step(self, small: np.ndarray, thumb: _Thumb) -> None:
        """Looks at a frame that does not stand still; their places count such frames alone."""
        place = self._moving[-1].place + 1 if self._moving else 0
        self._detect(place, small)
        length = distance(thumb.picture, self._moving[-1].thumb.picture) if self._moving else 0.0
        grey = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (_GREY_PX, _GREY_PX), interpolation=cv2.INTER_AREA)
        self._moving.append(_Step(place, thumb, length, grey))
        self._judge(place - _AROUND_FRAMES)

    def finish(self) -> list[int]:
        """Numbers of the frames that begin a new shot, sorted; frame 0 is never among them."""
        self._judge(self._count)
        starts = {cut for cut in self._cuts if not any(d.first - 1 <= cut <= d.after + 1 for d in self._dissolves)}
        for dissolve in self._dissolves:
            starts |= {dissolve.first, dissolve.after}
        return sorted((starts | set(self._shapes)) - {0})

    def _shrink(self, rgb: np.ndarray) -> np.ndarray:
        """The frame at the detectors' size, which the first frame sets."""
        if self._detector_size is None:
            height, width = rgb.shape[:2]
            scale = min(1.0, _DETECTOR_SIDE_PX / max(height, width))
            self._detector_size = max(1, round(width * scale)), max(1, round(height * scale))
        return cv2.resize(rgb, self._detector_size, interpolation=cv2.INTER_AREA)

    def _detect(self, number: int, small: np.ndarray) -> None:
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        timecode = FrameTimecode(number, _NOMINAL_RATE)
        for cut in self._hash.process_frame(timecode, bgr):
            self._candidates.setdefault(cut.frame_num, False)
        for cut in self._adaptive.process_frame(timecode, bgr):
            self._candidates[cut.frame_num] = True

    def _forget(self, now: float) -> None:
        """Drops thumbs that no longer serve: older than the longest span."""
        while len(self._thumbs) > 2 and self._thumbs[1].seconds <= now - _SPANS_SECONDS[-1]:
            self._thumbs.popleft()

    def _judge(self, until: int) -> None:
        """Decides on the candidates up to that place, whose following frames are known."""
        for place in sorted(self._candidates):
            if place > until:
                break
            near = {step.place: step for step in self._moving if abs(step.place - place) <= _FLASH_FRAMES + 1}
            if self._is_cut(place, near, named_by_adaptive=self._candidates.pop(place)):
                self._cuts.append(near[place].thumb.number)

    def _is_cut(self, place: int, near: dict[int, _Step], named_by_adaptive: bool) -> bool:
        step = near[place].length
        around = [near[n].length for n in near if n != place and abs(n - place) <= _AROUND_FRAMES and n > 0]
        if not named_by_adaptive and (
            step < _HASH_LEAST_STEP or (around and step < _HASH_STEP_RATIO * float(np.mean(around)))
        ):
            return False
        if step < _LEAST_STEP or moved_likeness(near[place - 1].grey, near[place].grey) > _LEAST_MOVED_LIKENESS:
            return False
        return not any(
            distance(near[before].thumb.picture, near[behind].thumb.picture) < _FLASH_RETURN * step
            for before in near
            for behind in near
            if before < place <= behind and behind - before <= _FLASH_FRAMES + 1
        )

    def _find_dissolve(self, now: float) -> None:
        thumbs = list(self._thumbs)
        for span in _SPANS_SECONDS:
            earlier = [place for place, thumb in enumerate(thumbs) if thumb.seconds <= now - span]
            found = _blend_between(thumbs[earlier[-1] :]) if earlier else None
            if found is None:
                continue
            if self._dissolves and found.first <= self._dissolves[-1].after:
                # The same dissolve, of which every span sees a part.
                last = self._dissolves.pop()
                found = _Dissolve(min(last.first, found.first), max(last.after, found.after))
            self._dissolves.append(found)
