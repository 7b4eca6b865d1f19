"""What goes in and what comes out, for every file of some folders: a table in Markdown.

    python -m benchmarks.formats CLIPS/reported CLIPS/awkward CLIPS/scenes CLIPS/faces > docs/formats.md

Each file is read and written to MP4 as `retarget render` does where nothing is translated. Reference: what FFmpeg's own
decoder presents, frame after frame, with the jumps of the container's clock as its command line mends them.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import av
import numpy as np

from data.errors import RetargetError
from data.video.clocks import SampleClock
from data.video.reader import probe, read_frames
from data.video.timeline import Timeline
from data.writing.encode import VideoWriter

RATE = 48_000
MOST_OFFSET = RATE // 10
PIECE = RATE // 2
HEAD = """# Formats

Every file of the folders of test clips, read and written to MP4 as `retarget render` does where nothing is translated.
Frames in: what FFmpeg's own decoder presents. Time error: of the worst frame, against the time that the decoder gives,
after the first frame's. Sound: the worst shift of half a second of the first track against the picture, by correlation;
"-" where there is none or it is too quiet or too steady to tell. Folders of pictures have no times and are not listed.
Jumps of a container's clock are mended, and pieces of sound placed, by `data/video/timeline.py` on both sides: for
broadcast streams (.ts) and for TrueHD the reference is therefore not independent of the program.

Colours that a file does not tag are taken for BT.709 where it is 1280 pixels or more wide or has more than 576
lines, and for BT.601 else, limited range. No standard says so: it is the rule of libplacebo, its function
`pl_color_system_guess_ycbcr`, by which mpv and VLC show such files; here the longer side counts as the width, so that
turning a picture changes nothing. It matters for wide and low video, 1280 x 534 for one, which FFmpeg's tools show by
BT.601: `extract` and `render` say a line there. What is transparent in a video lies on white, or on what `--background`
of `extract` says.

Damaged files are tried by the thousand: `python -m benchmarks.mutations CLIPS/reported CLIPS/awkward CLIPS/scenes
CLIPS/faces` has ten thousand, of which the first 5,495 have been run, through `extract` and `render`, nothing
translated. One that holds some frames and takes more than a minute counts as a hang. The last 3,243 of them had one:
sound of a broadcast stream whose times jumped ahead by days, filled with silence. It is mended.

Made by `python -m benchmarks.formats CLIPS/reported CLIPS/awkward CLIPS/scenes CLIPS/faces`.

| file | frames in | out | time error, ms | sound, ms | shape | exit code | line |
|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    print(HEAD, end="")
    for folder in parser.parse_args().folders:
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            print(row(path), flush=True)
            print(path, file=sys.stderr)


def row(path: Path) -> str:
    """The file's line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "new.mp4"
        try:
            info = probe(path)
            with VideoWriter(new, source=info, audio_from=path) as writer:
                for frame in read_frames(path):
                    writer.write(frame)
        except RetargetError as error:
            line = str(error).replace(str(path), path.name)
            return f"| {path.parent.name}/{path.name} | - | - | - | - | - | {error.exit_code} | {line} |"
        before, after = presented(path), presented(new)
        count = min(len(before), len(after))
        error = np.abs((before[:count] - before[0]) - (after[:count] - after[0])).max() * 1000
        shift = sound_shift(path, new, float(before[0]), float(after[0]))
        notes = "; ".join(writer.notes).replace("new.mp4: ", "")
        shown = "-" if shift is None else f"{shift:.1f}"
        size = f"{info.width}x{info.height}"
        name = f"{path.parent.name}/{path.name}"
        return f"| {name} | {len(before)} | {len(after)} | {error:.2f} | {shown} | {size} | 0 | {notes} |"


def presented(path: Path) -> np.ndarray:
    """(frames,) seconds at which the decoder presents them."""
    times: list[float] = []
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        packets = Timeline(path).straightened(container.demux(stream))
        step = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                packet = None
            try:
                frames = stream.decode(packet) if packet is not None and packet.size else stream.decode(None)
            except av.FFmpegError:
                frames = []
            for frame in frames:
                given = frame.dts if frame.pts is None else frame.pts
                times.append(float(given * stream.time_base) if given is not None else (times or [-step])[-1] + step)
            if packet is None or not packet.size:
                return np.array(times)


def heard(path: Path, since: float) -> np.ndarray:
    """(samples,) the first sound track at RATE from `since` seconds on, as decoded, by its own times."""
    track = np.zeros(0)
    with av.open(str(path), metadata_errors="replace") as container:
        if not container.streams.audio or container.streams.audio[0].codec_context is None:
            return track
        stream = container.streams.audio[0]
        timeline = Timeline(path)
        clock = SampleClock(max(stream.time_base or 0, 0.0015))
        for packet in timeline.straightened(container.demux(stream)):
            if timeline.broadcast and packet.pos is None:
                packet.pts = packet.dts = None
            try:
                frames = stream.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                given = None if frame.pts is None else frame.pts * frame.time_base
                begin = clock.stamp(given, frame.samples / frame.sample_rate)
                samples = _mono(frame)
                count = round(len(samples) * RATE / frame.sample_rate)
                samples = np.interp(np.arange(count) * frame.sample_rate / RATE, np.arange(len(samples)), samples)
                at = round((float(begin) - since) * RATE)
                track = np.concatenate([track, np.zeros(max(0, at + count - len(track)))])
                if at + count > 0:
                    track[max(at, 0) : at + count] = samples[max(0, -at) :]
    return track


def _mono(frame: av.AudioFrame) -> np.ndarray:
    samples = frame.to_ndarray().astype(np.float64)
    samples = samples.reshape(-1, frame.layout.nb_channels).T if frame.format.is_packed else samples
    return samples.mean(axis=0)


def sound_shift(path: Path, new: Path, start: float, new_start: float) -> float | None:
    """Milliseconds, the worst over half seconds of sound; None where nothing tells."""
    before, after = heard(path, start), heard(new, new_start)
    worst = None
    for first in range(MOST_OFFSET, min(len(before), len(after)) - PIECE - MOST_OFFSET, PIECE):
        piece = before[first : first + PIECE]
        around = after[first - MOST_OFFSET : first + PIECE + MOST_OFFSET]
        if piece.reshape(10, -1).std(axis=1).min() <= 1e-3 * np.abs(before).max():
            continue
        size = 2 ** int(np.ceil(np.log2(len(around) + len(piece))))
        likeness = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)
        power = np.concatenate([[0], np.cumsum(around**2)])
        norms = np.sqrt(np.maximum(power[PIECE:] - power[:-PIECE], 0))
        likeness = likeness[: 2 * MOST_OFFSET + 1] / np.maximum(norms, 1e-9)
        if likeness.max() < 0.5 * np.linalg.norm(piece):
            return MOST_OFFSET / RATE * 1000
        near = np.flatnonzero(likeness > 0.98 * likeness.max()) - MOST_OFFSET
        shift = float(np.abs(near).min()) / RATE * 1000  # of the places of a steady tone, the nearest
        worst = shift if worst is None else max(worst, shift)
    return worst


if __name__ == "__main__":
    main()
