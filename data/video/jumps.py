"""Where the clock of a container jumps, found in the packets of all its tracks.

A broadcast or a joined recording may stop its clock and start it anew. Its tracks stop at different moments, so that
mending each for itself would pull them apart: a jump is found in all of them and mended by one offset.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from data.video.container import packets_of

# FFmpeg's own limits (dts_delta_threshold and ts_discontinuity_process): less is a hole, or a repair within the track.
LEAST_FORWARD_SECONDS = 10
LEAST_BACKWARD_SECONDS = Fraction(1, 10)
LONGEST_HOLE_SECONDS = 6 * 3600
"""A longer one is a mistake, and MP4 cannot hold one of half a day."""
LEAST_JOINED_SECONDS = 1
"""In kinds of container whose clock never jumps unless files were joined, by so much it goes back there at least."""


@dataclass
class _Pace:
    """How a track goes on of which several packets share a timed piece of the stream (PES): only the first of a piece
    has a time of its own. FFmpeg guesses the others' by the track's first description, which may not hold any more.

    begin: seconds of the piece. packets: in it so far. step: seconds a packet, in the piece before under the same
    clock; None: not known.
    """

    begin: Fraction
    packets: int = 1
    step: Fraction | None = None

    def end(self, length: Fraction) -> Fraction:
        """Where the track has come to. length: of a packet, by the description."""
        return self.begin + self.packets * (length if self.packets == 1 or self.step is None else self.step)

    def surely(self, length: Fraction) -> Fraction:
        """Where the track has come to at least."""
        return self.begin + (length if self.packets == 1 else 0)

    def next(self, begin: Fraction) -> "_Pace":
        """The piece that follows under the same clock."""
        return _Pace(begin, step=(begin - self.begin) / self.packets)


@dataclass
class _Part:
    """A stretch of the container under one clock.

    start, end, surely: seconds of each stream by that clock; where it ends at least.
    """

    start: dict[int, Fraction] = field(default_factory=dict)
    end: dict[int, Fraction] = field(default_factory=dict)
    surely: dict[int, Fraction] = field(default_factory=dict)
    paces: dict[int, _Pace] = field(default_factory=dict)

    def holds(self, seconds: Fraction) -> bool:
        """Whether a packet of that time may well belong here."""
        if not self.start:
            return True
        least, most = min(self.start.values()), max(self.end.values())
        return least - LEAST_FORWARD_SECONDS <= seconds <= most + LEAST_FORWARD_SECONDS

    def note(self, packet: Packet, seconds: Fraction | None) -> None:
        """Adds a packet. seconds: its time; None where it has none of its own."""
        stream = packet.stream
        pace, length = self.paces.get(stream.index), _length(packet, stream)
        if seconds is None:
            assert pace is not None
            pace.packets += 1
        else:
            self.start.setdefault(stream.index, seconds)
            pace = _Pace(seconds) if pace is None else pace.next(seconds)
            self.paces[stream.index] = pace
        self.end[stream.index], self.surely[stream.index] = pace.end(length), pace.surely(length)


def find_jumps(container: InputContainer, *, broadcast: bool) -> dict[int, list[tuple[int, Fraction]]]:
    """Of each stream: (number of a packet, seconds to add to its time and those behind it). Empty: nothing jumps.

    broadcast: the kind of container may stop its clock at any time, and times only the first packet of a piece; else
    its clock goes back only where files were joined. Reads all packets, undecoded. Parts follow each other so closely
    that no track overlaps itself; a jump forward that no track fills is closed.
    """
    parts: list[_Part] = [_Part()]
    here: dict[int, int] = {}
    entered: dict[int, list[tuple[int, int]]] = {}
    counts: dict[int, int] = {}
    for packet in _readable(container):
        stream, count = packet.stream, counts.get(packet.stream_index, 0)
        counts[stream.index] = count + 1
        given = packet.dts if packet.dts is not None or not broadcast else packet.pts
        if broadcast and packet.pos is None and stream.index in here and stream.type != "subtitle":
            parts[here[stream.index]].note(packet, None)
            continue
        if given is None:
            continue
        seconds = given * packet.time_base
        if stream.type == "subtitle":  # too sparse to tell a jump; where it belongs is all that is asked
            place = next((n for n in reversed(range(len(parts))) if parts[n].holds(seconds)), len(parts) - 1)
        else:
            place = _place(parts, here, stream.index, seconds, broadcast)
        if here.get(stream.index) != place:
            here[stream.index] = place
            entered.setdefault(stream.index, []).append((count, place))
        if stream.type != "subtitle":
            parts[place].note(packet, seconds)
    if len(parts) == 1:
        return {}
    shifts = _shifts(parts)
    return {index: [(n, shifts[place]) for n, place in ways] for index, ways in entered.items()}


def _readable(container: InputContainer) -> Iterator[Packet]:
    """Packets of pictures, sound and subtitles, as far as the file can be read."""
    streams = [stream for stream in container.streams if stream.type in ("video", "audio", "subtitle")]
    packets = packets_of(container, streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def _length(packet: Packet, stream: Stream) -> Fraction:
    if packet.duration:
        return packet.duration * packet.time_base
    rate = getattr(stream, "average_rate", None)
    return 1 / rate if rate else Fraction(0)


def _place(parts: list[_Part], here: dict[int, int], index: int, seconds: Fraction, broadcast: bool) -> int:
    """Which part a packet belongs to; a new one is added where its time fits none."""
    if index not in here:
        fitting = [place for place, part in enumerate(parts) if part.holds(seconds)]
        return fitting[-1] if fitting else len(parts) - 1
    place = here[index]
    if not _jumps(parts[place], here, index, seconds, broadcast):
        return place
    later = [later for later in range(place + 1, len(parts)) if parts[later].holds(seconds)]
    if later:
        return later[0]
    parts.append(_Part())
    return len(parts) - 1


def _jumps(part: _Part, here: dict[int, int], index: int, seconds: Fraction, broadcast: bool) -> bool:
    """Whether the clock of a track has jumped before a packet of that time."""
    end = part.end[index]
    if not broadcast:
        return seconds < part.surely[index] - LEAST_JOINED_SECONDS or seconds > end + LONGEST_HOLE_SECONDS
    if seconds < part.surely[index] - LEAST_BACKWARD_SECONDS:
        return True
    if seconds <= end + LEAST_FORWARD_SECONDS:
        return False
    # A track may well pause: its clock has jumped only if that of no other track has gone on.
    others = (part.end[other] for other in here if other != index and other in part.end)
    return not any(other > (end + seconds) / 2 for other in others)


def _shifts(parts: list[_Part]) -> list[Fraction]:
    """Seconds to add to the times of each part: the least with which no track overlaps its own part before."""
    shifts, ends = [Fraction(0)], dict(parts[0].end)
    for part in parts[1:]:
        known = [ends[index] - start for index, start in part.start.items() if index in ends]
        shifts.append(max(known) if known else max(ends.values()) - min(part.start.values()))
        ends |= {index: end + shifts[-1] for index, end in part.end.items()}
    return shifts
