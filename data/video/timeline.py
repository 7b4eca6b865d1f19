"""One clock for all tracks of a container, and rising times within a track.

A broadcast or a joined recording may stop its clock and start it anew. Its tracks stop at different moments, so that
mending each for itself would pull them apart: a jump is found in all of them and mended by one offset.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from data.video.container import open_local, packets_of

_MAY_JUMP = 0x200  # AVFMT_TS_DISCONT
# FFmpeg's own limits (dts_delta_threshold and ts_discontinuity_process): less is a hole, or a repair within the track.
LEAST_FORWARD_SECONDS = 10
LEAST_BACKWARD_SECONDS = Fraction(1, 10)
LONGEST_HOLE_SECONDS = 6 * 3600
"""A longer one is a mistake, and MP4 cannot hold one of half a day."""


@dataclass
class _Part:
    """A stretch of the container under one clock. start, end: seconds of each stream by that clock."""

    start: dict[int, Fraction] = field(default_factory=dict)
    end: dict[int, Fraction] = field(default_factory=dict)

    def holds(self, seconds: Fraction) -> bool:
        """Whether a packet of that time may well belong here."""
        if not self.start:
            return True
        least, most = min(self.start.values()), max(self.end.values())
        return least - LEAST_FORWARD_SECONDS <= seconds <= most + LEAST_FORWARD_SECONDS


class Timeline:
    """Where the clock of the file at `path` jumps, and what is added to the times behind each jump.

    The packets of all tracks are read through once, undecoded, where the kind of container may jump at all. Parts
    follow each other so closely that no track overlaps itself; a jump forward that no track fills is closed.
    may_jump: whether the kind of container may.
    Raises MissingInputError, NotAVideoError.
    """

    def __init__(self, path: str | Path) -> None:
        self._jumps: dict[int, list[tuple[int, Fraction]]] = {}
        with open_local(path) as container:
            self.may_jump = bool(int(container.format.flags) & _MAY_JUMP)
            if self.may_jump:
                self._find(container)

    def straightened(self, packets: Iterator[Packet]) -> Iterator[Packet]:
        """The packets of some or all tracks, read from the file's beginning, by one clock that never jumps."""
        counts: dict[int, int] = {}
        for packet in packets:
            index = packet.stream_index
            count = counts.get(index, 0)
            shift = next((shift for first, shift in reversed(self._jumps.get(index, [])) if count >= first), None)
            if packet.size:
                counts[index] = count + 1
                if self.may_jump and _mistaken(packet):
                    packet.pts = None
                if shift:
                    offset = round(shift / packet.time_base)
                    packet.pts = None if packet.pts is None else packet.pts + offset
                    packet.dts = None if packet.dts is None else packet.dts + offset
            yield packet

    def _find(self, container: InputContainer) -> None:
        parts: list[_Part] = [_Part()]
        here: dict[int, int] = {}
        entered: dict[int, list[tuple[int, int]]] = {}
        counts: dict[int, int] = {}
        for packet in _readable(container):
            stream, count = packet.stream, counts.get(packet.stream_index, 0)
            counts[stream.index] = count + 1
            given = packet.pts if packet.dts is None else packet.dts
            if given is None:
                continue
            seconds = given * packet.time_base
            if stream.type == "subtitle":  # too sparse to tell a jump; where it belongs is all that is asked
                place = next((n for n in reversed(range(len(parts))) if parts[n].holds(seconds)), len(parts) - 1)
            else:
                place = _place(parts, here, stream.index, seconds)
            if here.get(stream.index) != place:
                here[stream.index] = place
                entered.setdefault(stream.index, []).append((count, place))
            if stream.type == "subtitle":
                continue
            part = parts[place]
            part.start.setdefault(stream.index, seconds)
            part.end[stream.index] = seconds + _length(packet, stream)
        if len(parts) > 1:
            shifts = _shifts(parts)
            self._jumps = {index: [(n, shifts[place]) for n, place in ways] for index, ways in entered.items()}


def _mistaken(packet: Packet) -> bool:
    """Whether a packet says that it is shown long before or after it is decoded: one of a stream never is."""
    if packet.pts is None or packet.dts is None:
        return False
    return abs(packet.pts - packet.dts) * packet.time_base > LEAST_FORWARD_SECONDS


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


def _place(parts: list[_Part], here: dict[int, int], index: int, seconds: Fraction) -> int:
    """Which part a packet belongs to; a new one is added where its time fits none."""
    if index not in here:
        fitting = [place for place, part in enumerate(parts) if part.holds(seconds)]
        return fitting[-1] if fitting else len(parts) - 1
    place = here[index]
    if not _jumps(parts[place], here, index, seconds):
        return place
    later = [later for later in range(place + 1, len(parts)) if parts[later].holds(seconds)]
    if later:
        return later[0]
    parts.append(_Part())
    return len(parts) - 1


def _jumps(part: _Part, here: dict[int, int], index: int, seconds: Fraction) -> bool:
    """Whether the clock of a track has jumped before a packet of that time."""
    end = part.end[index]
    if seconds < end - LEAST_BACKWARD_SECONDS:
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


class Clock:
    """Keeps a track's timestamps rising: fills those that are missing, repairs those that stand still or jump back.

    step: usual distance of two, in units of the time base (a Fraction, so that filling does not drift).
    second: units of the time base in a second.
    """

    def __init__(self, step: Fraction, second: Fraction) -> None:
        self._step, self._second = step, second
        self._anchor, self._since, self._offset = 0, 0, 0
        self._last: int | None = None

    def stamp(self, given: int | None) -> int:
        """The timestamp to use for one that the container gave."""
        if given is None:
            self._since += 1 if self._last is not None else 0
            stamp = self._anchor + round(self._since * self._step)
        else:
            stamp = given + self._offset
            if self._last is not None and not -1 <= (stamp - self._last) / self._second <= LONGEST_HOLE_SECONDS:
                # Containers whose clock should never jump: go on where the times before ended.
                stamp = self._last + max(1, round(self._step))
                self._offset = stamp - given
            self._anchor, self._since = stamp, 0
        self._last = stamp if self._last is None else max(stamp, self._last + 1)
        return self._last


class SampleClock:
    """When each piece of a sound track begins, in exact seconds: as the container says, or counted in samples.

    tolerance: seconds up to which a container's time is taken for the count, rounded to a coarse unit. A time that does
    not come after the one before is a mistake, or the unit is longer than the piece: the count stands.
    """

    def __init__(self, tolerance: Fraction = Fraction(0)) -> None:
        self._tolerance = tolerance
        self._last: Fraction | None = None
        self._next = Fraction(0)

    def stamp(self, given: Fraction | None, length: Fraction) -> Fraction:
        """The time of a piece `length` seconds long, for which the container says `given`."""
        stamp = self._next
        if given is not None and (
            self._last is None or (given > self._last and abs(given - self._next) > self._tolerance)
        ):
            stamp = given
        self._last, self._next = stamp, stamp + length
        return stamp
