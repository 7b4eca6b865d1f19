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

_DETECTOR_SIDE_PX = 256
_THUMB_PX = 24
_NOMINAL_RATE = 25.0  # where no times are given; the detectors themselves only count frames

# Hard cuts. A step is the mean difference of two neighbouring thumbs in grey levels (0 to 255).
_LEAST_STEP = 3.0
_HASH_THRESHOLD = 0.35
_HASH_LEAST_STEP = 8.0
_HASH_STEP_RATIO = 1.7  # over the mean step around it; running and shaking stay below 1.3
_AROUND_FRAMES = 2  # looked at before and after a cut
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
    step: distance from the frame before.
    """

    number: int
    seconds: float
    picture: np.ndarray
    relief: np.ndarray
    step: float


@dataclass(frozen=True)
class _Dissolve:
    """The first blended frame, and the first frame after the blend."""

    first: int
    after: int


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(one - other).mean())


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two pictures' detail, -1 to 1; 0 where either has none. Blind to brightness and contrast."""
    details = [picture - cv2.blur(picture, (9, 9)) for picture in (one, other)]
    spread = [float(np.sqrt((detail**2).mean())) for detail in details]
    if min(spread) < 1.5:
        return 0.0
    return float((details[0] * details[1]).mean() / (spread[0] * spread[1]))


def _blend_between(thumbs: list[_Thumb]) -> _Dissolve | None:
    """The dissolve by which the first of `thumbs` becomes the last, or None where it is not one."""
    # A camera that adjusts its exposure also makes weighted averages: the mean colour says nothing.
    begin, end = thumbs[0].relief, thumbs[-1].relief
    change = _distance(begin, end)
    if change < _LEAST_CHANGE or _likeness(begin, end) > _MOST_LIKENESS:
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
    if np.abs(pictures[blended] - shares[blended, None] * way).mean() > _MOST_RESIDUAL * change:
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
    frames is no cut. Light that changes on one scene, a time-lapse or a moving camera is none either.
    """

    def __init__(self) -> None:
        # Cuts two frames apart are still cuts: no minimum length of a shot.
        self._adaptive = AdaptiveDetector(min_scene_len=1)
        self._hash = HashDetector(threshold=_HASH_THRESHOLD, min_scene_len=1)
        self._detector_size: tuple[int, int] | None = None
        self._thumbs: deque[_Thumb] = deque(maxlen=_MOST_FRAMES_HELD)
        self._count = 0
        self._candidates: dict[int, bool] = {}  # frame number -> whether the adaptive detector named it
        self._cuts: list[int] = []
        self._dissolves: list[_Dissolve] = []

    def feed(self, rgb: np.ndarray, seconds: Fraction | float | None = None) -> None:
        """Takes the next frame.

        rgb: (height, width, 3) uint8; its size may change from frame to frame.
        seconds: when it is shown; without it, 25 frames a second are assumed.
        """
        number = self._count
        self._count += 1
        small = self._shrink(rgb)
        self._detect(number, small)
        picture = cv2.resize(small, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        step = _distance(picture, self._thumbs[-1].picture) if self._thumbs else 0.0
        time = number / _NOMINAL_RATE if seconds is None else float(seconds)
        self._thumbs.append(_Thumb(number, time, picture, picture - picture.mean(axis=(0, 1)), step))
        self._forget(time)
        self._judge(number - _AROUND_FRAMES)
        self._find_dissolve(time)

    def finish(self) -> list[int]:
        """Numbers of the frames that begin a new shot, sorted; frame 0 is never among them."""
        self._judge(self._count - 1)
        starts = {cut for cut in self._cuts if not any(d.first - 1 <= cut <= d.after + 1 for d in self._dissolves)}
        for dissolve in self._dissolves:
            starts |= {dissolve.first, dissolve.after}
        return sorted(starts - {0})

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
        """Drops thumbs that no longer serve: older than the longest span, but for the few that judge a cut."""
        least = _FLASH_FRAMES + 2 * _AROUND_FRAMES + 2
        while len(self._thumbs) > least and self._thumbs[1].seconds <= now - _SPANS_SECONDS[-1]:
            self._thumbs.popleft()

    def _judge(self, until: int) -> None:
        """Decides on the candidates up to frame `until`, whose following frames are known."""
        for number in sorted(self._candidates):
            if number > until:
                break
            if self._is_cut(number, named_by_adaptive=self._candidates.pop(number)):
                self._cuts.append(number)

    def _is_cut(self, number: int, named_by_adaptive: bool) -> bool:
        near = {thumb.number: thumb for thumb in self._thumbs if abs(thumb.number - number) <= _FLASH_FRAMES + 1}
        step = near[number].step
        around = [near[n].step for n in near if n != number and abs(n - number) <= _AROUND_FRAMES and n > 0]
        if not named_by_adaptive and (
            step < _HASH_LEAST_STEP or (around and step < _HASH_STEP_RATIO * float(np.mean(around)))
        ):
            return False
        return step >= _LEAST_STEP and not any(
            _distance(near[before].picture, near[behind].picture) < _FLASH_RETURN * step
            for before in near
            for behind in near
            if before < number <= behind and behind - before <= _FLASH_FRAMES + 1
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
