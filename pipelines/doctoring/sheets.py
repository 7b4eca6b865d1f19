"""Sheets of examples of what two domains lack of each other."""

import numpy as np

from data.domain.pictures import captioned, read_picture, resize, sheet
from pipelines.doctoring.compare import Kind, nearest
from pipelines.doctoring.measures import Looked

EXAMPLES = 8
CELL_PX = 112


def of_kind(kind: Kind, a: Looked, b: Looked) -> np.ndarray:
    """Examples of the kind, spread evenly over it, above the frames of the other domain that come nearest: RGB."""
    chosen = kind.places[np.linspace(0, len(kind.places) - 1, min(EXAMPLES, len(kind.places))).round().astype(int)]
    above = [_cell(a, int(place), a.domain.name) for place in chosen]
    below = [_cell(b, nearest(a, int(place), b), f"nearest: {b.domain.name}") for place in chosen]
    return sheet([above, below])


def of_faults(pictures: list[str], looked: Looked) -> np.ndarray:
    """Examples of pictures of a domain, spread evenly: RGB."""
    chosen = [pictures[round(i)] for i in np.linspace(0, len(pictures) - 1, min(EXAMPLES, len(pictures)))]
    places = {record.picture: place for place, record in enumerate(looked.records)}
    return sheet([[_cell(looked, places[picture], looked.domain.name) for picture in chosen]])


def _cell(looked: Looked, place: int, caption: str) -> np.ndarray:
    record = looked.records[place]
    rgb = read_picture(looked.domain.folder / record.picture)
    scale = CELL_PX / max(rgb.shape[:2])
    small = resize(rgb, (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))))
    return captioned(small, f"{caption} {record.number + 1}")
