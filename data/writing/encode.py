"""Writing video: frames leave with the times they came with.

Packets come in the order of their times: a video can be encoded in segments (one file a segment, kept across
interruptions) and joined without encoding again. `VideoWriter` is one segment and a join.
"""

import errno
import functools
import json
import os
from collections import deque
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from data.disk import put_in_place
from data.errors import OutputError, SettingsError
from data.video.colour import FULL, LIMITED, MATRICES, PRIMARIES, TRANSFERS, number_of
from data.video.frame import Frame, VideoInfo
from data.writing.codecs import USUAL, Encoding
from data.writing.join import SEGMENT_KEY, join_segments, muxer_of, writing
from data.writing.storing import Storing
from data.writing.tracks import plan_tracks
from durable.files import partial_path

FALLBACK_RATE = Fraction(25)
"""Frames a second that the encoder plans for, and that a lone frame lasts, where the source does not know."""


class SegmentWriter:
    """Encodes consecutive frames, picture only, into one file that appears when it is whole.

        with SegmentWriter(path, source=probe(original)) as writer:
            for frame in read_frames(original): writer.write(frame)

    path: of any suffix. Its own timestamps start at 0; the time of the first frame stands in its metadata
    (`SEGMENT_KEY`, see data.writing.join), because an MP4 track cannot start before 0 and starts late only by an edit
    list.
    source: decides time base, sample aspect, colour tags. size: (width, height) where it is not the source's. encoding:
    how; what it cannot hold is a SettingsError.
    shown: the path that errors name, where it is not this one. notes: lines for the user on what could not be kept.
    Frames whose timestamps do not rise, or of another size or time base, are ValueErrors. Raises OutputError.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: VideoInfo,
        size: tuple[int, int] | None = None,
        encoding: Encoding = USUAL,
        shown: Path | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._path, self._partial, self._shown = path, partial_path(path), shown or path
        self._source, self._size, self._encoding = source, size or (source.width, source.height), encoding
        self._storing = Storing(source, self._size, encoding)
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._durations: deque[int] = deque()
        self._first = self._last = self._step = 0
        sides = f"{self._size[0]}x{self._size[1]}"
        if self._storing.upsampled:
            self.notes.append(f"{sides} is odd: written as 4:4:4 so that the size stays")
        if min(self._size) < (least := encoding.row.least_px):
            raise SettingsError(
                f"--codec {encoding.codec}: cannot hold {sides}, below {least} a side; use h264 or ffv1"
            )
        if any(side % 2 for side in self._size) and "444" not in self._storing.encoded:
            raise SettingsError(f"--codec {encoding.codec}: cannot hold {sides}, which is odd; use h264, hevc or ffv1")

    def __enter__(self) -> "SegmentWriter":
        with writing(self._shown):  # now, not after hours of work
            if self._shown.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._partial.touch()
        return self

    def write(self, frame: Frame) -> None:
        """Adds one frame. Its rgb must have the writer's size."""
        pixels = frame.pixels
        if frame.size != self._size[::-1] or (isinstance(pixels, np.ndarray) and pixels.dtype != np.uint8):
            raise ValueError(f"a frame of {frame.rgb.shape} {frame.rgb.dtype} for a video of {self._size} uint8")
        if frame.time_base != self._source.time_base:
            raise ValueError(f"a frame with time base {frame.time_base} for a video with {self._source.time_base}")
        if self._output is None:
            self._open(frame)
        elif frame.pts <= self._last:
            raise ValueError(f"timestamp {frame.pts} after {self._last}: times must rise")
        else:
            self._step = frame.pts - self._last
        self._last = frame.pts
        self._durations.append(frame.duration)
        picture = self._storing.picture(frame)
        picture.time_base = 1 / Fraction(frame.time_base.denominator)
        picture.pts = (frame.pts - self._first) * frame.time_base.numerator
        self._mux(picture)

    def _open(self, first: Frame) -> None:
        self._first = first.pts
        timescale = first.time_base.denominator
        with writing(self._shown):
            self._output = av.open(
                f"file:{self._partial.absolute()}",
                "w",
                format=self._encoding.row.segment,
                container_options={"movflags": "use_metadata_tags", "video_track_timescale": str(timescale)},
            )
            self._output.metadata[SEGMENT_KEY] = json.dumps([first.pts, str(first.time_base)])
            stream = self._output.add_stream(self._encoding.encoder, rate=_sane_rate(self._source.rate))
            assert isinstance(stream, VideoStream)
            self._stream = stream
            stream.width, stream.height = self._size
            stream.pix_fmt = self._storing.encoded
            stream.codec_context.time_base = Fraction(1, timescale)
            stream.time_base = Fraction(1, timescale)
            stream.codec_context.sample_aspect_ratio = self._source.sample_aspect
            stream.codec_context.color_range = {"tv": LIMITED, "pc": FULL}.get(self._storing.tags["range"], 0)
            stream.codec_context.colorspace = number_of(MATRICES, self._storing.tags["space"])
            stream.codec_context.color_primaries = number_of(PRIMARIES, self._storing.tags["primaries"])
            stream.codec_context.color_trc = number_of(TRANSFERS, self._storing.tags["transfer"])
            stream.options = {**self._encoding.options(self._storing.encoded)}
            if self._encoding.codec == "hevc":
                stream.codec_context.codec_tag = "hvc1"  # Apple's players take no other

    def _mux(self, picture: av.VideoFrame | None) -> None:
        assert self._output is not None and self._stream is not None
        with writing(self._shown):
            for packet in self._stream.encode(picture):
                # The muxer takes a frame's length from its successor's time; only the last one's needs to be told.
                packet.duration = (self._durations.popleft() or self._usual_step()) * self._source.time_base.numerator
                self._output.mux(packet)

    def _usual_step(self) -> int:
        """A frame's length where the source does not say: as long as the one before it, or as the rate has it."""
        return self._step or max(1, round(1 / (_sane_rate(self._source.rate) * self._source.time_base)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._output is not None:
                with suppress(av.FFmpegError):
                    self._output.close()
            self._partial.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._output is None:
            raise OutputError(f"{self._shown}: no frame to write; is the chosen part of the video empty?")
        self._mux(None)
        with writing(self._shown):
            self._output.close()
        put_in_place(self._partial, self._path)


class VideoWriter:
    """Writes a video whole: frames as they come, the sound of another file beside them.

        with VideoWriter(path, source=probe(original), audio_from=original) as writer:
            for frame in read_frames(original): writer.write(changed(frame))

    start, stop, metadata: as in `join_segments`; source, size, encoding and what `write` takes: as in `SegmentWriter`.
    The file appears when the block ends without an exception; `notes` then holds lines for the user.
    Raises OutputError, SettingsError; for `audio_from` MissingInputError, NotAVideoError.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: VideoInfo,
        size: tuple[int, int] | None = None,
        audio_from: Path | None = None,
        start: Fraction | None = None,
        stop: Fraction | None = None,
        metadata: dict[str, str] | None = None,
        encoding: Encoding = USUAL,
    ) -> None:
        muxer = muxer_of(path)
        encoding.check()
        encoding.check_kind(muxer, path)
        tracks = None if audio_from is None else plan_tracks(Path(audio_from), muxer)
        self._segment = path.with_name(f".{path.stem}.picture.mp4")
        self._writer = SegmentWriter(self._segment, source=source, size=size, encoding=encoding, shown=path)
        self._join = functools.partial(
            join_segments, [self._segment], path, tracks=tracks, start=start, stop=stop, metadata=metadata
        )
        self.notes = self._writer.notes
        self.notes += tracks.notes if tracks else ()

    def __enter__(self) -> "VideoWriter":
        self._writer.__enter__()
        return self

    def write(self, frame: Frame) -> None:
        """Adds one frame."""
        self._writer.write(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.__exit__(kind, error, trace)
            if kind is None:
                self.notes += self._join()
        finally:
            self._segment.unlink(missing_ok=True)


def _sane_rate(rate: Fraction) -> Fraction:
    return rate if 1 <= rate <= 1000 else FALLBACK_RATE
