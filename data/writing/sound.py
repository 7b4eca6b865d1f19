"""The tracks beside the picture, on their way from one file to another, as `plan_tracks` has planned it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from data.video.clocks import Clock, SampleClock
from data.video.container import packets_of, time_base_of
from data.writing.tracks import Tracks
from data.writing.transcode import Transcoder

HEAD_PACKETS = 4096
"""How many packets are looked ahead to see when each track starts; sound packets are a few hundred bytes."""
PREROLL_SECONDS = Fraction(1, 2)
"""Of a track that is encoded anew: decoded before the part that is wanted."""


@dataclass
class _Track:
    """One source stream. `out` is its stream in the new file once attached; `transcoder` where it is not copied."""

    stream: Stream
    clock: Clock
    samples: SampleClock
    copied: bool
    out: Stream | None = None
    transcoder: Transcoder | None = None
    held: Packet | None = None
    started: bool = False


class Sound:
    """Sound and subtitle tracks of an open container.

    start, stop: seconds of the source; packets that end before `start` or begin at `stop` or later are left out. One
    packet of sound before `start`, or before what an edit list shows, is kept: the next one cannot be decoded cleanly
    without it, and as its time becomes negative no player shows it.
    first: when the earliest track starts, in seconds of the source; None without tracks. damaged: packets that the new
    file does not take.
    """

    def __init__(
        self, container: InputContainer, tracks: Tracks, start: Fraction | None, stop: Fraction | None
    ) -> None:
        self.damaged = 0
        self._notes: list[str] = []
        self._plan, self._start, self._stop = tracks, start, stop
        self._tracks: dict[int, _Track] = {}
        for stream in container.streams:
            if stream.index in tracks.copied or stream.index in tracks.encoded:
                time_base = time_base_of(stream)
                clock = Clock(1 / time_base / 50, 1 / time_base)
                self._tracks[stream.index] = _Track(stream, clock, SampleClock(), stream.index in tracks.copied)
            else:
                stream.discard = Discard.all
        self._packets = self._kept(container)
        self._head: list[tuple[Fraction, _Track, Packet]] = []
        waiting = set(self._tracks)
        while waiting and len(self._head) < HEAD_PACKETS and (item := next(self._packets, None)):
            self._head.append(item)
            waiting.discard(item[1].stream.index)
        self.first = min((time for time, track, _ in self._head if track.stream.type == "audio"), default=None)

    def all_notes(self) -> list[str]:
        """Lines for the user, beside those of `tracks`, once all is written."""
        lost = f"{self._plan.path.name}: {self.damaged} damaged pieces of its sound are left out"
        return self._notes + ([lost] if self.damaged else [])

    def starts(self) -> dict[int, tuple[Fraction, int]]:
        """Stream index to (seconds of its first packet, samples a second) of every sound track that was seen."""
        found: dict[int, tuple[Fraction, int]] = {}
        for time, track, _ in self._head:
            if isinstance(track.stream, AudioStream):
                found.setdefault(track.stream.index, (time, self._rate(track)))
        return found

    def attach(self, output: OutputContainer) -> None:
        """Adds a stream to `output` for every track."""
        for index, track in self._tracks.items():
            if track.copied:
                track.out = output.add_stream_from_template(track.stream, opaque=True)
            else:
                assert isinstance(track.stream, AudioStream)
                track.transcoder = Transcoder(output, track.stream, *self._plan.encoded[index], self._start)
                track.out = track.transcoder.out
            for key in ("language", "title", "handler_name"):
                if value := track.stream.metadata.get(key):
                    track.out.metadata[key] = value
            track.out.disposition = track.stream.disposition

    def packets(self, shift: Fraction, *, from_zero: bool) -> Iterator[tuple[Fraction, Packet]]:
        """(seconds in the new file, packet to mux) in the source's order, every time `shift` seconds earlier.

        from_zero: leave out what would be before 0, for files that cannot hold it.
        """
        for time, track, packet in self._in_order():
            if track.transcoder is not None:
                for encoded in track.transcoder.packets(packet):
                    yield time - shift, self._moved(encoded, track, shift)
            elif not from_zero or time >= shift:
                yield time - shift, self._moved(packet, track, shift)
        for track in self._tracks.values():
            if track.transcoder is not None:
                for encoded in track.transcoder.packets(None):
                    yield _seconds(encoded) - shift, self._moved(encoded, track, shift)

    def _in_order(self) -> Iterator[tuple[Fraction, _Track, Packet]]:
        yield from self._head
        self._head.clear()
        yield from self._packets

    def _rate(self, track: _Track) -> int:
        """Samples a second of a track in the new file; 0 where it is not sound."""
        if not track.copied:
            return self._plan.encoded[track.stream.index][0]
        return getattr(track.stream, "rate", 0) or 0

    def _moved(self, packet: Packet, track: _Track, shift: Fraction) -> Packet:
        """The packet `shift` seconds earlier, to the nearest sample of its track, bound for the new file."""
        rate = self._rate(track)
        unit = Fraction(1, rate) if rate else packet.time_base
        packet.duration = round((packet.duration or 0) * packet.time_base / unit)
        packet.pts = packet.dts = round((_seconds(packet) - shift) / unit)
        packet.time_base = unit
        packet.stream = track.out
        return packet

    def _kept(self, container: InputContainer) -> Iterator[tuple[Fraction, _Track, Packet]]:
        """(time, track, packet) with rising times for each track, without those outside start and stop."""
        for packet in self._demuxed(container):
            track = self._tracks[packet.stream.index]
            time, length = self._timed(packet, track)
            if self._stop is not None and time >= self._stop:
                continue
            if not track.copied:
                if self._start is None or time + length > self._start - PREROLL_SECONDS:
                    yield time, track, packet
                continue
            if packet.is_discard or (self._start is not None and time + length <= self._start):
                track.held = packet
                continue
            if track.held is not None and not track.started and track.stream.type == "audio":
                yield _seconds(track.held), track, track.held
            track.held, track.started = None, True
            yield time, track, packet

    def _timed(self, packet: Packet, track: _Track) -> tuple[Fraction, Fraction]:
        """(seconds at which a packet begins, how many it lasts). Those of sound count by samples from then on."""
        given, rate = (packet.dts if packet.pts is None else packet.pts), self._rate(track)
        length = (packet.duration or 0) * packet.time_base
        if not track.copied:  # its decoder tells more
            if self._plan.timeline.broadcast and packet.pos is None:
                # Not the first in its piece of the stream: the time is FFmpeg's guess by the first description.
                packet.pts = packet.dts = None
            return (Fraction(0) if given is None else given * packet.time_base), length
        if not rate:
            packet.pts = packet.dts = track.clock.stamp(given)
            return _seconds(packet), length
        length = _whole_frames(packet, track.stream, length, rate)
        time = track.samples.stamp(None if given is None else given * packet.time_base, length)
        packet.time_base = Fraction(1, rate)
        packet.pts = packet.dts = round(time * rate)
        packet.duration = round(length * rate)
        return time, length

    def _demuxed(self, container: InputContainer) -> Iterator[Packet]:
        if not self._tracks:
            return
        try:
            packets = packets_of(container, [track.stream for track in self._tracks.values()])
            for packet in self._plan.timeline.straightened(packets):
                if packet.size:
                    yield packet
        except av.FFmpegError as error:
            self._notes.append(f"{self._plan.path.name}: its sound breaks off early ({error.strerror})")


def _seconds(packet: Packet) -> Fraction:
    return Fraction(packet.pts or 0) * packet.time_base


def _whole_frames(packet: Packet, stream: Stream, length: Fraction, rate: int) -> Fraction:
    """Seconds of a packet: as its codec has it, where the container says so to its unit or does not say."""
    exact = Fraction(getattr(stream.codec_context, "frame_size", 0) or 0, rate)
    return exact if exact and (not length or abs(exact - length) <= packet.time_base) else length
