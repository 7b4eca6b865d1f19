"""Where the camera cuts, found while frames stream by, in memory that does not grow with the length of the video.

Hard cuts come from PySceneDetect's adaptive and hash detectors, which are shown only what moves; those between pictures
that stand still are judged by how much of the picture changes. Dissolves: see data.video.dissolves.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector, HashDetector

from data.video.dissolves import SPANS_SECONDS, THUMB_PX, Dissolve, Thumb, blend_between
from data.video.likeness import change, changed_share, distance, moved_likeness

_DETECTOR_SIDE_PX = 256
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
# Coarser compression changes a held drawing by more: up to _REPEATED_COARSELY, it repeats where its last two steps,
# within a second, both were so many times as long. So do pictures that were brought from 20 to 30 a second.
_REPEATED_COARSELY, _DRAWN_STEP, _DRAWN_RATIO, _DRAWN_SECONDS = (0.6, 20.0), 40.0, 6.0, 1.0
# A head or a camera that is shaken: the frame before, moved as a whole, shows the same. Over cuts at most 0.3 was seen.
_GREY_PX = 96
_LEAST_MOVED_LIKENESS = 0.5
_FLASH_FRAMES = 2
_FLASH_RETURN = 0.35  # of its step: how like before the picture is again after a flash
# Pictures of a slide show: what is held for so long before or after a step is a shot of its own where at least that
# share of the picture changes. Drawings held longer than usual keep their background.
_REST_SECONDS = 0.4
_LEAST_CHANGED_SHARE = 0.5
_MOST_FRAMES_HELD = 512


@dataclass(frozen=True)
class _Step:
    """A frame that does not stand still, and the step that leads to it from the last such frame.

    place: its number among such frames. length: distance between the two. grey: (_GREY_PX, _GREY_PX) uint8.
    """

    place: int
    thumb: Thumb
    length: float
    grey: np.ndarray


class ShotFinder:
    """Fed every frame in order, says at the end which frames begin a new shot.

    The frames of a dissolve become a short shot of their own, so that no shot holds two scenes. A flash of one or two
    frames is no cut. Light that changes on one scene, a time-lapse or a moving camera is none either. Drawings held
    for two or three frames are seen once: to the detectors, a step after frames that stand still would be a cut. The
    pictures of a slide show, each held for _REST_SECONDS or longer, are shots.
    """

    def __init__(self) -> None:
        # Cuts two frames apart are still cuts: no minimum length of a shot.
        self._adaptive = AdaptiveDetector(min_scene_len=1)
        self._hash = HashDetector(threshold=_HASH_THRESHOLD, min_scene_len=1)
        self._detector_size: tuple[int, int] | None = None
        self._thumbs: deque[Thumb] = deque(maxlen=_MOST_FRAMES_HELD)
        self._count = 0
        self._small: np.ndarray | None = None  # the last frame that did not stand still
        self._moving: deque[_Step] = deque(maxlen=_FLASH_FRAMES + 2 * _AROUND_FRAMES + 4)
        self._candidates: dict[int, bool] = {}  # place -> whether the adaptive detector named it
        self._leaps: deque[tuple[float, float, float]] = deque(maxlen=2)  # seconds, mean and largest difference
        self._rests: set[int] = set()  # places of pictures that were held for _REST_SECONDS
        self._now = 0.0
        self._cuts: list[int] = []
        self._shapes: list[int] = []
        self._dissolves: list[Dissolve] = []

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
        self._now = thumb.seconds
        self._thumbs.append(thumb)
        self._forget(thumb.seconds)
        self._find_dissolve(thumb.seconds)
        self._count += 1
        repeated = (mean <= _REPEATED[0] and most <= _REPEATED[1]) or self._held(mean, most)
        if not repeated and (mean > _STILL[0] or most > _STILL[1]):
            self._small = small
            self._step(small, thumb)
            if most > _DRAWN_STEP:
                self._leaps.append((self._now, mean, most))
        return repeated

    def _held(self, mean: float, most: float) -> bool:
        """Whether a drawing is held that was compressed coarsely: next to the steps before, nothing changes."""
        if len(self._leaps) < 2 or self._now - self._leaps[0][0] > _DRAWN_SECONDS:
            return False
        least, least_most = (min(leap[part] for leap in self._leaps) for part in (1, 2))
        small = mean <= _REPEATED_COARSELY[0] and most <= _REPEATED_COARSELY[1]
        return small and mean * _DRAWN_RATIO <= least and most * _DRAWN_RATIO <= least_most

    def _thumb(self, small: np.ndarray, seconds: Fraction | float | None) -> Thumb:
        picture = cv2.resize(small, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        time = self._count / _NOMINAL_RATE if seconds is None else float(seconds)
        return Thumb(self._count, time, picture, picture - picture.mean(axis=(0, 1)))

    def _step(self, small: np.ndarray, thumb: Thumb) -> None:
        """Looks at a frame that does not stand still; their places count such frames alone."""
        self._note_rest()
        place = self._moving[-1].place + 1 if self._moving else 0
        self._detect(place, small)
        length = distance(thumb.picture, self._moving[-1].thumb.picture) if self._moving else 0.0
        grey = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (_GREY_PX, _GREY_PX), interpolation=cv2.INTER_AREA)
        self._moving.append(_Step(place, thumb, length, grey))
        if place - 1 in self._rests:
            self._candidates.setdefault(place, False)
        self._judge(place - _AROUND_FRAMES)

    def _note_rest(self) -> None:
        """Notes whether the last picture that moved has been held for long."""
        if self._moving and self._now - self._moving[-1].thumb.seconds >= _REST_SECONDS:
            place = self._moving[-1].place
            self._rests.add(place)
            self._rests = {rest for rest in self._rests if rest >= place - len(self._moving)}
            if place:
                self._candidates.setdefault(place, False)

    def finish(self) -> list[int]:
        """Numbers of the frames that begin a new shot, sorted; frame 0 is never among them."""
        self._note_rest()
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
        while len(self._thumbs) > 2 and self._thumbs[1].seconds <= now - SPANS_SECONDS[-1]:
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
        before, step = near[place - 1], near[place].length
        around = [
            near[n].length
            for n in near
            if n != place and abs(n - place) <= _AROUND_FRAMES and n > 0 and not self._rests & {n - 1, n}
        ]
        if not named_by_adaptive and (
            step < _HASH_LEAST_STEP or (around and step < _HASH_STEP_RATIO * float(np.mean(around)))
        ):
            return False
        if step < _LEAST_STEP or moved_likeness(before.grey, near[place].grey) > _LEAST_MOVED_LIKENESS:
            return False
        if self._rests & {place - 1, place} and not named_by_adaptive:
            return changed_share(before.grey, near[place].grey) >= _LEAST_CHANGED_SHARE and not self._flash(place, near)
        return not self._flash(place, near)

    def _flash(self, place: int, near: dict[int, _Step]) -> bool:
        """Whether the picture is again as before within a few places, and soon."""
        return any(
            distance(near[before].thumb.picture, near[behind].thumb.picture) < _FLASH_RETURN * near[place].length
            for before in near
            for behind in near
            if before < place <= behind
            and behind - before <= _FLASH_FRAMES + 1
            and not self._rests & set(range(before + 1, behind))
        )

    def _find_dissolve(self, now: float) -> None:
        thumbs = list(self._thumbs)
        for span in SPANS_SECONDS:
            earlier = [place for place, thumb in enumerate(thumbs) if thumb.seconds <= now - span]
            found = blend_between(thumbs[earlier[-1] :]) if earlier else None
            if found is None:
                continue
            if self._dissolves and found.first <= self._dissolves[-1].after:
                # The same dissolve, of which every span sees a part.
                last = self._dissolves.pop()
                found = Dissolve(min(last.first, found.first), max(last.after, found.after))
            self._dissolves.append(found)
