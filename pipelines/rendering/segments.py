"""The parts of a render, which several processes may share: a shot is painted once, and its parts appear whole."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, dropwhile, groupby, islice
from pathlib import Path

import numpy as np

from data.disk import output_errors
from data.errors import OutputError
from data.faces.placing import Placing
from data.stages import Line
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
    """files: the parts of every result, in order. missing: numbers of those that other shards have not painted yet.

    seen, translated: frames. notes: lines for the user.
    """

    files: dict[str, list[Path]]
    missing: list[int] = field(default_factory=list)
    seen: int = 0
    translated: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    """A shot, or a stretch of a long one. first: number of its first of `count` frames. files: by the result's name.
    done: is there once they are."""

    shot: int
    first: int
    count: int
    files: dict[str, Path]
    done: Path


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
    """Paints and encodes what is this shard's and not there yet: the unit is a shot, a long one in several parts.

    Which shard's a shot is follows from the clip's content and the shot's place in it, so that shots of one clip are
    dealt out in turn, and a clip more or less changes nothing for the others.
    """
    planned = _planned(job, placing, parts, results)
    found = Segments({name: [part.files[name] for part in planned] for name in results})
    clip = int(job.source.sha256()[:8], 16)
    with Line() as line:
        decoded = line.made("decode", job.source.frames(job.start))
        frames = iter(watched(decoded, WORKING, job.wanted(placing)))
        for number, part in enumerate(planned):
            if part.done.exists() or not shard.takes(clip + part.shot):
                continue
            with output_errors(parts), locked(part.done.with_suffix(".lock"), _waiting):
                if part.done.exists():
                    continue
                before = planned[number - 1]
                if number and before.shot == part.shot and not painter.restore(before.done):
                    raise OutputError(f"{before.done}: is gone; the same command again paints it")
                own = islice(_from(frames, part.first), part.count)
                found.notes += _paint(own, job, painter, part, results, batch_size)
                painter.keep(part.done)
            if not shard.is_all:
                say(f"{job.source.label}: part {number + 1} of {len(planned)} is painted")
    for number, part in enumerate(planned):  # only now: others have painted meanwhile
        if painter.restore(part.done):
            found.seen, found.translated = found.seen + painter.seen, found.translated + painter.translated
        else:
            found.missing.append(number + 1)
    return found


def _planned(job: Translation, placing: Placing, parts: Path, results: dict[str, Leaving]) -> list[_Part]:
    """Every part of the clip in order, from what is known of its frames."""
    wanted = [number for number, time in enumerate(placing.times) if job.start is None or time >= job.start]
    found = []
    for number, ((shot, _), group) in enumerate(groupby(wanted, key=placing.segment_of)):
        frames = list(group)
        ends = {name: "" if name == "result" else f"-{name}" for name in results}
        files = {name: parts / f"{number:05d}{ends[name]}{result.suffix}" for name, result in results.items()}
        found.append(_Part(shot, frames[0], len(frames), files, parts / f"{number:05d}.json"))
    return found


def _from(frames: Iterator[Frame], first: int) -> Iterator[Frame]:
    """What is left of the frames from that number on."""
    return dropwhile(lambda frame: frame.number < first, frames)


def _waiting(holder: str) -> None:
    say(f"this part is being painted by {holder}; waiting for it")


def _paint(
    segment: Iterator[Frame],
    job: Translation,
    painter: Painter,
    part: _Part,
    results: dict[str, Leaving],
    batch_size: int,
) -> list[str]:
    """Paints one part into a file a result. Gives notes. Raises OutputError, also where frames are missing by now."""
    painter.seen = painter.translated = 0
    info = job.source.info
    sizes = {"result": (info.width, info.height), "compare": (2 * info.width, info.height)}
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(result.writer(part.files[name], info, sizes[name]))
            for name, result in results.items()
        }
        line = stack.enter_context(Line())
        cuts = line.each("crop", painter.cut, segment)
        batches = iter(lambda: list(islice(cuts, batch_size)), [])
        translated = chain.from_iterable(line.each("translate", painter.translate, batches, count=len))
        pairs = line.each("paste", lambda pair: (pair[0].frame, painter.lay(pair)), translated)

        def write(pair: tuple[Frame, Frame]) -> None:
            source, made = pair
            writers["result"].write(made)
            if "compare" in writers:
                writers["compare"].write(made.with_pixels(np.concatenate([source.rgb, made.rgb], axis=1)))

        for _ in line.last("encode", write, pairs):
            pass
        if painter.seen != part.count:
            raise OutputError(
                f"{job.source.path}: ends before frame {part.first + painter.seen + 1}, and went on when it was looked "
                "at; it changed meanwhile, or cannot be read to its end any more"
            )
    return list(writers["result"].notes)
