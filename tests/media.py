"""Clips that tests draw for themselves."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data


def portrait(seconds: float = 0.0, size: int = 256) -> np.ndarray:
    """A real face (the portrait that scikit-image carries) that sways and nods with time. (size, size, 3) uint8."""
    rgb = skimage.data.astronaut()[0:300, 90:390]
    scale = size / 300
    matrix = cv2.getRotationMatrix2D((150, 110), 4 * np.sin(3 * seconds), scale)
    matrix[:, 2] += [150 * (scale - 1) + 12 * scale * np.sin(2 * seconds), 110 * (scale - 1)]
    return cv2.warpAffine(rgb, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)


def write_frames(path: Path, frames: list[np.ndarray], rate: Fraction = Fraction(25), *, sound: bool = True) -> None:
    """An H.264 MP4 of the frames, with a tone as long as the picture."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        tone = output.add_stream("aac", rate=48000, layout="mono") if sound else None
        for rgb in frames:
            output.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        output.mux(video.encode())
        if tone is not None:
            samples = int(len(frames) / rate * 48000)
            wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(samples) / 48000).astype(np.float32)
            for start in range(0, samples, 1024):
                part = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
                part.sample_rate, part.pts, part.time_base = 48000, start, Fraction(1, 48000)
                output.mux(tone.encode(part))
            output.mux(tone.encode())


def write_portrait(path: Path, frames: int = 30, size: int = 256, without: range = range(0)) -> None:
    """A clip of the swaying face; frames in `without` show an empty wall."""
    wall = np.full((size, size, 3), 90, np.uint8)
    write_frames(path, [wall if n in without else portrait(n / 25, size) for n in range(frames)])


def frame_times(path: Path) -> list[Fraction]:
    """Presentation times in seconds, as PyAV reads them."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[list[tuple[Fraction, bytes]]]:
    """(time, bytes) of every packet of every sound track."""
    tracks = []
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
    for index in range(count):
        with av.open(str(path)) as container:
            packets = container.demux(container.streams.audio[index])
            tracks.append([(p.pts * p.time_base, bytes(p)) for p in packets if p.size])
    return tracks


def write_av(
    path: Path,
    *,
    video_seconds: float,
    sound_seconds: float,
    events: list[float],
    start: Fraction = Fraction(0),
    hole: tuple[float, float] | None = None,
    codec: str = "mp2",
    rate: int = 48000,
    delay_seconds: float = 0,
) -> None:
    """A clip with a white frame and a click at each of `events`, its clock at `start`; no frames inside `hole`.

    delay_seconds: of a transport stream; by so much sound is gathered into pieces with one time.
    """
    samples = np.zeros(round(sound_seconds * rate), np.float32)
    for event in events:
        samples[round(event * rate) :][:96] = 0.8
    with av.open(str(path), "w", options={"max_delay": str(round(1e6 * delay_seconds))}) as output:
        video = output.add_stream("libx264", rate=25, options={"bf": "0", "preset": "ultrafast"})
        video.width, video.height = 64, 48
        sound = output.add_stream(codec, rate=rate, layout="mono")
        sound.bit_rate = 128_000
        packets = []
        for number in range(round(video_seconds * 25)):
            if hole and hole[0] <= number / 25 < hole[1]:
                continue
            white = any(round(event * 25) == number for event in events)
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255 if white else 60, np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += video.encode(frame)
        packets += video.encode(None)
        for first in range(0, len(samples), 1152):
            part = av.AudioFrame.from_ndarray(samples[None, first : first + 1152], "fltp", "mono")
            part.sample_rate, part.pts, part.time_base = rate, first, Fraction(1, rate)
            packets += sound.encode(part)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            for name in ("pts", "dts"):
                setattr(packet, name, round((getattr(packet, name) * packet.time_base + start) * 90_000))
            packet.duration, packet.time_base = round(packet.duration * packet.time_base * 90_000), Fraction(1, 90_000)
            output.mux(packet)
