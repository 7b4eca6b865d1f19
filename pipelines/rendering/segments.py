"""The parts of a render, which several processes may share: a shot is painted once, and its parts appear whole."""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from data.disk import output_errors
from data.faces.placing import Placing
from data.video.frame import Frame
from data.watching import watched
from durable.locks import locked
from pipelines.places import say
from pipelines.progress import WORKING
from pipelines.rendering.leaving import Leaving
from pipelines.shards import Shard
from pipelines.translating.paint import Painter
from pipelines.translating.translation import Translation


@dataclass
class Segments:
    """files: the parts of every result, in order. missing: how many of them other shards have not painted yet.

    seen, translated: frames. notes: lines for the user.
    """

    files: dict[str, list[Path]]
    missing: int = 0
    seen: int = 0
    translated: int = 0
    notes: list[str] = field(default_factory=list)

    def count(self, painter: Painter) -> None:
        """Adds the part that the painter painted or restored last."""
        self.seen += painter.seen
        self.translated += painter.translated


def paint_segments(
    job: Translation,
    placing: Placing,
    painter: Painter,
    parts: Path,
    results: dict[str, Leaving],
    *,
    batch_size: int,
    shard: Shard,
) -> Segments:
    """Paints and encodes what is this shard's and not there yet: the unit is a shot, a long one in several parts."""
    found = Segments({name: [] for name in results})
    frames = iter(watched(job.source.frames(job.start), WORKING, job.wanted(placing)))
    for number, ((shot, _), segment) in enumerate(groupby(frames, key=placing.segment_of)):
        files = {}
        for name, result in results.items():
            end = "" if name == "result" else f"-{name}"
            files[name] = parts / f"{number:05d}{end}{result.suffix}"
            found.files[name].append(files[name])
        done = parts / f"{number:05d}.json"
        if not painter.restore(done):
            if not shard.takes(shot):
                found.missing += 1
                continue
            with output_errors(parts), locked(done.with_suffix(".lock"), _waiting):
                if not painter.restore(done):
                    found.notes += _paint(segment, job, painter, files, results, batch_size)
                    painter.keep(done)
        found.count(painter)
    return found


def _waiting(holder: str) -> None:
    say(f"this part is being painted by {holder}; waiting for it")


def _paint(
    segment: Iterator[Frame],
    job: Translation,
    painter: Painter,
    files: dict[str, Path],
    results: dict[str, Leaving],
    batch_size: int,
) -> list[str]:
    """Paints one part into a file a result. Gives notes."""
    painter.seen = painter.translated = 0
    info = job.source.info
    sizes = {"result": (info.width, info.height), "compare": (2 * info.width, info.height)}
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(result.writer(files[name], info, sizes[name])) for name, result in results.items()
        }
        while batch := list(islice(segment, batch_size)):
            for frame, rgb in zip(batch, painter.paint(batch), strict=True):
                writers["result"].write(dataclasses.replace(frame, rgb=rgb))
                if "compare" in writers:
                    both = np.concatenate([frame.rgb, rgb], axis=1)
                    writers["compare"].write(dataclasses.replace(frame, rgb=both))
    return list(writers["result"].notes)
