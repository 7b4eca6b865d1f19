"""Judges of movement: is it the source's, is it steady, do faces move as they did. No truth is needed."""

from collections import deque
from fractions import Fraction

import numpy as np

from data.faces.detection import Backend, Detection
from data.faces.placing import square_pixels
from data.video.frame import VideoInfo
from pipelines.judging.judge import Mean, Moment, PerFrame
from pipelines.judging.measures import Value
from recycle.measures.metrics import Correlation
from recycle.measures.optical_flow import FlowFinder, visible
from recycle.measures.temporal import Delay, Flicker, end_point_error, warp_error


class Steadiness:
    """Over time: optical flow against the source's and the truth's, delay, warp error, flicker."""

    def __init__(self, flow: FlowFinder) -> None:
        self._flow = flow
        self._before: Moment | None = None
        self._truth = False
        self._tof, self._tof_truth, self._warp_error, self._still = Mean(), Mean(), Mean(), Mean()
        self._delay, self._flicker = Delay(), Flicker()

    def see(self, moment: Moment) -> PerFrame:
        before, self._before = self._before, moment
        self._truth = moment.truth is not None
        source, number = moment.frame.rgb, moment.number
        if before is None or not moment.follows:
            self._delay.cut()
            self._flicker.cut()
            self._flicker.add(source, moment.result, None)
            return {}
        forward = self._flow(before.frame.rgb, source)
        moved = self._flow(before.result, moment.result)
        seen = visible(forward, self._flow(source, before.frame.rgb))
        self._delay.add(forward, moved)
        found = {
            ("tof", number): self._tof.add(end_point_error(moved, forward)),
            ("warp_error", number): self._warp_error.add(warp_error(before.result, moment.result, forward, seen)),
            ("flicker", number - 2): self._still.add(self._flicker.add(source, moment.result, forward)),
        }
        if moment.truth is not None and before.truth is not None:
            wanted = self._flow(before.truth, moment.truth)
            found["tof_truth", number] = self._tof_truth.add(end_point_error(moved, wanted))
        return found

    def values(self) -> dict[str, Value]:
        lone = "no two frames belong to one shot"
        delay = self._delay.frames
        known: dict[str, Value] = {"tof_truth": self._tof_truth.or_why(lone)} if self._truth else {}
        return known | {
            "tof": self._tof.or_why(lone),
            "delay": "the result's motion does not tell" if delay is None else abs(delay),
            "warp_error": self._warp_error.or_why(lone),
            "flicker": self._still.or_why("nothing of the source stands still for five frames"),
        }


class FaceMotion:
    """Landmarks that move in the result as they do in the source, found in both by the same backend."""

    SPAN_SECONDS = Fraction(1, 5)
    """Motion over a single frame is lost in the landmarks' jitter."""
    LEAST_PAIRS = 10

    def __init__(self, backend: Backend, info: VideoInfo) -> None:
        self._backend, self._info = backend, info
        span = max(1, round(self.SPAN_SECONDS * info.rate))
        self._points: deque[tuple[np.ndarray, np.ndarray] | None] = deque(maxlen=span + 1)
        self._correlation, self._pairs = Correlation(), 0

    def see(self, moment: Moment) -> PerFrame:
        if not moment.follows:
            self._points.clear()
        self._points.append(self._both(moment))
        first, last = self._points[0], self._points[-1]
        if len(self._points) == self._points.maxlen and first is not None and last is not None:
            self._correlation.add(last[0] - first[0], last[1] - first[1])
            self._pairs += 1
        return {}

    def _both(self, moment: Moment) -> tuple[np.ndarray, np.ndarray] | None:
        """(n, 2) landmarks of the followed face in the source, and in the result."""
        if moment.place is None:
            return None
        middle, width = moment.place.landmarks.mean(0), np.ptp(moment.place.landmarks, axis=0).max()
        found = []
        for rgb in (moment.frame.rgb, moment.result):
            rgb = square_pixels(rgb, self._info)
            faces = [(_distance(face, middle), face) for face in self._backend.find(rgb)]
            distance, face = min(faces, key=lambda pair: pair[0], default=(np.inf, None))
            if face is None or distance > width:
                return None
            found.append((rgb, face))
        source, result = self._backend.landmarks(*zip(*found, strict=True))
        return source, result

    def values(self) -> dict[str, Value]:
        value = self._correlation.value
        if self._pairs < self.LEAST_PAIRS or value is None:
            return {"motion": "the face of the source is not found again in enough frames of the result"}
        return {"motion": value}


def _distance(face: Detection, point: np.ndarray) -> float:
    x0, y0, x1, y1 = face.box
    return float(np.hypot((x0 + x1) / 2 - point[0], (y0 + y1) / 2 - point[1]))
