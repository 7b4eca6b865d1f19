"""A table for the terminal, and amounts as people read them."""

import time
from collections.abc import Sequence

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns as wide as what is in them."""
    whole = [heads, *rows]
    widths = [max(len(row[place]) for row in whole) for place in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in whole]


def amount(size: float) -> str:
    """Bytes, as 12 MB."""
    place = 0
    while size >= 999.5 and place < len(_UNITS) - 1:
        size, place = size / 1000, place + 1
    return f"{size:.3g} {_UNITS[place]}"


def span(seconds: float) -> str:
    """A stretch of time, as 3 h."""
    for length, unit in _SPANS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def age(at: float) -> str:
    """How long ago a time in seconds since the epoch is."""
    return span(time.time() - at) if at else "?"
