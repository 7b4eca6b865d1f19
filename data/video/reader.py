"""Reading video: what a file is, and its frames with their exact times."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
from av.container import InputContainer
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from data.errors import NotAVideoError
from data.video.colour import ToRgb, colour_of
from data.video.container import Clock, main_video_stream, open_local, time_base_of
from data.video.frame import Frame, VideoInfo


@dataclass
class _Decoded:
    """A decoded picture on its way: deinterlacing and conversion keep these beside it."""

    number: int
    pts: int
    duration: int
    colour: dict[str, str]


def probe(path: str | Path) -> VideoInfo:
    """What the file says of its video, with its first frame decoded to make sure.

    Raises MissingInputError and NotAVideoError.
    """
    with open_local(path) as container:
        stream = main_video_stream(container, path)
        first = next(_decoded_frames(container, stream), None)
        if first is None:
            raise NotAVideoError(_no_frame(path))
        colour, rate = colour_of(first), stream.average_rate or stream.guessed_rate or Fraction(0)
        seconds = Fraction(container.duration or 0, av.time_base)
        rotation, _, transposed = _orientation(first)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        size = (first.height, first.width) if transposed else (first.width, first.height)
        return VideoInfo(
            path=str(path),
            width=size[0],
            height=size[1],
            sample_aspect=1 / aspect if transposed else aspect,
            rotation=rotation,
            rate=rate,
            time_base=time_base_of(stream),
            frames=stream.frames or round(seconds * rate) or None,
            codec=stream.codec_context.name,
            pixel_format=first.format.name,
            colour=colour,
            interlaced=first.interlaced_frame,
            audio_tracks=len(container.streams.audio),
        )


def read_metadata(path: str | Path) -> dict[str, str]:
    """The file's own tags, their names in lower case because Matroska does not keep the case; none of what is no video.

    Raises MissingInputError.
    """
    try:
        with open_local(path) as container:
            return {key.lower(): value for key, value in container.metadata.items()}
    except NotAVideoError:
        return {}


def read_frames(path: str | Path, *, start: Fraction | None = None, stop: Fraction | None = None) -> Iterator[Frame]:
    """Frames in order of time, upright, 8-bit full-range SDR R'G'B' (see Frame), at most two in memory.

    start, stop: seconds; only frames with start <= time < stop. Numbers count from the beginning of the file all the
    same. What cannot be decoded is skipped and the rest goes on; timestamps always rise. A picture that changes its
    size half-way is scaled to the first one's. Interlaced frames are deinterlaced, one out per one in.
    Raises MissingInputError, and NotAVideoError where no frame at all decodes.
    """
    with open_local(path) as container:
        stream = main_video_stream(container, path)
        time_base, to_rgb, deinterlacer = time_base_of(stream), ToRgb(), _Deinterlacer()
        size: tuple[int, int] | None = None
        orientation = None
        for picture, about in deinterlacer.run(_numbered(_decoded_frames(container, stream), stream)):
            size = size or (picture.width, picture.height)
            # Once a clip: a frame that was asked for its side data is kept until Python looks for cycles.
            orientation = orientation or _orientation(picture)
            seconds = about.pts * time_base
            if stop is not None and seconds >= stop:
                return
            if start is None or seconds >= start:
                rgb = _upright(to_rgb(picture, about.colour, size), orientation)
                yield Frame(rgb, about.number, about.pts, time_base, about.duration)
        if size is None:
            raise NotAVideoError(_no_frame(path))


def _no_frame(path: str | Path) -> str:
    return f"{path}: not a video (no frame of it can be decoded); convert it with ffmpeg or name another file"


def _decoded_frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """All frames that decode. An error in a packet costs that packet; one in the container ends the file there."""
    packets = container.demux(stream)
    flushed = False
    while not flushed:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            packet = None
        flushed = packet is None or packet.size == 0
        try:
            yield from stream.decode(None if flushed else packet)
        except av.FFmpegError:
            continue


def _numbered(frames: Iterator[av.VideoFrame], stream: VideoStream) -> Iterator[tuple[av.VideoFrame, _Decoded]]:
    rate, second = stream.average_rate or stream.guessed_rate or Fraction(25), 1 / time_base_of(stream)
    clock = Clock(second / rate, second)
    for number, frame in enumerate(frames):
        pts = clock.stamp(frame.dts if frame.pts is None else frame.pts)
        yield frame, _Decoded(number, pts, frame.duration or 0, colour_of(frame))


class _Deinterlacer:
    """Sends frames through bwdif from the first interlaced one on; frames not marked so come out as they went in."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple = ()
        self._waiting: deque[tuple[av.VideoFrame, _Decoded]] = deque()

    def run(self, frames: Iterator[tuple[av.VideoFrame, _Decoded]]) -> Iterator[tuple[av.VideoFrame, _Decoded]]:
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

    def _finished(self) -> Iterator[tuple[av.VideoFrame, _Decoded]]:
        while self._graph and self._waiting:
            try:
                picture = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            yield picture, self._waiting.popleft()[1]

    def _drain(self) -> Iterator[tuple[av.VideoFrame, _Decoded]]:
        if self._graph:
            self._graph.vpush(None)
            yield from self._finished()
            yield from self._waiting  # none, unless the filter withheld some
        self._waiting.clear()
        self._graph = None


def _orientation(frame: av.VideoFrame) -> tuple[int, np.ndarray, bool]:
    """(degrees counter-clockwise, 2x2 signs [[a, b], [c, d]] of the display matrix, whether width and height swap).

    libavutil/display.h: a stored pixel at (p, q) is shown at (a p + c q, b p + d q). Angles between quarter turns are
    not applied.
    """
    upright = 0, np.eye(2, dtype=int), False
    side_data: Any = frame.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return upright
    matrix = np.frombuffer(side_data, "=i4").astype(np.float64).reshape(3, 3)[:2, :2]
    length = np.abs(matrix).max()
    if length == 0 or not np.all((np.abs(matrix) < 0.03 * length) | (np.abs(matrix) > 0.97 * length)):
        return upright
    signs = np.rint(matrix / length).astype(int)
    if abs(round(np.linalg.det(signs))) != 1:
        return upright
    return round(math.degrees(math.atan2(-signs[0, 1], signs[0, 0]))) % 360, signs, bool(signs[0, 1])


def _upright(rgb: np.ndarray, orientation: tuple[int, np.ndarray, bool]) -> np.ndarray:
    _, signs, transposed = orientation
    if transposed:
        rgb = rgb.swapaxes(0, 1)
    across, down = signs.sum(axis=0)  # one of the two in each column is not zero
    return np.ascontiguousarray(rgb[:: int(down), :: int(across)])
