"""Memory over time while a clip of twenty minutes in 1080p is extracted and rendered: it has to stay flat.

    python -m benchmarks.long_clip CLIP --minutes 20 --seconds 170 --part 2

The beginning of CLIP, made 1920 x 1080, is repeated without encoding it again. Each command runs in a process of its
own until it ends or `--seconds` are over; translating is leaving everything as it is. Of the clip's middle, `--part`
minutes are rendered. Prints the memory held, in MiB.
"""

import argparse
import multiprocessing
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import psutil

SIZE, PIECE_FRAMES, RATE = (1920, 1080), 100, 25
EVERY_SECONDS = 10


def make(source: Path, path: Path, minutes: float) -> int:
    """Writes the long clip. Gives its frames."""
    piece = path.with_name("piece.mp4")
    with av.open(str(source)) as taken, av.open(str(piece), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "26", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number, frame in zip(range(PIECE_FRAMES), taken.decode(video=0), strict=False):
            large = frame.reformat(*SIZE, "yuv420p")
            large.pts, large.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(large))
        output.mux(stream.encode(None))
    repeats = round(minutes * 60 * RATE / PIECE_FRAMES)
    with av.open(str(piece)) as taken, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(taken.streams.video[0])
        packets = [packet for packet in taken.demux(video=0) if packet.size]
        step = round(1 / (RATE * packets[0].time_base))
        for number in range(repeats):
            for place, packet in enumerate(packets):
                copy = av.Packet(bytes(packet))
                copy.pts = copy.dts = (number * PIECE_FRAMES + place) * step
                copy.duration, copy.time_base, copy.stream = step, packet.time_base, stream
                copy.is_keyframe = packet.is_keyframe
                output.mux(copy)
    return repeats * PIECE_FRAMES


def _command(words: list[str]) -> None:
    from benchmarks.mutations import identity_run
    from pipelines.cli import run

    identity_run()
    run(words)


def watched(words: list[str], seconds: float, done: Path) -> None:
    """Runs a command and prints its memory. done: the folder in which what is finished appears."""
    process = multiprocessing.get_context("spawn").Process(target=_command, args=(words,))
    process.start()
    begin = time.monotonic()
    while process.is_alive() and time.monotonic() - begin < seconds:
        process.join(EVERY_SECONDS)
        if not process.is_alive():
            break
        mebibytes = psutil.Process(process.pid).memory_info().rss / 2**20
        looks = sum(path.read_bytes().count(b"\n") for path in done.parent.rglob(".looks/*.jsonl"))
        files = sum(path.is_file() for path in done.rglob("*"))
        past = time.monotonic() - begin
        print(f"{words[0]} {past:5.0f} s: {mebibytes:6.0f} MiB; {looks} frames looked at, {files} files", flush=True)
    ended = not process.is_alive()
    process.terminate()
    process.join()
    print(f"{words[0]}: {'ended' if ended else 'stopped'} after {time.monotonic() - begin:.0f} s")


def main() -> None:
    """Makes the clip, extracts it and renders it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of each command")
    parser.add_argument("--part", type=float, default=2, help="minutes that are rendered")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = folder / "long.mp4"
        print(f"{make(asked.clip, path, asked.minutes)} frames, {path.stat().st_size / 2**20:.0f} MiB")
        domains, middle = ["--domains", str(folder / "domains")], asked.minutes * 30
        extract = ["extract", str(path), "--align", "none", "--size", "64", *domains]
        watched(extract, asked.seconds, folder / "domains")
        render = [
            "render",
            "--run",
            place,
            "--input",
            str(path),
            "--output",
            str(folder / "renders" / "new.mp4"),
            *domains,
        ]
        watched(
            [*render, "--from", str(middle), "--to", str(middle + 60 * asked.part)], asked.seconds, folder / "renders"
        )


if __name__ == "__main__":
    main()
