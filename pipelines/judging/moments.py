"""A clip to judge, frame by frame: source, result and truth side by side, and the videos of them to look at."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.domain.sources import Source
from data.errors import SettingsError
from data.faces.cropper import Cropper
from data.faces.placing import Placing
from data.stages import Line
from data.video.frame import Frame
from data.writing.encode import VideoWriter
from pipelines.judging.judge import Judge, Moment
from pipelines.translating.paint import Painter
from pipelines.translating.translation import Translation


class Moments:
    """The moments of a clip, in order. Frames are made or read as they are asked for, and let go.

    painter: makes the result; without it the result is read. cropper: where faces are translated.
    Iterating raises RetargetError, where the clips do not fit together a SettingsError.
    """

    def __init__(
        self,
        job: Translation,
        placing: Placing,
        *,
        painter: Painter | None,
        cropper: Cropper | None,
        result: Source | None,
        truth: Source | None,
        batch_size: int | None,
    ) -> None:
        self._job, self._placing, self._painter, self._cropper = job, placing, painter, cropper
        self._batch_size = batch_size or job.batch_size
        self._result, self._truth = (_Companion(job, source) if source else None for source in (result, truth))
        self.frames = job.wanted(placing)

    def __iter__(self) -> Iterator[Moment]:
        number, last_shot = 0, -1
        with Line() as line:
            decoded = line.made("decode", self._job.source.frames(self._job.start))
            frames = iter(tqdm(decoded, total=self.frames, desc="evaluating", unit="frame", disable=None))
            batches = iter(lambda: list(islice(frames, self._batch_size)), [])
            for frame, result in chain.from_iterable(line.last("translate", self._translated, batches, count=len)):
                truth = self._truth.next(frame, self.frames) if self._truth else None
                shot = self._placing.shot_of(frame.number)
                yield self._moment(number, frame, result, truth, number > 0 and shot == last_shot)
                number, last_shot = number + 1, shot
        for companion in (self._result, self._truth):
            if companion is not None:
                companion.end(number)

    def _translated(self, batch: list[Frame]) -> list[tuple[Frame, np.ndarray]]:
        return list(zip(batch, self._results(batch), strict=True))

    def _results(self, batch: list[Frame]) -> list[np.ndarray]:
        if self._painter is not None:
            return self._painter.paint(batch)
        assert self._result is not None
        return [self._result.next(frame, self.frames) for frame in batch]

    def _moment(self, number: int, frame: Frame, result: np.ndarray, truth: np.ndarray | None, follows: bool) -> Moment:
        if self._cropper is None:
            return Moment(number, frame, result, truth, follows, None, frame.rgb, result)
        place = self._cropper.place(frame)
        if place is None:
            return Moment(number, frame, result, truth, follows, None, None, None)
        shown, crop = (self._cropper.crop(picture, place) for picture in (frame, replace(frame, rgb=result)))
        return Moment(number, frame, result, truth, follows, place, shown, crop)


class _Companion:
    """Another clip, read frame for frame with the source."""

    def __init__(self, job: Translation, source: Source) -> None:
        self._path, self._input, self._frames = source.path, job.source.path, source.frames()

    def next(self, frame: Frame, frames: int) -> np.ndarray:
        """What belongs to the source's next frame. frames: how many the source has."""
        found = next(self._frames, None)
        if found is None:
            raise SettingsError(f"{self._path}: ends before the {frames} frames of {self._input} that are judged")
        if found.rgb.shape != frame.rgb.shape:
            own, wanted = (f"{rgb.shape[1]}x{rgb.shape[0]}" for rgb in (found.rgb, frame.rgb))
            raise SettingsError(f"{self._path}: is {own}, but {self._input} is {wanted}: frames have to be of one size")
        return found.rgb

    def end(self, frames: int) -> None:
        """To be called after the source's last frame."""
        if next(self._frames, None) is not None:
            raise SettingsError(f"{self._path}: goes on after the {frames} frames of {self._input} that are judged")


class Players:
    """The videos of source, result and truth: the same frames at the same times from 0 on, for any player.

    with Players(folder, job) as players: players.show(moment), moment after moment. Sound stands beside the source.
    """

    def __init__(self, folder: Path, job: Translation) -> None:
        self._folder, self._source = folder, job.source
        self._stack = ExitStack()
        self._writers: dict[str, VideoWriter] = {}

    def __enter__(self) -> "Players":
        self._stack.__enter__()
        return self

    def __exit__(self, *raised) -> None:
        self._stack.__exit__(*raised)

    def show(self, moment: Moment) -> None:
        """Adds a moment. Raises OutputError."""
        pictures = {"source": moment.frame.rgb, "result": moment.result, "truth": moment.truth}
        for name, rgb in pictures.items():
            if rgb is None:
                continue
            rgb = _even(rgb)
            if name not in self._writers:
                writer = VideoWriter(
                    self._folder / f"{name}.mp4",
                    source=self._source.info,
                    size=(rgb.shape[1], rgb.shape[0]),
                    audio_from=self._source.sound if name == "source" else None,
                    start=moment.frame.seconds,
                )
                self._writers[name] = self._stack.enter_context(writer)
            self._writers[name].write(replace(moment.frame, rgb=rgb))


def judged(
    moments: Moments, judges: Sequence[Judge], players: Players
) -> tuple[dict[str, list[float | None]], list[float]]:
    """Every judge sees every moment. Gives what is known of single frames, and their times from 0 on."""
    per_frame: dict[str, list[float | None]] = {}
    times: list[Fraction] = []

    def see(moment: Moment) -> Moment:
        for judge in judges:
            for (name, frame), value in judge.see(moment).items():
                per_frame.setdefault(name, [None] * moments.frames)[frame] = value
        return moment

    with Line() as line:  # one thread translates and judges: networks are for one at a time
        for moment in line.each("judge", see, iter(moments)):
            players.show(moment)
            times.append(moment.frame.seconds)
    return per_frame, [float(time - times[0]) for time in times]


def _even(rgb: np.ndarray) -> np.ndarray:
    """Odd sides made even by their last row: browsers play nothing else."""
    height, width = rgb.shape[:2]
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
