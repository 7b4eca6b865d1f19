"""What becomes of the tracks beside the picture, known before any work is done: each is copied packet for packet where
the new file can hold it, else encoded to AAC (sound), or left out for a reason.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from data.video.container import open_local, packets_of
from data.video.timeline import Timeline

# What players take in each kind of file; FFmpeg would write more. None: whatever the muxer takes.
COPIED: dict[str, tuple[str, ...] | None] = {
    "mp4": ("aac", "mp3", "mp2", "ac3", "eac3", "dca", "opus", "flac", "alac", "mov_text"),
    "mov": ("aac", "mp3", "mp2", "ac3", "eac3", "alac", "mov_text", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
    "matroska": None,
}
AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
AAC_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_MPEG, _MPEG_RATES = ("mp1", "mp2", "mp3"), (44_100, 48_000, 32_000)
_TRIED_PACKETS = 4
# Containers that describe a track once and for all.
_FIXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")


@dataclass(frozen=True)
class Tracks:
    """What becomes of the tracks beside the picture of the file at `path` in a file of the kind `muxer`.

    copied: indices of streams. encoded: indices of streams with their rate and layout as AAC. notes: lines for the
    user on all that is not copied. timeline: of the container. chapters: as PyAV gives them.
    """

    path: Path
    muxer: str
    timeline: Timeline
    copied: frozenset[int]
    encoded: dict[int, tuple[int, str]]
    notes: tuple[str, ...]
    chapters: tuple[Any, ...]


@dataclass
class _Seen:
    """What arrives in a track. kinds: (samples a second, channels) of its decoded sound. hidden: parts between heard
    ones are hidden by an edit list. declared: the container says the rate before any is decoded."""

    packets: int = 0
    first: list[Packet] = field(default_factory=list)
    kinds: list[tuple[int, int]] = field(default_factory=list)
    pending: bool = False
    hidden: bool = False
    declared: bool = True
    headers: set[tuple[int, ...]] = field(default_factory=set)


def plan_tracks(path: Path, muxer: str) -> Tracks:
    """Reads the tracks through once. Raises MissingInputError, NotAVideoError."""
    timeline = Timeline(path)
    with open_local(path) as container:
        streams = [stream for stream in container.streams if stream.type in ("audio", "subtitle")]
        seen = _look_through(container, streams, timeline)
        copied, encoded, notes = [], {}, []
        for stream in streams:
            reason, kind = _reason(stream, seen[stream.index], muxer)
            if kind is not None:
                encoded[stream.index] = kind
                reason += f": encoded to AAC at {kind[0]} Hz, {kind[1]}"
            elif reason:
                reason += ": left out"
            else:
                copied.append(stream.index)
            if reason:
                notes.append(f"{path.name}: {_name(stream)} {reason}")
        others = _others(container)
        if others:
            notes.append(f"{path.name}: left out: {', '.join(others)}")
        chapters = tuple(container.chapters())
    return Tracks(path, muxer, timeline, frozenset(copied), encoded, tuple(notes), chapters)


def _name(stream: Stream) -> str:
    tags = stream.metadata
    if "timecode" in tags or "filename" in tags:
        name = f"time code {tags['timecode']}" if "timecode" in tags else tags["filename"]
    else:
        name = stream.codec_context.name if stream.codec_context else getattr(stream, "name", None) or "unknown"
    return f"{stream.type} track {stream.index} ({name})"


def _others(container: InputContainer) -> list[str]:
    """The streams that are neither the picture that is translated, nor sound or subtitles, nor chapters' titles."""
    pictures = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    known = {pictures[0].index} if pictures else set()
    if container.chapters():
        known |= {stream.index for stream in container.streams.data if getattr(stream, "name", None) == "bin_data"}
    return [
        f"cover picture {stream.index}" if stream.type == "video" and stream not in pictures else _name(stream)
        for stream in container.streams
        if stream.type not in ("audio", "subtitle") and stream.index not in known
    ]


def _look_through(container: InputContainer, streams: list[Stream], timeline: Timeline) -> dict[int, _Seen]:
    seen = {stream.index: _Seen(declared=bool(getattr(stream, "rate", 1))) for stream in streams}
    fixed = container.format.name in _FIXED
    packets = timeline.straightened(packets_of(container, streams))
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            break  # what follows cannot be read; the copy ends here as well
        if packet is None:
            break
        one = seen[packet.stream.index]
        if packet.size:
            one.packets += 1
            if len(one.first) < _TRIED_PACKETS:
                one.first.append(packet)
            one.hidden |= one.pending and not packet.is_discard
            one.pending = packet.is_discard and one.packets > 1 and (one.pending or one.packets > _TRIED_PACKETS)
        if isinstance(packet.stream, AudioStream) and not (fixed and one.kinds and not _new_header(one, packet)):
            _note_kind(one, packet)
    return seen


