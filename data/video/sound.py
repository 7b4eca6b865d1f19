"""The tracks beside the picture, on their way from one file to another: copied packet for packet where the new file can
hold them, else transcoded to AAC (sound) or left out (subtitles), with a line for the user.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.filter
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from data.video.container import Clock, time_base_of

# What players take in each kind of file; FFmpeg would write more. None: whatever the muxer takes.
COPIED: dict[str, tuple[str, ...] | None] = {
    "mp4": ("aac", "mp3", "mp2", "ac3", "eac3", "dca", "opus", "flac", "alac", "mov_text"),
    "mov": ("aac", "mp3", "mp2", "ac3", "eac3", "alac", "mov_text", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
    "matroska": None,
}
AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
AAC_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
AAC_BITS_PER_CHANNEL = 96_000
HEAD_PACKETS = 4096
"""How many packets are looked ahead to see when each track starts; sound packets are a few hundred bytes."""


@dataclass
class _Track:
    """One source stream. `out` is its stream in the new file once attached; `transcoder` where it is not copied."""

    stream: Stream
    clock: Clock
    out: Stream | None = None
    transcoder: "_Transcoder | None" = None
    held: Packet | None = None
    started: bool = False


class Sound:
    """Sound and subtitle tracks of an open container.

    start, stop: seconds of the source; packets that end before `start` or begin at `stop` or later are left out. One
    packet of sound before `start` is kept: the next one cannot be decoded cleanly without it, and as its time becomes
    negative no player shows it.
    first: when the earliest track starts, in seconds of the source; None without tracks. notes: lines for the user.
    """

    def __init__(self, container: InputContainer, path: Path, start: Fraction, stop: Fraction | None) -> None:
        self.notes: list[str] = []
        self._path, self._start, self._stop = path, start, stop
        self._tracks: dict[int, _Track] = {}
        for stream in container.streams:
            if stream.type in ("audio", "subtitle"):
                self._tracks[stream.index] = _Track(stream, _clock(stream))
            else:
                stream.discard = Discard.all
        self._packets = self._kept(container)
        self._head: list[tuple[Fraction, _Track, Packet]] = []
        waiting = set(self._tracks)
        while waiting and len(self._head) < HEAD_PACKETS and (item := next(self._packets, None)):
            self._head.append(item)
            waiting.discard(item[1].stream.index)
        self.first = min((time for time, track, _ in self._head if track.stream.type == "audio"), default=None)

    def starts(self) -> dict[int, tuple[Fraction, int]]:
        """Stream index to (seconds of its first packet, samples a second) of every sound track that was seen."""
        found: dict[int, tuple[Fraction, int]] = {}
        for time, track, _ in self._head:
            if isinstance(track.stream, AudioStream):
                found.setdefault(track.stream.index, (time, track.stream.rate))
        return found

    def attach(self, output: OutputContainer, muxer: str) -> None:
        """Adds a stream to `output` for every track that it can hold in some way."""
        for track in self._tracks.values():
            name = track.stream.codec_context.name if track.stream.codec_context else "unknown"
            if _copyable(track.stream, muxer):
                try:
                    track.out = output.add_stream_from_template(track.stream, opaque=True)
                except (ValueError, av.FFmpegError):
                    track.out = None
            what = f"{track.stream.type} track {track.stream.index} ({name})"
            if track.out is None and isinstance(track.stream, AudioStream) and track.stream.codec_context:
                track.transcoder = _Transcoder(output, track.stream)
                track.out = track.transcoder.out
                self.notes.append(f"{self._path.name}: {what} does not fit into {muxer}: transcoded to AAC")
            if track.out is None:
                self.notes.append(f"{self._path.name}: {what} does not fit into {muxer}: left out")
            else:
                for key in ("language", "title", "handler_name"):
                    if value := track.stream.metadata.get(key):
                        track.out.metadata[key] = value
                track.out.disposition = track.stream.disposition

    def packets(self, shift: Fraction, *, from_zero: bool) -> Iterator[tuple[Fraction, Packet]]:
        """(seconds in the new file, packet to mux) in the source's order, every time `shift` seconds earlier.

        from_zero: leave out what would be before 0, for files that cannot hold it.
        """
        for time, track, packet in self._in_order():
            if track.out is None or (from_zero and time < shift):
                continue
            if track.transcoder is None:
                yield time - shift, _moved(packet, track, shift)
            else:
                for encoded in track.transcoder.packets(packet):
                    yield time - shift, _moved(encoded, track, shift)
        for track in self._tracks.values():
            if track.transcoder is not None:
                for encoded in track.transcoder.packets(None):
                    yield _seconds(encoded) - shift, _moved(encoded, track, shift)

    def _in_order(self) -> Iterator[tuple[Fraction, _Track, Packet]]:
        yield from self._head
        self._head.clear()
        yield from self._packets

    def _kept(self, container: InputContainer) -> Iterator[tuple[Fraction, _Track, Packet]]:
        """(time, track, packet) with rising times for each track, without those outside start and stop."""
        for packet in self._demuxed(container):
            track = self._tracks[packet.stream.index]
            packet.pts = packet.dts = track.clock.stamp(packet.dts if packet.pts is None else packet.pts)
            time = _seconds(packet)
            if self._stop is not None and time >= self._stop:
                continue
            if self._start > 0 and time + (packet.duration or 0) * packet.time_base <= self._start:
                track.held = packet
                continue
            if track.held is not None and not track.started and track.stream.type == "audio":
                yield _seconds(track.held), track, track.held
            track.held, track.started = None, True
            yield time, track, packet

    def _demuxed(self, container: InputContainer) -> Iterator[Packet]:
        if not self._tracks:
            return
        try:
            for packet in container.demux([track.stream for track in self._tracks.values()]):
                if packet.size:
                    yield packet
        except av.FFmpegError as error:
            self.notes.append(f"{self._path.name}: its sound breaks off early ({error.strerror})")


def _seconds(packet: Packet) -> Fraction:
    return Fraction(packet.pts or 0) * packet.time_base


def _clock(stream: Stream) -> Clock:
    second = 1 / time_base_of(stream)
    return Clock(second / 50, second)


def _copyable(stream: Stream, muxer: str) -> bool:
    if stream.codec_context is None:
        return False
    allowed = COPIED[muxer]
    return allowed is None or stream.codec_context.codec.canonical_name in allowed


def _moved(packet: Packet, track: _Track, shift: Fraction) -> Packet:
    """The packet `shift` seconds earlier, to the nearest sample of its track, bound for the new file."""
    rate = track.transcoder.rate if track.transcoder else getattr(track.stream, "rate", 0)
    unit = Fraction(1, rate) if rate else packet.time_base
    packet.duration = round((packet.duration or 0) * packet.time_base / unit)
    packet.pts = packet.dts = round((_seconds(packet) - shift) / unit)
    packet.time_base = unit
    packet.stream = track.out
    return packet


class _Transcoder:
    """Decodes the packets of a track and encodes them as AAC, in sync: holes are filled with silence, overlaps cut."""

    def __init__(self, output: OutputContainer, source: AudioStream) -> None:
        self._source = source
        self._graph: av.filter.Graph | None = None
        self.rate = source.rate if source.rate in AAC_RATES else 48_000
        self._layout = AAC_LAYOUTS.get(source.layout.nb_channels, "stereo")
        self.out = output.add_stream("aac", rate=self.rate, layout=self._layout)
        self.out.bit_rate = AAC_BITS_PER_CHANNEL * self.out.codec_context.layout.nb_channels

    def packets(self, packet: Packet | None) -> Iterator[Packet]:
        """What is finished after one more source packet; None for the last of all."""
        try:
            decoded = self._source.decode(packet)
        except av.FFmpegError:
            decoded = []  # a damaged packet is a hole, which the filter fills
        for frame in decoded:
            self._graph = self._graph or self._resampling(frame)
            self._graph.push(frame)
        if self._graph is None:
            return
        if packet is None:
            self._graph.push(None)
        while True:
            try:
                yield from self.out.encode(cast(AudioFrame, self._graph.pull()))
            except (av.BlockingIOError, av.EOFError):
                break
        if packet is None:
            yield from self.out.encode(None)

    def _resampling(self, frame: AudioFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format,
                layout=frame.layout,
                time_base=time_base_of(self._source),
            ),
            graph.add("aresample", f"{self.rate}:async=1"),
            graph.add("aformat", f"sample_fmts=fltp:channel_layouts={self._layout}"),
            graph.add("abuffersink"),
        ).configure()
        return graph
