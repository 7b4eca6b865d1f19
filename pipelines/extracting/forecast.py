"""How much room the clips of a domain will take."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from data.domain.pictures import encode_smaller, resize
from data.domain.sources import Source
from data.errors import RetargetError
from pipelines.room import Need

_LOOKED_AT = 4
"""Clips whose first frame is encoded; the others are taken to be like them."""
_SAMPLE_PX = 256
_LINE_BYTES, _FACE_LINE_BYTES = 160, 2000
"""Of a frame in its clip's table."""
_LEAST, _MOST = 0.25, 1.5
"""Clips change, and frames without the face leave no picture."""


def room_for(sources: Sequence[Source], folder: Path, size: int, *, faces: bool) -> Need:
    """What the pictures and tables of these sources will take in a domain's folder. size: of the domain.

    Sources that do not say how many frames they have count nothing.
    """
    about, each_px = 0.0, [each for source in sources[:_LOOKED_AT] if (each := _bytes_a_pixel(source)) is not None]
    usual = sum(each_px) / len(each_px) if each_px else 0.0
    for source in sources:
        width, height = source.info.display_size
        pixels = size * size if faces else size * size * max(width, height) / min(width, height)
        about += (source.info.frames or 0) * (usual * pixels + (_FACE_LINE_BYTES if faces else _LINE_BYTES))
    return Need(folder, _LEAST * about, _MOST * about)


def _bytes_a_pixel(source: Source) -> float | None:
    """Of its first frame; None where that cannot be read, which will be told in its place."""
    try:
        (frame,) = islice(source.frames(), 1)
    except (RetargetError, ValueError):
        return None
    height, width = frame.rgb.shape[:2]
    scale = min(1.0, _SAMPLE_PX / min(height, width))
    picture = resize(frame.rgb, (max(1, round(width * scale)), max(1, round(height * scale))))
    return len(encode_smaller(picture)[0]) / (picture.shape[0] * picture.shape[1])
