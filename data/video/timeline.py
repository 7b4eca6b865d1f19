"""One clock for all tracks of a container."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from av.container import InputContainer
from av.packet import Packet

from data.video.container import open_local
from data.video.jumps import LEAST_FORWARD_SECONDS, find_jumps

_MAY_JUMP = 0x200  # AVFMT_TS_DISCONT
_SEGMENT_ID, _EBML_ID = b"\x18\x53\x80\x67", b"\x1a\x45\xdf\xa3"
_MOST_BOXES = 64


class Timeline:
    """Where the clock of the file at `path` jumps, and what is added to the times behind each jump.

    The packets of all tracks are read through once, undecoded, where the clock may jump at all: in broadcast streams,
    and where files were joined byte to byte.
    broadcast: the kind of container may stop its clock, and only the first of the packets of one piece of the stream
    has a time of its own (`packet.pos` is None of the others).
    jumps: whether times were mended, so that the file's own cannot be sought.
    Raises MissingInputError, NotAVideoError.
    """

    def __init__(self, path: str | Path) -> None:
        self._jumps: dict[int, list[tuple[int, Fraction]]] = {}
        with open_local(path) as container:
            self.broadcast = bool(int(container.format.flags) & _MAY_JUMP)
            if self.broadcast or _may_be_joined(container, Path(path)):
                self._jumps = find_jumps(container, broadcast=self.broadcast)
        self.jumps = bool(self._jumps)

    def straightened(self, packets: Iterator[Packet]) -> Iterator[Packet]:
        """The packets of some or all tracks, read from the file's beginning, by one clock that never jumps."""
        counts: dict[int, int] = {}
        for packet in packets:
            index = packet.stream_index
            count = counts.get(index, 0)
            shift = next((shift for first, shift in reversed(self._jumps.get(index, [])) if count >= first), None)
            if packet.size:
                counts[index] = count + 1
                if self.broadcast and _mistaken(packet):
                    packet.pts = None
                if shift:
                    offset = round(shift / packet.time_base)
                    packet.pts = None if packet.pts is None else packet.pts + offset
                    packet.dts = None if packet.dts is None else packet.dts + offset
            yield packet


def _mistaken(packet: Packet) -> bool:
    """Whether a packet says that it is shown long before or after it is decoded: one of a stream never is."""
    if packet.pts is None or packet.dts is None:
        return False
    return abs(packet.pts - packet.dts) * packet.time_base > LEAST_FORWARD_SECONDS


def _may_be_joined(container: InputContainer, path: Path) -> bool:
    """Whether the file may be several, one behind the other, of a kind that FFmpeg reads on beyond the first."""
    name = container.format.name
    if name in ("flv", "nut"):
        return True
    with path.open("rb") as file:
        if name == "matroska,webm":
            return _goes_on_behind(file, path.stat().st_size)
        return name.startswith("mov,") and _is_fragmented(file)


def _goes_on_behind(file: BinaryIO, size: int) -> bool:
    """Whether something follows a Matroska file's first segment, or that does not say where it ends."""
    place = 0
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(12)
        if len(head) < 12 or not head[4]:
            return False
        width = 9 - head[4].bit_length()
        length = int.from_bytes(head[4 : 4 + width], "big") & (1 << 7 * width) - 1
        unknown = length == (1 << 7 * width) - 1
        if head[:4] == _SEGMENT_ID:
            return unknown or place + 4 + width + length < size
        if head[:4] != _EBML_ID or unknown:
            return False
        place += 4 + width + length
    return False


def _is_fragmented(file: BinaryIO) -> bool:
    """Whether an MP4 file comes in fragments, each with a clock time of its own."""
    place = 0
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return False
        length, kind = struct.unpack(">I4s", head[:8])
        if kind == b"moof":
            return True
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:], "big")
        if length < 8:
            return False
        place += length
    return False
