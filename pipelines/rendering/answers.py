"""Many answers to one source, on a sheet: a row a moment of the clip, a column a code."""

from pathlib import Path

import numpy as np

from data.disk import write_bytes
from data.domain.pictures import captioned, resize, sheet
from data.errors import SettingsError
from data.faces.placing import Placing
from data.writing.sequence import png
from pipelines.options import RenderOptions
from pipelines.places import say
from pipelines.rendering.painting import painter_for
from pipelines.translating.translation import Translation

MOMENTS = 4
CELL_PX = 128
"""Height of a cell."""


def check_answers(options: RenderOptions, asks: frozenset[str], method: str) -> None:
    """Raises SettingsError where there is but one answer."""
    if options.answers and "sample" not in asks:
        raise SettingsError(f"--answers {options.answers}: {method} has one answer to a source")
    if options.answers < 0:
        raise SettingsError(f"--answers {options.answers}: has to be 0 or more")


def write_answers(
    job: Translation, options: RenderOptions, placing: Placing, path: Path, metadata: dict[str, str]
) -> None:
    """Samples 0, 1, 2 ... of a few moments, spread evenly, beside their source. metadata: texts of the file.

    Raises RetargetError.
    """
    count = job.wanted(placing)
    wanted = {round(place) for place in np.linspace(0, count - 1, min(MOMENTS, count))}
    frames = [frame for number, frame in enumerate(job.source.frames(job.start)) if number in wanted]
    columns = {"source": [frame.rgb for frame in frames]}
    for number in range(options.answers):
        job.method.hold(sample=number)
        painter = painter_for(job, options, placing)  # a fresh one: what it remembers is of its own answer
        columns[f"sample {number}"] = [painter.paint([frame])[0] for frame in frames]
    job.method.hold(sample=options.sample)
    rows = []
    for place in range(len(frames)):
        cells = [(title, pictures[place]) for title, pictures in columns.items()]
        rows.append([captioned(_cell(picture), title) for title, picture in cells])
    write_bytes(path, png(sheet(rows), metadata))
    say(f"{path}: {options.answers} answers to {len(frames)} moments")


def _cell(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return resize(picture, (max(1, round(width * CELL_PX / height)), CELL_PX))
