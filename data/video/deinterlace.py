"""Fields become frames: interlaced pictures, with what is kept of each beside the filter."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.filter
from av.video.format import VideoFormat


@dataclass
class Decoded:
    """A decoded picture on its way: deinterlacing and conversion keep these beside it. aspect: of a sample."""

    number: int
    pts: int
    duration: int
    colour: dict[str, str]
    aspect: Fraction


class Deinterlacer:
    """Sends frames through bwdif from the first interlaced one on; frames not marked so come out as they went in."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple = ()
        self._waiting: deque[tuple[av.VideoFrame, Decoded]] = deque()

    def run(self, frames: Iterator[tuple[av.VideoFrame, Decoded]]) -> Iterator[tuple[av.VideoFrame, Decoded]]:
        for frame, about in frames:
            kind = (frame.width, frame.height, frame.format.name)
            if self._graph and kind != self._kind:
                yield from self._drain()
            if self._graph is None and frame.interlaced_frame:
                self._start(*kind)
            if self._graph is None:
                yield frame, about
            else:
                self._waiting.append((frame, about))
                # The filter compares neighbours by order only; real times are kept beside it.
                frame.pts, frame.time_base = about.number, Fraction(1, 25)
                self._graph.vpush(frame)
                yield from self._finished()
        yield from self._drain()

    def _start(self, width: int, height: int, pixel_format: str) -> None:
        self._kind = (width, height, pixel_format)
        graph = self._graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_buffer(width=width, height=height, format=VideoFormat(pixel_format), time_base=Fraction(1, 25)),
            graph.add("bwdif", mode="send_frame", deint="interlaced"),
            graph.add("buffersink"),
        ).configure()

    def _finished(self) -> Iterator[tuple[av.VideoFrame, Decoded]]:
        while self._graph and self._waiting:
            try:
                picture = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            yield picture, self._waiting.popleft()[1]

    def _drain(self) -> Iterator[tuple[av.VideoFrame, Decoded]]:
        if self._graph:
            self._graph.vpush(None)
            yield from self._finished()
            yield from self._waiting  # none, unless the filter withheld some
        self._waiting.clear()
        self._graph = None