def _new_header(one: _Seen, packet: Packet) -> bool:
    """Whether a packet of a codec that describes itself, packet by packet, says what none before it said: containers
    that describe a track once carry such a change all the same, as a broadcast that was copied into Matroska has it.
    """
    assert isinstance(packet.stream, AudioStream)
    context = packet.stream.codec_context
    head, name = bytes(packet)[:7] if packet.size else b"", "" if context is None else context.codec.canonical_name
    if len(head) < 7:
        return False
    header: tuple[int, ...]
    if name in _MPEG and head[0] == 0xFF:
        header = head[1] & 0x18, head[2] & 0x0C, int(head[3] >> 6 == 3)  # version, rate, whether one channel
    elif name in ("ac3", "eac3") and head[:2] == b"\x0b\x77":  # rate, channels
        header = (head[4] >> 6, head[6] >> 5) if head[5] >> 3 <= 10 else (head[4] >> 6, head[4] >> 1 & 7, 0)
    else:
        return False
    new = header not in one.headers
    one.headers.add(header)
    return new


def decode_sound(stream: AudioStream, packet: Packet | None) -> list[AudioFrame]:
    """What a packet holds, or, for None, what the decoder still does; nothing of a damaged packet.

    Where MPEG sound changes its rate, FFmpeg gives the first piece under the rate of before: its header knows better.
    """
    try:
        frames = stream.decode(packet)
    except av.FFmpegError:
        return []
    head = b"" if packet is None or stream.codec_context.codec.canonical_name not in _MPEG else bytes(packet)[:3]
    if len(frames) == 1 and len(head) == 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[2] & 12 != 12:
        halves = {3: 0, 2: 1, 0: 2}.get(head[1] >> 3 & 3, 0)
        frames[0].sample_rate = _MPEG_RATES[head[2] >> 2 & 3] >> halves
    return frames


def _note_kind(one: _Seen, packet: Packet) -> None:
    """Decodes a packet of sound, or what its decoder still holds, for what it is."""
    assert isinstance(packet.stream, AudioStream)
    if packet.stream.codec_context is None:
        return
    for frame in decode_sound(packet.stream, packet if packet.size else None):
        kind = (frame.sample_rate, frame.layout.nb_channels)
        if kind not in one.kinds:
            one.kinds.append(kind)


def _reason(stream: Stream, one: _Seen, muxer: str) -> tuple[str, tuple[int, str] | None]:
    """(why the track is not copied, empty where it is; rate and layout where it is encoded instead)."""
    if not one.packets:
        return "is declared, and nothing arrives in it", None
    if not isinstance(stream, AudioStream):
        return ("" if _fits(stream, one, muxer) else f"does not fit into {muxer}"), None
    if len(one.kinds) > 1:
        reason = "changes midway (" + ", ".join(f"{rate} Hz {count} ch" for rate, count in one.kinds) + ")"
    elif one.hidden:
        reason = "has parts between others that an edit list hides"
    elif not one.declared:
        reason = "does not say its rate"
    elif _fits(stream, one, muxer):
        return "", None
    else:
        reason = f"does not fit into {muxer}"
    if not one.kinds:
        return f"{reason} and cannot be decoded here", None
    rate, channels = max(rate for rate, _ in one.kinds), max(count for _, count in one.kinds)
    return reason, (rate if rate in AAC_RATES else AAC_RATES[0], AAC_LAYOUTS.get(channels, "stereo"))


def _fits(stream: Stream, one: _Seen, muxer: str) -> bool:
    """Whether the new file can hold the track as it is: tried with its first packets, in memory."""
    allowed = COPIED[muxer]
    if allowed is not None:
        context = stream.codec_context
        if context is None or context.codec.canonical_name not in allowed:
            return False
    try:
        with av.open(io.BytesIO(), "w", format=muxer) as output:
            out = output.add_stream_from_template(stream, opaque=True)
            for number, packet in enumerate(one.first):
                trial = av.Packet(bytes(packet))
                trial.pts = trial.dts = number * (packet.duration or 1)
                trial.duration, trial.time_base, trial.stream = packet.duration, packet.time_base, out
                output.mux(trial)
    except (ValueError, av.FFmpegError):
        return False
    return True
