"""Measures over time: whether a result holds still where it should and moves as it should.

Frames are (H, W, 3) uint8 RGB, flows (H, W, 2) float32 in pixels (see recycle.measures.optical_flow). All of it
needs no truth.
"""

from collections import deque

import cv2
import numpy as np

from recycle.measures.optical_flow import fetched

STILL_FLOW_PX = 1.0
"""What stands still moves less than this from frame to frame ..."""
STILL_LEVELS = 2
"""... and changes by at most so many grey levels in the mean of 5 x 5 pixels, which forgives noise,"""
STILL_FRAMES = 5
"""all through so many frames in a row: the frames compared and one more on either side, so that a result that is a
frame early or late still shows what stands still."""
STILL_MARGIN_PX = 2
LONGEST_DELAY = 5
"""Frames that a result is looked for to be early or late."""
DELAY_SIDE_PX = 64
"""Flows are shrunk to this shorter side to look for a delay."""
DELAY_CLEAR = 5.0
"""A delay is told where it brings motions nearer than other delays do by so many standard errors."""
DELAY_FRAMES = 20
"""Fewest comparisons that tell a delay."""


def warp_error(first: np.ndarray, second: np.ndarray, flow: np.ndarray, seen: np.ndarray) -> float | None:
    """Flow-warp error of Lai et al. 2018 (eq. 8) between a result's two frames; values in [0, 1], squared.

    Σ M ‖V_t - V̂_{t+1}‖² / Σ M, V̂_{t+1} the second frame fetched along the flow that the source has between the two, M
    what `visible` says of the source, the mean over channels. None where nothing is visible.

    A ramp of 10 levels a pixel moves 1 px to the right. A result that goes along has 0, one that stands still has
    (10 / 255)².

    >>> first = np.arange(0, 80, 10, dtype=np.uint8)[None, :, None].repeat(4, 0).repeat(3, 2)
    >>> second, flow = np.roll(first, 1, axis=1), np.full((4, 8, 2), (1, 0), np.float32)
    >>> seen = np.ones((4, 8), bool)
    >>> seen[:, -1] = False  # leaves the picture
    >>> warp_error(first, second, flow, seen), round(warp_error(first, first, flow, seen), 5)
    (0.0, 0.00154)
    """
    if not seen.any():
        return None
    difference = (fetched(second, flow)[seen].astype(np.float64) - first[seen]) / 255
    return float(np.mean(difference**2))


def end_point_error(flow: np.ndarray, reference: np.ndarray) -> float:
    """tOF of Chu et al. 2020: mean over pixels of ‖w - w'‖₂ between a result's flow and a reference's, in pixels.

    >>> still, moving = np.zeros((2, 2, 2), np.float32), np.full((2, 2, 2), (3, 4), np.float32)
    >>> end_point_error(still, moving)
    5.0
    """
    return float(np.linalg.norm(flow.astype(np.float64) - reference, axis=-1).mean())


class Delay:
    """By how many frames a result's motion comes after the source's.

    The end-point error between the result's flow at t + d and the source's flow at t, over all t, is least for d, the
    delay; looked for among -LONGEST_DELAY ... LONGEST_DELAY and one more on either side, where a least error is none:
    it may fall further beyond.

    >>> motion = np.random.default_rng(0).normal(size=(50, 1, 1, 2)).repeat(8, 1).repeat(8, 2)
    >>> delay = Delay()
    >>> for t in range(2, 50):
    ...     delay.add(source=motion[t], result=motion[t - 2])
    >>> delay.frames
    2
    """

    _REACH = LONGEST_DELAY + 1

    def __init__(self) -> None:
        self._errors: list[list[float]] = []
        self.cut()

    def cut(self) -> None:
        """What comes next does not follow what was there before."""
        self._source: deque[np.ndarray] = deque(maxlen=2 * self._REACH + 1)
        self._result: deque[np.ndarray] = deque(maxlen=2 * self._REACH + 1)

    def add(self, source: np.ndarray, result: np.ndarray) -> None:
        """The flows of both between the next two frames."""
        self._source.append(_shrunk(source))
        self._result.append(_shrunk(result))
        if len(self._source) == self._source.maxlen:
            middle = self._source[self._REACH]
            self._errors.append([end_point_error(moved, middle) for moved in self._result])

    @property
    def frames(self) -> int | None:
        """The delay; below 0 the result is early. None where motion does not tell: none, too little, or another."""
        if len(self._errors) < DELAY_FRAMES:
            return None
        errors = np.array(self._errors)
        best = int(errors.mean(0).argmin())
        nearer = errors.mean(1) - errors[:, best]
        clear = nearer.mean() > DELAY_CLEAR * nearer.std() / np.sqrt(len(nearer))
        return best - self._REACH if clear and 0 < best < 2 * self._REACH else None


def _shrunk(flow: np.ndarray) -> np.ndarray:
    height, width = flow.shape[:2]
    scale = DELAY_SIDE_PX / min(height, width)
    if scale >= 1:
        return flow
    return cv2.resize(flow, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


class Flicker:
    """High-frequency change of a result where the source stands still, in grey levels from 0 to 255.

    At a pixel and time: |R_t - (R_{t-1} + R_{t+1}) / 2|, the mean over channels. What alternates between two values n
    levels apart has n; what drifts evenly has 0. The mean is over pixels that stand still in the source (the constants
    above say what that is), STILL_MARGIN_PX away from all that does not.

    Three levels up and down are 3, three levels up and up again are none:

    >>> source, still = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 2), np.float32)
    >>> def last(levels):
    ...     flicker = Flicker()
    ...     return [flicker.add(source, np.full_like(source, level), still) for level in levels][-1]
    >>> last([100, 103, 100, 103, 100, 103]), last([100, 103, 106, 109, 112, 115])
    (3.0, 0.0)
    """

    def __init__(self) -> None:
        self.cut()

    def cut(self) -> None:
        """What comes next does not follow what was there before."""
        self._results: deque[np.ndarray] = deque(maxlen=STILL_FRAMES)
        self._still: deque[np.ndarray] = deque(maxlen=STILL_FRAMES - 1)
        self._calm: np.ndarray | None = None

    def add(self, source: np.ndarray, result: np.ndarray, flow: np.ndarray | None) -> float | None:
        """The next frame of both, and the source's flow to it from the frame before (None for the first one).

        Gives the flicker of the result's frame two before this one; None where that is too near a cut or an end, or
        where nothing stands still around it.
        """
        calm = cv2.blur(source, (5, 5)).astype(np.int16)
        if flow is not None and self._calm is not None:
            slow = np.linalg.norm(flow, axis=-1) < STILL_FLOW_PX
            self._still.append(slow & (np.abs(calm - self._calm).max(-1) <= STILL_LEVELS))
        self._calm = calm
        self._results.append(result)
        if len(self._results) < STILL_FRAMES:
            return None
        side = 2 * STILL_MARGIN_PX + 1
        still = np.logical_and.reduce(self._still).astype(np.uint8)
        still = cv2.erode(still, np.ones((side, side), np.uint8), borderValue=1).astype(bool)
        if not still.any():
            return None
        before, now, after = (self._results[place][still].astype(np.float64) for place in (1, 2, 3))
        return float(np.abs(now - (before + after) / 2).mean())
