"""Memory and bar while a clip of twenty minutes in 1080p is extracted and rendered: one flat, the other right.

    python -m benchmarks.long_clip CLIP --minutes 20

The beginning of CLIP, made 1920 x 1080, is repeated without encoding it again. Each command runs in a process of its
own until it ends or `--seconds` are over; translating is leaving everything as it is. With `--part`, so many minutes of
the clip's middle are rendered. Prints the memory held, in MiB, and how far the bar says it is; at the end the memory of
each quarter of the time, and the share of the processor time that was over, against what the bar said then.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import psutil

from pipelines.progress import PROGRESS_FILE

SIZE, PIECE_FRAMES = (1920, 1080), 100
EVERY_SECONDS = 10


def make(source: Path, path: Path, minutes: float, rate: int) -> int:
    """Writes the long clip, of `rate` frames a second. Gives its frames."""
    piece = path.with_name("piece.mp4")
    with av.open(str(source)) as taken, av.open(str(piece), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "26", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number, frame in zip(range(PIECE_FRAMES), taken.decode(video=0), strict=False):
            large = frame.reformat(*SIZE, "yuv420p")
            large.pts, large.time_base = number, Fraction(1, rate)
            output.mux(stream.encode(large))
        output.mux(stream.encode(None))
    repeats = round(minutes * 60 * rate / PIECE_FRAMES)
    with av.open(str(piece)) as taken, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(taken.streams.video[0])
        packets = [packet for packet in taken.demux(video=0) if packet.size]
        step = round(1 / (rate * packets[0].time_base))
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


@dataclass
class Moment:
    """seconds: of the processor, for others may have the machine. share: of the work, as the bar shows it."""

    seconds: float
    mebibytes: float
    share: float


def watched(words: list[str], limit: float, folder: Path) -> None:
    """Runs a command and prints its memory and its bar. folder: for the file that says how far it is."""
    bar = folder / "bar.json"
    bar.unlink(missing_ok=True)
    os.environ[PROGRESS_FILE] = str(bar)
    process = multiprocessing.get_context("spawn").Process(target=_command, args=(words,))
    process.start()
    seen, told, begin = list[Moment](), "", time.monotonic()
    while process.is_alive() and time.monotonic() - begin < limit:
        process.join(EVERY_SECONDS)
        now = _moment(process.pid, bar)
        if process.is_alive() and now is not None:
            told = json.loads(bar.read_text())["told"]
            seen.append(now)
            print(f"{words[0]} {now.seconds:5.0f} s: {now.mebibytes:6.0f} MiB; {now.share:4.0%}, {told}", flush=True)
    ended = not process.is_alive()
    process.terminate()
    process.join()
    last = json.loads(bar.read_text()) if bar.exists() else {"share": 0.0, "told": "no bar"}
    how = f"ended with {process.exitcode}" if ended else "stopped"
    print(f"{words[0]}: {how} after {time.monotonic() - begin:.0f} s")
    print(f"the bar's last word: {last['share']:.0%}, {last['told']}")
    if ended and len(seen) >= 4:
        _summed(seen)


def _moment(pid: int | None, bar: Path) -> Moment | None:
    """None where the process is over or has no bar yet."""
    try:
        process = psutil.Process(pid)
        spent = process.cpu_times()
        share = json.loads(bar.read_text())["share"]
        return Moment(spent.user + spent.system, process.memory_info().rss / 2**20, share)
    except (psutil.Error, OSError):
        return None


def _summed(seen: list[Moment]) -> None:
    """Prints the most memory of each quarter, and how far off the bar was."""
    quarters = [seen[len(seen) * part // 4 : len(seen) * (part + 1) // 4] for part in range(4)]
    print("MiB at most, by quarters:", ", ".join(f"{max(m.mebibytes for m in part):.0f}" for part in quarters))
    errors = [abs(moment.share - moment.seconds / seen[-1].seconds) for moment in seen]
    later = errors[len(errors) // 20 :]
    print(f"the bar was off by at most {max(errors):.1%} of the whole, {max(later):.1%} after the first twentieth")
    back = max((one.share - other.share for one, other in itertools.pairwise(seen)), default=0.0)
    print(f"it went back by at most {max(back, 0):.1%}")


def main() -> None:
    """Makes the clip, extracts it and renders it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=int, default=25, help="frames a second")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of each command")
    parser.add_argument("--part", type=float, help="minutes that are rendered; else all")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = folder / "long.mp4"
        print(
            f"{make(asked.clip, path, asked.minutes, asked.rate)} frames, {path.stat().st_size / 2**20:.0f} MiB",
            flush=True,
        )
        domains, middle = ["--domains", str(folder / "domains")], asked.minutes * 30
        watched(["extract", str(path), "--align", "none", "--size", "64", *domains], asked.seconds, folder)
        render = ["render", "--run", place, "--input", str(path), "--output", str(folder / "new.mp4"), *domains]
        part = [] if asked.part is None else ["--from", str(middle), "--to", str(middle + 60 * asked.part)]
        watched([*render, *part], asked.seconds, folder)


if __name__ == "__main__":
    main()
