"""Reading video: what a file is, and its frames with their exact times."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from data.errors import NotAVideoError
from data.video.colour import ToRgb, colour_of
from data.video.container import main_video_stream, open_local, time_base_of
from data.video.deinterlace import Decoded, Deinterlacer
from data.video.frame import Frame, Glance, VideoInfo, fitted_size
from data.video.orientation import Orientation, orientation_of
from data.video.planes import Planes
from data.video.timeline import Clock, Timeline

_BEFORE_SECONDS = Fraction(1, 2)
"""A part is read from a key frame so much before it: a picture is shown later than it is stored, fields need others."""


def probe(path: str | Path) -> VideoInfo:
    """What the file says of its video, with its first frame decoded to make sure.

    Raises MissingInputError and NotAVideoError.
    """
    with open_local(path) as container:
        stream = main_video_stream(container, path)
        first, _ = next(_decoded_frames(container.demux(stream), stream), (None, None))
        if first is None:
            raise NotAVideoError(_no_frame(path))
        colour, rate = colour_of(first), stream.average_rate or stream.guessed_rate or Fraction(0)
        seconds = Fraction(container.duration or 0, av.time_base)
        orientation = orientation_of(first)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        size = (first.height, first.width) if orientation.transposed else (first.width, first.height)
        return VideoInfo(
            path=str(path),
            width=size[0],
            height=size[1],
            sample_aspect=1 / aspect if orientation.transposed else aspect,
            rotation=orientation.rotation,
            rate=rate,
            time_base=time_base_of(stream),
            frames=stream.frames or round(seconds * rate) or None,
            codec=stream.codec_context.name,
            pixel_format=first.format.name,
            colour=colour,
            interlaced=first.interlaced_frame,
            audio_tracks=len(container.streams.audio),
            begins=((first.dts if first.pts is None else first.pts) or 0) * time_base_of(stream),
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


def read_frames(
    path: str | Path, *, start: Fraction | None = None, stop: Fraction | None = None, near: bool = False
) -> Iterator[Frame]:
    """Frames in order of time, upright, 8-bit full-range SDR R'G'B' (see Frame), at most two in memory.

    start, stop: seconds; only frames with start <= time < stop. Numbers count from the beginning of the file all the
    same. near: they count from the key frame before `start`, where reading then begins if the kind of container has one
    clock: the middle of a long video is there at once. What cannot be decoded is skipped and the rest goes on;
    timestamps always rise, and jumps of the container's clock are mended as `Timeline` does. A picture that changes its
    shape half-way is fitted into the first one's with black bars. Interlaced frames are deinterlaced, one out per one
    in.
    Raises MissingInputError, and NotAVideoError where no frame at all decodes.
    """
    for picture, about, time_base, develop in _pictures(path, start if near else None):
        seconds = about.pts * time_base
        if stop is not None and seconds >= stop:
            return
        if start is None or seconds >= start:
            rgb, planes = develop(picture, about.colour)
            yield Frame(rgb, about.number, about.pts, time_base, about.duration, planes, develop.shape)


def read_glances(
    path: str | Path, info: VideoInfo, longest_px: int, *, start: Fraction | None = None, stop: Fraction | None = None
) -> Iterator[Glance]:
    """Every frame of `read_frames`, made small with square pixels by the scaler itself, which is much quicker than to
    make the whole frame first. info: of `probe`. start, stop: as there, with `near`. Raises as `read_frames`.
    """
    size = fitted_size(info.display_size, longest_px)
    for picture, about, time_base, develop in _pictures(path, start):
        if stop is not None and about.pts * time_base >= stop:
            return
        if start is not None and about.pts * time_base < start:
            continue
        rgb = develop.small(picture, about.colour, size)
        whole = partial(develop.whole, picture, about.colour)
        yield Glance(rgb, about.number, about.pts * time_base, develop.shape, info.display_size, whole)


def _pictures(
    path: str | Path, near: Fraction | None = None
) -> Iterator[tuple[av.VideoFrame, Decoded, Fraction, "_Developer"]]:
    """Decoded pictures, the time base, and what makes them upright R'G'B' while each is the last one given.

    near: of the pictures before it, not all are given.
    """
    timeline = Timeline(path)
    with open_local(path) as container:
        stream = main_video_stream(container, path)
        time_base, develop, deinterlacer = time_base_of(stream), _Developer(), Deinterlacer()
        if near is None or timeline.may_jump:
            decoded = _decoded_frames(timeline.straightened(container.demux(stream)), stream)
        else:
            for first in _decoded_frames(container.demux(stream), stream):
                develop.look(*first)  # the shape of the file's first picture is that of all
                break
            found = _from_key_frame(container, stream, near)
            if found is None:
                yield from _pictures(path)
                return
            decoded = found
        for picture, about in deinterlacer.run(_numbered(decoded, stream)):
            develop.look(picture, about.aspect)
            yield picture, about, time_base, develop
        if develop.first is None:
            raise NotAVideoError(_no_frame(path))


def _from_key_frame(
    container: InputContainer, stream: VideoStream, start: Fraction
) -> Iterator[tuple[av.VideoFrame, Fraction]] | None:
    """Decoded frames from a key frame on that is shown before `start`; None where there is none."""
    try:
        container.seek(int((start - _BEFORE_SECONDS) / time_base_of(stream)), stream=stream)
    except av.FFmpegError:
        return None
    frames = _decoded_frames(container.demux(stream), stream)
    first = next(frames, None)
    if first is None or first[0].pts is None or first[0].pts * time_base_of(stream) > start:
        return None
    return chain([first], frames)


class _Developer:
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


def _no_frame(path: str | Path) -> str:
    return f"{path}: not a video (no frame of it can be decoded); convert it with ffmpeg or name another file"


def _decoded_frames(packets: Iterator[Packet], stream: VideoStream) -> Iterator[tuple[av.VideoFrame, Fraction]]:
    """All frames that decode, with their sample aspects. An error in a packet costs that packet; one in the container
    ends the file there.
    """
    flushed, aspects = False, _Aspects(stream)
    while not flushed:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            packet = None
        flushed = packet is None or packet.size == 0
        try:
            frames = stream.decode(None if flushed else packet)
        except av.FFmpegError:
            continue
        aspects.look(packet)
        for frame in frames:
            yield frame, aspects.of(frame)


class _Aspects:
    """The sample aspect of each frame, which PyAV does not tell: the decoder's is that of the packet that went in last,
    while frames from before it may still come out.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._before = self._now = Fraction(0)
        self._since: int | None = None

    def look(self, packet: Packet | None) -> None:
        """Notes the aspect after a packet was decoded."""
        now = self._stream.codec_context.sample_aspect_ratio or Fraction(1)
        if now != self._now:
            self._before, self._now = self._now or now, now
            self._since = packet.pts if packet is not None else None

    def of(self, frame: av.VideoFrame) -> Fraction:
        late = self._since is not None and frame.pts is not None and frame.pts < self._since
        return self._before if late else self._now


def _numbered(
    frames: Iterator[tuple[av.VideoFrame, Fraction]], stream: VideoStream
) -> Iterator[tuple[av.VideoFrame, Decoded]]:
    rate, second = stream.average_rate or stream.guessed_rate or Fraction(25), 1 / time_base_of(stream)
    clock = Clock(second / rate, second)
    for number, (frame, aspect) in enumerate(frames):
        pts = clock.stamp(frame.dts if frame.pts is None else frame.pts)
        yield frame, Decoded(number, pts, frame.duration or 0, colour_of(frame), aspect)
