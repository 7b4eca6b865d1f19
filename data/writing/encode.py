"""Writing video: frames leave with the times they came with.

What is written is H.264 without B-frames, so that packets come in the order of their times: a video can be encoded in
segments (one file a segment, kept across interruptions) and joined without encoding again. `VideoWriter` is one segment
and a join.
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
from data.errors import OutputError
from data.video.colour import FULL, LIMITED, MATRICES, PRIMARIES, TRANSFERS
from data.video.frame import Frame, VideoInfo
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

    path: ends in .mp4. Its own timestamps start at 0; the time of the first frame stands in its metadata
    (`SEGMENT_KEY`, see data.writing.join), because an MP4 track cannot start before 0 and starts late only by an edit
    list.
    source: decides time base, sample aspect, colour tags. size: (width, height) where it is not the source's.
    shown: the path that errors name, where it is not this one. notes: lines for the user on what could not be kept.
    Frames whose timestamps do not rise, or of another size or time base, are ValueErrors. Raises OutputError.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: VideoInfo,
        size: tuple[int, int] | None = None,
        crf: int = 18,
        shown: Path | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._path, self._partial, self._shown = path, partial_path(path), shown or path
        self._source, self._size, self._crf = source, size or (source.width, source.height), crf
        self._storing = Storing(source, self._size)
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._durations: deque[int] = deque()
        self._first = self._last = self._step = 0
        if self._storing.upsampled:
            self.notes.append(f"{self._size[0]}x{self._size[1]} is odd: written as 4:4:4 so that the size stays")

    def __enter__(self) -> "SegmentWriter":
        with writing(self._shown):  # now, not after hours of work
            if self._shown.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._partial.touch()
        return self

    def write(self, frame: Frame) -> None:
        """Adds one frame. Its rgb must have the writer's size."""
        if frame.rgb.shape != (self._size[1], self._size[0], 3) or frame.rgb.dtype != np.uint8:
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
                format="mp4",
                container_options={"movflags": "use_metadata_tags", "video_track_timescale": str(timescale)},
            )
            self._output.metadata[SEGMENT_KEY] = json.dumps([first.pts, str(first.time_base)])
            stream = self._stream = self._output.add_stream("libx264", rate=_sane_rate(self._source.rate))
            stream.width, stream.height = self._size
            stream.pix_fmt = self._storing.pixels
            stream.codec_context.time_base = Fraction(1, timescale)
            stream.time_base = Fraction(1, timescale)
            stream.codec_context.sample_aspect_ratio = self._source.sample_aspect
            stream.codec_context.color_range = {"tv": LIMITED, "pc": FULL}.get(self._storing.tags["range"], 0)
            stream.codec_context.colorspace = _number(MATRICES, self._storing.tags["space"])
            stream.codec_context.color_primaries = _number(PRIMARIES, self._storing.tags["primaries"])
            stream.codec_context.color_trc = _number(TRANSFERS, self._storing.tags["transfer"])
            # x264's macroblock tree reads memory that was never written at many widths: other bytes from run to run.
            stream.options = {"preset": "veryfast", "crf": str(self._crf), "bf": "0", "mbtree": "0"}

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

    start, stop, metadata: as in `join_segments`; source, size, crf and what `write` takes: as in `SegmentWriter`.
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
        crf: int = 18,
    ) -> None:
        muxer = muxer_of(path)
        tracks = None if audio_from is None else plan_tracks(Path(audio_from), muxer)
        self._segment = path.with_name(f".{path.stem}.picture.mp4")
        self._writer = SegmentWriter(self._segment, source=source, size=size, crf=crf, shown=path)
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


def _number(names: dict[int, str], name: str) -> int:
    """FFmpeg's number of a colour tag; 2 is its "unspecified"."""
    return next((number for number, known in names.items() if known == name), 2)


def _sane_rate(rate: Fraction) -> Fraction:
    return rate if 1 <= rate <= 1000 else FALLBACK_RATE
