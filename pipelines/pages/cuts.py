"""Short cuts out of clips, all alike in size, rate, length and encoding, so that nothing but the pictures differs."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.domain.domain import Domain
from data.domain.pictures import read_picture, resize
from data.domain.record import Record, runs
from data.errors import MissingInputError
from data.faces.placing import square_pixels
from data.video.frame import Frame, VideoInfo
from data.video.reader import probe, read_frames
from data.writing.codecs import Encoding
from data.writing.encode import SegmentWriter
from data.writing.storing import SDR
from pipelines.pages.runfiles import frame_times

LONGEST_SECONDS = 1.5
SHORTEST_SECONDS = 0.5
STILL_SECONDS = 1.0
"""How long a still is shown where the material does not move: as in the study of Isola et al. 2017."""
LARGEST_PX = 320
QUALITY = 92
SMALLEST_BOX = 8
"""Bytes of an empty box in an MP4."""


@dataclass(frozen=True)
class Stretch:
    """Frames that follow each other. times: in seconds, rising. read: those at rising positions, (H, W, 3) uint8."""

    times: list[float]
    read: Callable[[list[int]], Iterator[np.ndarray]]

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0]


@dataclass(frozen=True)
class Form:
    """What every cut of a study has in common. seconds: 0 for stills. size: (width, height)."""

    seconds: float
    rate: Fraction
    size: tuple[int, int]

    @property
    def frames(self) -> int:
        return max(2, round((self.seconds or STILL_SECONDS) * self.rate))


def of_video(path: Path) -> Stretch:
    """A whole video. Raises MissingInputError, NotAVideoError."""

    def read(positions: list[int]) -> Iterator[np.ndarray]:
        return _wanted(((frame.number, frame.rgb) for frame in read_frames(path)), positions)

    return Stretch(frame_times(path), read)


def of_domain(domain: Domain) -> list[Stretch]:
    """What a domain really looks like: its held-out part, or all of it where none is held out.

    Its pictures, where those are whole frames; where they are cut-out faces, the frames of the clips they come from.
    Raises MissingInputError where such a clip is gone, SettingsError.
    """
    records = [record for record in domain.records(landmarks=False) if (domain.folder / record.picture).is_file()]
    held_out = [record for record in records if record.split == "test"]
    stretches = [_of_records(domain, stretch) for stretch in runs(held_out or records)]
    if not stretches:
        raise MissingInputError(f"{domain.folder}: no picture left in it; extract it again")
    return stretches


def _of_records(domain: Domain, records: list[Record]) -> Stretch:
    times = [float(record.seconds) for record in records]
    if domain.aligner == "none":
        return Stretch(times, lambda positions: (read_picture(domain.folder / records[p].picture) for p in positions))
    path = Path(domain.clip(records[0].clip).path)
    if not path.is_file():
        raise MissingInputError(f"{path}: gone, and {domain.folder} has only the faces of it; evaluate with --truth")
    info, first = probe(path), records[0].number

    def read(positions: list[int]) -> Iterator[np.ndarray]:
        frames = read_frames(path, start=records[0].seconds)
        return _wanted(((frame.number - first, square_pixels(frame.rgb, info)) for frame in frames), positions)

    return Stretch(times, read)


def _wanted(frames: Iterator[tuple[int, np.ndarray]], positions: list[int]) -> Iterator[np.ndarray]:
    """Those at `positions`, which rise and are all there; the rest is not read."""
    waiting = iter(positions)
    position = next(waiting, None)
    for number, rgb in frames:
        if number == position:
            yield rgb
            position = next(waiting, None)
        if position is None:
            return


def common_form(clips: list[list[Stretch]], rate: Fraction) -> Form:
    """The form in which cuts of all `clips` can be compared: as long, as large and as wide as the least of them."""
    seconds = min(LONGEST_SECONDS, *(max(stretch.seconds for stretch in clip) for clip in clips))
    shapes = [next(clip[0].read([0])).shape for clip in clips]
    height = min(LARGEST_PX, *(shape[0] for shape in shapes))
    width = height * min(shape[1] / shape[0] for shape in shapes)
    size = max(2, round(width / 2) * 2), max(2, height // 2 * 2)  # even, as H.264 plays everywhere
    return Form(seconds if seconds >= SHORTEST_SECONDS else 0.0, rate, size)


def choose_moments(
    clip: list[Stretch], count: int, form: Form, generator: np.random.Generator
) -> list[tuple[int, float]]:
    """`count` places (stretch, second at which a cut begins), spread evenly over the clip, in random order."""
    long_enough = [number for number, stretch in enumerate(clip) if stretch.seconds >= form.seconds]
    rooms = np.array([clip[number].seconds - form.seconds for number in long_enough])
    ends = np.cumsum(rooms + 1 / float(form.rate))  # a single picture counts, too
    moments = []
    for place in (np.arange(count) + generator.random(count)) / count * ends[-1]:
        which = int(np.searchsorted(ends, place, side="right"))
        into = min(place - (ends[which - 1] if which else 0.0), rooms[which])
        moments.append((long_enough[which], clip[long_enough[which]].times[0] + float(into)))
    return [moments[number] for number in generator.permutation(count)]


def cut(clip: list[Stretch], moments: list[tuple[int, float]], form: Form) -> list[bytes]:
    """An H.264 MP4 for each moment. Each stretch is read once. Raises OutputError."""
    files = [b""] * len(moments)
    for number, stretch in enumerate(clip):
        plans = {at: _positions(stretch, begin, form) for at, (where, begin) in enumerate(moments) if where == number}
        positions = sorted({position for plan in plans.values() for position in plan})
        frames: dict[int, np.ndarray] = {}
        for position, rgb in zip(positions, stretch.read(positions), strict=False):
            frames[position] = _fitted(rgb, form.size)
            for at in [at for at, plan in plans.items() if plan[-1] == position]:
                files[at] = _encoded([frames[p] for p in plans.pop(at)], form)
            still_needed = {p for plan in plans.values() for p in plan}
            frames = {p: frame for p, frame in frames.items() if p in still_needed}
    return files


def padded(mp4: bytes, length: int, generator: np.random.Generator) -> bytes:
    """An MP4 of `length` bytes that plays as before: a box of noise follows, of a kind that players skip (ISO/IEC
    14496-12, "free"). length: SMALLEST_BOX more than it has, at least."""
    size = length - len(mp4)
    return mp4 + size.to_bytes(4, "big") + b"free" + generator.bytes(size - SMALLEST_BOX)


def _positions(stretch: Stretch, begin: float, form: Form) -> list[int]:
    """Which frame is on screen at each tick of the cut."""
    ticks = begin + np.arange(form.frames) / float(form.rate) * (form.seconds > 0)
    return np.clip(np.searchsorted(stretch.times, ticks + 1e-4, side="right") - 1, 0, None).tolist()


def _fitted(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scaled until it covers `size`, then its middle."""
    (width, height), (rows, columns) = size, rgb.shape[:2]
    scale = max(height / rows, width / columns)
    rgb = resize(rgb, (max(width, round(columns * scale)), max(height, round(rows * scale))))
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return rgb[top : top + height, left : left + width]


def _encoded(frames: list[np.ndarray], form: Form) -> bytes:
    base = 1 / form.rate
    info = VideoInfo(
        path="",
        width=form.size[0],
        height=form.size[1],
        sample_aspect=Fraction(1),
        rotation=0,
        rate=form.rate,
        time_base=base,
        frames=None,
        codec="h264",
        pixel_format="yuv420p",
        colour=SDR,
        interlaced=False,
        audio_tracks=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cut.mp4"
        with SegmentWriter(path, source=info, encoding=Encoding(quality=QUALITY)) as writer:
            for number, rgb in enumerate(frames):
                writer.write(Frame(np.ascontiguousarray(rgb), number, number, base, 1))
        return path.read_bytes()
