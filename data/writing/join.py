"""Encoded segments and copied sound become one file, without encoding the picture again.

Exact times in MP4: the picture's track counts in the source's own unit; a track that does not start at 0 gets an empty
edit, whose length is counted in the movie's unit, which is therefore chosen to divide every track's start.
"""

import errno
import heapq
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from data.disk import output_errors, put_in_place
from data.errors import OutputError, SettingsError
from data.video.container import open_local
from data.writing.sound import Sound
from data.writing.tracks import Tracks
from durable.files import partial_path

MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
SEGMENT_KEY = "retarget_segment"
"""Metadata of a segment: JSON [timestamp of its first frame, time base as text]."""
Finish = Callable[[Path, Path], None]
"""Makes of a whole file the one that leaves, at another path: signs it. Raises OutputError."""
LATEST_START_SECONDS = 10
"""Recordings cut from a broadcast may start hours in; players would show nothing until then."""
LARGEST_TIMESCALE = 2**31 - 1
_DISK_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT,
    errno.EISDIR, errno.ENOTDIR, errno.EMFILE, errno.ENAMETOOLONG,
}  # fmt: skip


def muxer_of(path: Path) -> str:
    """FFmpeg's name of the kind of file that `path` ends in. Raises SettingsError."""
    if path.suffix.lower() not in MUXERS:
        raise SettingsError(f"{path}: not a kind of video that is written; end its name in {', '.join(MUXERS)}")
    return MUXERS[path.suffix.lower()]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what FFmpeg and the system say while `path` is written into an OutputError of one line."""
    with output_errors(path):
        try:
            yield
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            if error.errno in _DISK_ERRORS:
                raise OSError(error.errno, error.strerror) from error
            raise OutputError(
                f"{path}: cannot be written (FFmpeg says: {error.strerror}); try another --codec, or another kind of "
                "file, such as .mkv"
            ) from error


def join_segments(
    segments: list[Path],
    output: Path,
    *,
    tracks: Tracks | None = None,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    metadata: dict[str, str] | None = None,
    finish: Finish | None = None,
) -> list[str]:
    """Puts the frames of `segments` (of SegmentWriter, in order) and the sound of `tracks` into `output`.

    tracks: planned for a file of `output`'s kind; None for the picture alone.
    start: seconds that are subtracted from all times, of picture and sound alike; sound before it is left out. None:
    from the beginning, wherever that is.
    stop: seconds, before the subtraction, from which sound is left out.
    metadata: tags of the file, any keys. Returns lines for the user on what could not be kept as it was.
    The file appears when it is whole. Raises SettingsError (kind of file, output is its own source), OutputError, and
    MissingInputError or NotAVideoError for the file of `tracks`; segments that do not belong together are a ValueError.
    """
    muxer, partial = muxer_of(output), partial_path(output)
    finished = partial if finish is None else partial_path(output.with_name(f"{output.stem}.finished{output.suffix}"))
    if tracks is not None and output.exists() and output.samefile(tracks.path):
        raise SettingsError(f"{output}: would replace the video it is made from; choose another name")
    try:
        with ExitStack() as stack:
            sound = None
            if tracks is not None:
                sound = Sound(stack.enter_context(open_local(tracks.path)), tracks, start, stop)
            picture = _Picture(segments)
            shift, notes = _shift(picture, sound, start or Fraction(0), output.name)
            with writing(output):
                chapters = _chapters(tracks, shift, stop) if tracks is not None else []
                _mux(picture, sound, shift, partial, muxer, metadata or {}, chapters)
        if finish is not None:
            finish(partial, finished)
        put_in_place(finished, output)
    finally:
        for left in (partial, finished):
            left.unlink(missing_ok=True)
    if muxer == "matroska" and 1000 % picture.timescale:
        notes.append(f"{output.name}: Matroska keeps times to the millisecond only; .mp4 keeps them exactly")
    return notes + (sound.all_notes() if sound else [])


class _Picture:
    """The encoded frames of segments in a row. timescale: units a second; first: seconds of the first frame."""

    def __init__(self, segments: list[Path]) -> None:
        if not segments:
            raise ValueError("no segments to join")
        self._segments = segments
        with av.open(f"file:{segments[0].absolute()}") as container:
            self.first, self.timescale = _segment_start(container.metadata[SEGMENT_KEY])
            self.extradata = container.streams.video[0].codec_context.extradata

    def add_to(self, output: OutputContainer) -> VideoStream:
        with av.open(f"file:{self._segments[0].absolute()}") as container:
            stream = output.add_stream_from_template(container.streams.video[0], opaque=True)
            stream.codec_context.framerate = Fraction(0)  # Matroska would note it, and it is the timescale's
            return stream

    def packets(self, stream: VideoStream, shift: Fraction, timescale: int) -> Iterator[tuple[Fraction, Packet]]:
        """(seconds in the new file, packet) with times in 1/timescale, every one `shift` seconds earlier."""
        last, factor = None, timescale // self.timescale
        for path in self._segments:
            with av.open(f"file:{path.absolute()}") as container:
                first, own = _segment_start(container.metadata[SEGMENT_KEY])
                source = container.streams.video[0]
                if own != self.timescale or source.codec_context.extradata != self.extradata:
                    raise ValueError(f"{path}: encoded with other settings than {self._segments[0]}")
                offset = round((first - shift) * timescale)
                for packet in container.demux(source):
                    if not packet.size:
                        continue
                    packet.pts = packet.dts = round((packet.pts or 0) * packet.time_base * own) * factor + offset
                    packet.duration = round((packet.duration or 0) * packet.time_base * own) * factor
                    packet.time_base = Fraction(1, timescale)
                    if last is not None and packet.pts <= last:
                        raise ValueError(f"{path}: starts before the segment in front of it ends")
                    last = packet.pts
                    packet.stream = stream
                    yield Fraction(packet.pts, timescale), packet


def _segment_start(text: str) -> tuple[Fraction, int]:
    """(seconds of the segment's first frame, units a second) from its metadata."""
    pts, time_base = json.loads(text)
    return pts * Fraction(time_base), Fraction(time_base).denominator


def _shift(picture: _Picture, sound: Sound | None, start: Fraction, name: str) -> tuple[Fraction, list[str]]:
    """(seconds to subtract from all times, lines for the user): `start`, and whole seconds where players need it.

    Whole seconds are exact in every track's unit. A picture before 0 would be cut off; one that starts far in would be
    preceded by nothing.
    """
    first = picture.first - start
    earliest = first if sound is None or sound.first is None else min(first, sound.first - start)
    extra = 0
    if first < 0:
        extra = math.floor(first)
    elif earliest > LATEST_START_SECONDS:
        extra = math.floor(earliest)
    notes = [f"{name}: the source's times start at {float(first):.3f} s; moved by {-extra:+d} s"] if extra else []
    return start + extra, notes


def _chapters(tracks: Tracks, shift: Fraction, stop: Fraction | None) -> list[Any]:
    """The source's chapters `shift` seconds earlier, without those outside the new file."""
    moved: list[Any] = []
    for chapter in tracks.chapters:
        unit = chapter["time_base"] or Fraction(1, av.time_base)
        start, end = chapter["start"] * unit, chapter["end"] * unit
        if end > shift and (stop is None or start < stop):
            end = end if stop is None else min(end, stop)
            times = {"start": round((max(start, shift) - shift) * 1000), "end": round((end - shift) * 1000)}
            about = {"id": len(moved), "time_base": Fraction(1, 1000), "metadata": chapter["metadata"]}
            moved.append(about | times)
    return moved


def _mux(
    picture: _Picture,
    sound: Sound | None,
    shift: Fraction,
    partial: Path,
    muxer: str,
    metadata: dict[str, str],
    chapters: list[Any],
) -> None:
    timescale = math.lcm(picture.timescale, shift.denominator)
    if timescale > LARGEST_TIMESCALE:
        timescale = picture.timescale
    starts = [round((picture.first - shift) * timescale) * Fraction(1, timescale)]
    if sound is not None:
        starts += [Fraction(round((time - shift) * rate), rate) for time, rate in sound.starts().values()]
    options = {}
    if muxer != "matroska":
        options = {
            "movflags": "faststart+use_metadata_tags",
            "video_track_timescale": str(timescale),
            "movie_timescale": str(_movie_timescale(starts)),
        }
    output = av.open(f"file:{partial.absolute()}", "w", format=muxer, container_options=options)
    with output:
        output.metadata.update(metadata)
        output.set_chapters(chapters)
        stream = picture.add_to(output)
        tracks = [picture.packets(stream, shift, timescale)]
        if sound is not None:
            sound.attach(output)
            tracks.append(sound.packets(shift, from_zero=muxer == "matroska"))
        for _, packet in heapq.merge(*tracks, key=lambda timed: timed[0]):
            try:
                output.mux(packet)
            except av.FFmpegError as error:
                disk = isinstance(error, OSError) or error.errno in _DISK_ERRORS
                if disk or sound is None or packet.stream is stream:
                    raise
                sound.damaged += 1


def _movie_timescale(starts: list[Fraction]) -> int:
    """Units a second of the movie in which every start after 0 is whole, where there is such a number."""
    scale = 1
    for start in starts:
        together = math.lcm(scale, start.denominator if start > 0 else 1)
        scale = together if together <= LARGEST_TIMESCALE else scale
    return scale * math.ceil(1000 / scale)
