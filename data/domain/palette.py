"""Palettes of label maps: which colour means which class."""

import csv
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import MissingInputError, SettingsError

VOID = "void"
"""Name of the colour that is no class."""
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


@dataclass(frozen=True)
class Palette:
    """names: one a colour, in the file's order. colours: (C, 3) uint8 RGB. void: place of the one that is no class."""

    names: list[str]
    colours: np.ndarray

    @property
    def void(self) -> int | None:
        return self.names.index(VOID) if VOID in self.names else None

    @property
    def classes(self) -> list[str]:
        """The names without void."""
        return [name for name in self.names if name != VOID]


def read_palette(path: Path) -> Palette:
    """Reads {"road": [128, 64, 128], ...} from a .json file, else lines road,128,64,128; a colour may be #804080, too.

    Raises MissingInputError, SettingsError.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no such palette") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{path}: not a palette (not a text in UTF-8)") from error
    try:
        named = _from_json(text) if path.suffix.lower() == ".json" else _from_csv(text)
        names, colours = [name for name, _ in named], [_colour(value) for _, value in named]
        for values in (names, colours):
            twice, times = Counter(values).most_common(1)[0] if values else ("", 0)
            if times > 1:
                raise ValueError(f"{str(twice)[:40]} is there twice")
        if not all(names):
            raise ValueError("a colour without a name")
        if len(set(names) - {VOID}) < 2:
            raise ValueError("fewer than two classes")
    except ValueError as error:
        usage = 'give {"road": [128, 64, 128], ...} as .json, or lines road,128,64,128 as .csv'
        raise SettingsError(f"{path}: not a palette ({error}); {usage}") from error
    return Palette(names, np.array(colours, np.uint8))


def _from_json(text: str) -> list[tuple[str, Any]]:
    """Names and colours in the file's order, names that are there twice as well."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except RecursionError:
        raise ValueError("too deep for a table") from None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise ValueError("no table from names to colours")
    return pairs


def _from_csv(text: str) -> list[tuple[str, Any]]:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    except csv.Error as error:
        raise ValueError(error) from error
    rows = [row for row in rows if any(row)]
    if rows and rows[0][0].lower() == "name":
        rows = rows[1:]
    return [(row[0], [_whole(cell) for cell in row[1:]] if len(row) > 2 else "".join(row[1:])) for row in rows]


def _whole(cell: str) -> int | str:
    """A cell as a whole number, where it is one."""
    return int(cell) if cell.isascii() and cell.isdigit() else cell


def _colour(value: Any) -> tuple[int, ...]:
    """RGB from three whole numbers or from #rrggbb."""
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    if found:
        return tuple(int(part, 16) for part in found.groups())
    whole = isinstance(value, list) and all(type(part) is int and 0 <= part <= 255 for part in value)
    if not whole or len(value) != 3:
        raise ValueError(f"{repr(value)[:60]} is no colour")
    return tuple(value)
