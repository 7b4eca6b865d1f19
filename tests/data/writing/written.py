"""Drawn frames and sound, written to a file, and what is read back from it."""

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from data.video.frame import Frame, VideoInfo
from data.video.reader import read_frames
from data.writing.encode import VideoWriter

SHARED = Path(__file__).parents[4] / "shared" / "clips"
needs_clips = pytest.mark.skipif(not SHARED.exists(), reason="the shared clips are not beside this checkout")
needs_ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not on PATH")
RATE = 44100


def info_of(time_base=Fraction(1, 12800), size=(32, 16), rate=Fraction(25), **changed) -> VideoInfo:
    fields = {
        "path": "drawn", "width": size[0], "height": size[1], "sample_aspect": Fraction(1), "rotation": 0,
        "rate": rate, "time_base": time_base, "frames": None, "codec": "drawn", "pixel_format": "yuv420p",
        "colour": {}, "interlaced": False, "audio_tracks": 0,
    }  # fmt: skip
    return VideoInfo(**fields | changed)


def drawn(times: list[int], info: VideoInfo, duration: int = 0) -> list[Frame]:
    """Grey frames of rising brightness at the given timestamps."""
    shape = (info.height, info.width, 3)
    return [
        Frame(np.full(shape, 40 + 10 * (number % 20), np.uint8), number, pts, info.time_base, duration)
        for number, pts in enumerate(times)
    ]


def write(path: Path, frames, info: VideoInfo, **options) -> list[str]:
    with VideoWriter(path, source=info, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.notes


def times_in(path: Path) -> list[Fraction]:
    return [frame.seconds for frame in read_frames(path)]


def sound_in(path: Path, track: int = 0) -> list[tuple[Fraction, bytes]]:
    """(seconds, bytes) of every packet of a sound track."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.audio[track]) if packet.size]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in packets]


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def clicks(path: Path, codec: str, seconds: float = 3, start: Fraction = Fraction(0), rate: int = RATE) -> Path:
    """Sound with a click at every half second, and a grey picture of 25 frames a second, from `start` seconds on."""
    samples = np.zeros(int(rate * seconds), np.float32)
    for click in np.arange(0.5, seconds, 0.5):
        samples[int(click * rate) :][:64] = 0.8
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4" if path.suffix == ".avi" else "libx264", rate=25)
        picture.width, picture.height = 32, 16
        sound = output.add_stream(codec, rate=rate, layout="mono")
        sound.metadata["language"] = "eng"
        sound.metadata["title"] = "clicks"
        for number in range(int(25 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 90, np.uint8), "rgb24")
            frame.pts, frame.time_base = number + round(25 * start), Fraction(1, 25)
            output.mux(picture.encode(frame))
            block = samples[number * rate // 25 : (number + 1) * rate // 25]
            chunk = av.AudioFrame.from_ndarray(block[None], "fltp", "mono")
            chunk.sample_rate, chunk.time_base = rate, Fraction(1, rate)
            chunk.pts = number * rate // 25 + round(rate * start)
            output.mux(sound.encode(chunk))
        output.mux(picture.encode(None))
        output.mux(sound.encode(None))
    return path


def heard_clicks(path: Path) -> list[float]:
    """Seconds at which clicks begin, by the times that the decoder gives."""
    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray().astype(np.float32)).reshape(-1)
            scale = 32768 if frame.format.name.startswith("s16") else 1
            for at in np.flatnonzero(loud > 0.3 * scale):
                second = float(frame.pts * frame.time_base) + at / frame.sample_rate
                if not found or second - found[-1] > 0.1:
                    found.append(second)
    return found
