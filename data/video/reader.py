"""Reading video: what a file is, and its frames with their exact times."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from data.errors import NotAVideoError
from data.video.clocks import Clock
from data.video.colour import colour_of
from data.video.container import main_video_stream, open_local, packets_of, time_base_of
from data.video.deinterlace import Decoded, Deinterlacer
from data.video.developing import WHITE, Developer, has_alpha
from data.video.frame import Frame, Glance, VideoInfo, fitted_size
from data.video.orientation import orientation_of
from data.video.timeline import Timeline

MOST_ASPECT = Fraction(10)
"""Of a sample; more is damage."""
_BEFORE_SECONDS = Fraction(1, 2)
"""A part is read from a key frame so much before it: a picture is shown later than it is stored, fields need others."""


def probe(path: str | Path) -> VideoInfo:
    """What the file says of its video, with its first frame decoded to make sure.

    Raises MissingInputError and NotAVideoError.
    """
    with open_local(path) as container:
        stream = main_video_stream(container, path)
        first, _ = next(_decoded_frames(packets_of(container, [stream]), stream), (None, None))
        if first is None:
            raise NotAVideoError(_no_frame(path))
        colour, rate = colour_of(first), stream.average_rate or stream.guessed_rate or Fraction(0)
        seconds = Fraction(container.duration or 0, av.time_base)
        orientation = orientation_of(first)
        aspect = _sane_aspect(stream.sample_aspect_ratio)
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
            transparent=has_alpha(first.format),
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
    path: str | Path,
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    near: bool = False,
    background: tuple[int, int, int] = WHITE,
) -> Iterator[Frame]:
    """Frames in order of time, upright, 8-bit full-range SDR R'G'B' (see Frame), at most two in memory.

    start, stop: seconds; only frames with start <= time < stop. Numbers count from the beginning of the file all the
    same. near: they count from the key frame before `start`, where reading then begins if the kind of container has one
    clock: the middle of a long video is there at once. What cannot be decoded is skipped and the rest goes on;
    timestamps always rise, and jumps of the container's clock are mended as `Timeline` does. A picture that changes its
    shape half-way, or which way up it is, is fitted into the first one's with black bars. What is transparent lies on
    `background` (R, G, B). Interlaced frames are deinterlaced, one out per one in.
    Raises MissingInputError, and NotAVideoError where no frame at all decodes.
    """
    for picture, about, time_base, develop in _pictures(path, start if near else None, background):
        seconds = about.pts * time_base
        if stop is not None and seconds >= stop:
            return
        if start is None or seconds >= start:
            pixels, planes = develop(picture, about.colour)
            shown: Any = pixels
            yield Frame(shown, about.number, about.pts, time_base, about.duration, planes, develop.shape)


def read_glances(
    path: str | Path,
    info: VideoInfo,
    longest_px: int,
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    background: tuple[int, int, int] = WHITE,
) -> Iterator[Glance]:
    """Every frame of `read_frames`, made small with square pixels by the scaler itself, which is much quicker than to
    make the whole frame first. info: of `probe`. start, stop, background: as there, with `near`. Raises as
    `read_frames`.
    """
    size = fitted_size(info.display_size, longest_px)
    for picture, about, time_base, develop in _pictures(path, start, background):
        if stop is not None and about.pts * time_base >= stop:
            return
        if start is not None and about.pts * time_base < start:
            continue
        rgb = develop.small(picture, about.colour, size)
        whole = develop(picture, about.colour)[0].whole
        yield Glance(rgb, about.number, about.pts * time_base, develop.shape, info.display_size, whole)


def _pictures(
    path: str | Path, near: Fraction | None, background: tuple[int, int, int]
) -> Iterator[tuple[av.VideoFrame, Decoded, Fraction, "Developer"]]:
    """Decoded pictures, the time base, and what makes them upright R'G'B'; to be told while each is the last one given.

    near: of the pictures before it, not all are given.
    """
    timeline = Timeline(path)
    with open_local(path) as container:
        stream = main_video_stream(container, path)
        time_base, develop, deinterlacer = time_base_of(stream), Developer(background), Deinterlacer()
        if near is None or timeline.broadcast or timeline.jumps:
            decoded = _decoded_frames(timeline.straightened(packets_of(container, [stream])), stream)
        else:
            for first in _decoded_frames(packets_of(container, [stream]), stream):
                develop.look(*first)  # the shape of the file's first picture is that of all
                break
            found = _from_key_frame(container, stream, near)
            if found is None:
                yield from _pictures(path, None, background)
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
    frames = _decoded_frames(packets_of(container, [stream]), stream)
    first = next(frames, None)
    if first is None or first[0].pts is None or first[0].pts * time_base_of(stream) > start:
        return None
    return chain([first], frames)


def _no_frame(path: str | Path) -> str:
    return f"{path}: not a video (no frame of it can be decoded); convert it with ffmpeg or name another file"


def _decoded_frames(packets: Iterator[Packet], stream: VideoStream) -> Iterator[tuple[av.VideoFrame, Fraction]]:
    """All frames that decode, with their sample aspects. An error in a packet costs that packet; one in the container
    ends the file there.
    """
    flushed, aspects, decoder = False, _Aspects(stream), _with_alpha(stream) or stream
    while not flushed:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            packet = None
        flushed = packet is None or packet.size == 0
        try:
            frames = decoder.decode(None if flushed else packet)
        except av.FFmpegError:
            continue
        aspects.look(packet)
        for frame in frames:
            yield frame, aspects.of(frame)


def _with_alpha(stream: VideoStream) -> VideoCodecContext | None:
    """A decoder that sees the transparency of VP8 and VP9, where the file has any: FFmpeg's own do not."""
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    if name is None or stream.metadata.get("alpha_mode") != "1" or name not in av.codecs_available:
        return None
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    return decoder


def _sane_aspect(aspect: Fraction | None) -> Fraction:
    """Width over height of a sample; 1 where it is not known, or cannot be meant."""
    return aspect if aspect is not None and 1 / MOST_ASPECT <= aspect <= MOST_ASPECT else Fraction(1)


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
        now = _sane_aspect(self._stream.codec_context.sample_aspect_ratio)
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
