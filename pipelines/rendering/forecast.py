"""How much room a result will take."""

from itertools import islice
from pathlib import Path

from data.domain.part import Part
from durable.files import partial_path, remove
from pipelines.options import RenderOptions
from pipelines.rendering.leaving import Leaving
from pipelines.room import Need
from pipelines.translating.translation import Translation

_TRIED_FRAMES = 4
_LEAST, _MOST = 0.05, 1.5
"""Of what the first frames take: they begin with a whole picture, and where nothing moves the next are small ..."""
_LEAST_EACH = 0.5
"""... but where every picture stands for itself."""
_BESIDE = 2
"""How much larger `--compare` is than the result."""


def room_for(job: Translation, options: RenderOptions, result: Leaving, parts: Path) -> Need:
    """What parts and whole of a result will take together, by a few frames of its source encoded as they will be: an
    encoder that fails does so now. What is painted already counts nothing.

    Nothing where the source does not say how many frames it has. Raises RetargetError.
    """
    info, frames = job.source.info, float(job.source.info.frames or 0)
    if job.start is not None and not isinstance(job.source, Part):
        frames -= float((job.start - info.begins) * info.rate)
    if frames <= 0:
        return Need(parts.parent, 0, 0)
    copies = result.copies + (options.sign is not None)
    about = frames * copies * (1 + _BESIDE * options.compare) * _bytes_a_frame(job, result, parts)
    there = sum(path.stat().st_size for path in parts.rglob("*") if path.is_file())
    least = _LEAST_EACH if result.each_whole else _LEAST
    return Need(parts.parent, max(0, least * about - there), max(0, _MOST * about - there))


def _bytes_a_frame(job: Translation, result: Leaving, parts: Path) -> float:
    place, info, written = partial_path(parts / f"try{result.suffix}"), job.source.info, 0
    try:
        with result.writer(place, info, (info.width, info.height)) as writer:
            for frame in islice(job.source.frames(), _TRIED_FRAMES):
                writer.write(frame)
                written += 1
        files = [place] if place.is_file() else place.glob("*.png")
        return sum(file.stat().st_size for file in files) / max(1, written)
    finally:
        remove(place)
