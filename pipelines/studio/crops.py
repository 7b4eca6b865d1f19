"""The pictures of a domain as a grid: sorted, a page at a time, dropped and taken back."""

import json
import re
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from data.disk import check_name, make_folder, write_json
from data.domain import dropped
from data.domain.clipfile import SUFFIX, DamagedClipError, read_columns
from data.domain.domain import Domain
from data.domain.record import Record
from data.errors import MissingInputError
from pipelines.keeping.course import names_in

TIMES = ".drops"
"""Folder in a domain: a file a time of which pictures were dropped together."""
_KEPT_TABLES = 4
_UNSETTLED_NS = 2_000_000_000
"""A folder that changed so short ago may change again without its time telling."""
_NOT_SORTED_BY = frozenset({"clip", "number", "pts", "time_base", "landmarks", "transform", "repeats", "reason"})
_SPLITS = ("train", "gap", "test", "excluded")
_PLACES = {name: place for place, name in enumerate(_SPLITS)}
_SUFFIXES = (".jpg", ".png")


@dataclass(frozen=True)
class Table:
    """A domain's pictures in columns, a few bytes each: of which clip, which frame, in which part, whether a PNG, and
    every number that a record has of it (NaN where it has none)."""

    clips: list[str]
    clip: np.ndarray
    number: np.ndarray
    split: np.ndarray
    png: np.ndarray
    values: dict[str, np.ndarray]


class Grids:
    """The tables of the domains that were looked at last, read anew when a domain changes."""

    def __init__(self) -> None:
        self._tables: OrderedDict[Path, tuple[Any, Table]] = OrderedDict()
        self._present: dict[Path, tuple[int, np.ndarray]] = {}  # of a clip's folder: when it changed, frames in it
        self._lock = Lock()

    def table(self, folder: Path) -> Table:
        """Raises RetargetError."""
        stamp = _stamp(folder)
        with self._lock:
            known = self._tables.get(folder)
            if known is None or known[0] != stamp:
                self._tables[folder] = known = (stamp, _read(folder))
            self._tables.move_to_end(folder)
            while len(self._tables) > _KEPT_TABLES:
                gone, _ = self._tables.popitem(last=False)
                self._present = {place: of for place, of in self._present.items() if gone not in place.parents}
            return known[1]

    def page(
        self, folder: Path, *, clip: str = "", sort: str = "", falling: bool = False, first: int = 0, count: int = 200
    ) -> dict[str, Any]:
        """So many of the pictures that are there, from the `first` on: [clip, number of the frame, part, value, name of
        the file].

        sort: one of the columns that `sorts` names; else as in time. Pictures without the value come last.
        """
        table = self.table(folder)
        there = self._there(folder, table)
        if clip:
            there &= table.clip == (table.clips.index(clip) if clip in table.clips else -1)
        places = np.flatnonzero(there)
        values = table.values.get(sort)
        if values is not None:
            keys = values[places] if not falling else -values[places]
            places = places[np.argsort(keys, kind="stable")]  # NaN last
        shown = places[first : first + count]
        return {
            "of": len(places),
            "first": first,
            "sorts": list(table.values),
            "clips": table.clips,
            "pictures": [
                [
                    table.clips[table.clip[at]],
                    int(table.number[at]),
                    _SPLITS[table.split[at]],
                    None if values is None or np.isnan(values[at]) else float(f"{values[at]:.4g}"),
                    f"{table.number[at] + 1:06d}.{'png' if table.png[at] else 'jpg'}",
                ]
                for at in shown
            ],
        }

    def _there(self, folder: Path, table: Table) -> np.ndarray:
        """Which pictures are on disk: (N,) bool."""
        found = np.zeros(len(table.number), bool)
        for place, clip in enumerate(table.clips):
            of_clip = table.clip == place
            found[of_clip] = np.isin(table.number[of_clip], self._numbers(folder / "frames" / clip))
        return found

    def _numbers(self, pictures: Path) -> np.ndarray:
        """Of the frames whose pictures are in a folder, listed anew where it changed."""
        try:
            changed = pictures.stat().st_mtime_ns
        except OSError:
            return np.zeros(0, np.int64)
        known = self._present.get(pictures)
        if known is None or known[0] != changed or time.time_ns() - changed < _UNSETTLED_NS:
            names = names_in(pictures)
            numbers = [int(name[:-4]) - 1 for name in names if name[-4:] in _SUFFIXES and name[:-4].isdecimal()]
            self._present[pictures] = known = (changed, np.array(numbers, np.int64))
        return known[1]


def drop(domain: Path, pictures: list[tuple[str, int]]) -> str:
    """Takes pictures out of a domain, so that no window uses them; gives the id by which they come back.

    Raises MissingInputError where none of them is there, OutputError.
    """
    stems = [f"frames/{check_name(clip, 'clip')}/{number + 1:06d}" for clip, number in pictures]
    named = [f"{stem}{suffix}" for stem in stems for suffix in _SUFFIXES]
    there = [name for name in named if (domain / name).is_file()]
    if not there:
        raise MissingInputError(f"{domain}: none of these pictures is there")
    key = f"{time.time_ns()}-{secrets.token_hex(3)}"
    write_json(make_folder(domain / TIMES) / f"{key}.json", there)
    dropped.drop(domain, there)
    return key


def take_back(domain: Path, key: str) -> int:
    """Puts back what was dropped at one time; gives how many pictures. Raises MissingInputError, OutputError."""
    path = domain / TIMES / f"{check_name(key, 'dropped')}.json"
    pictures = _dropped_at(path)
    if not pictures:
        raise MissingInputError(f"{path}: nothing was dropped under that id")
    back, left = dropped.undo(domain, pictures)
    if not left:
        path.unlink(missing_ok=True)
    return back


def dropped_before(domain: Path) -> list[dict[str, Any]]:
    """What was dropped here and can come back, the last time first: id, and how many pictures."""
    found = []
    for path in sorted((domain / TIMES).glob("*.json"), reverse=True):
        away = [name for name in _dropped_at(path) if not (domain / name).exists()]
        if away:
            found.append({"id": path.stem, "pictures": len(away)})
    return found


def _dropped_at(path: Path) -> list[str]:
    """Pictures of one time; none where the file is gone or damaged."""
    try:
        names = json.loads(path.read_bytes())
        return [name for name in names if re.fullmatch(r"frames/[^/]+/\d{6,}\.(jpg|png)", name) and ".." not in name]
    except (OSError, ValueError, TypeError):
        return []


def _stamp(folder: Path) -> Any:
    found = []
    for name in ("domain.json", "frames.jsonl", "clips"):
        try:
            status = (folder / name).stat()
            found.append((status.st_mtime_ns, status.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)


def _read(folder: Path) -> Table:
    """Raises RetargetError. Of a clip whose file is damaged nothing is shown, as no window uses it."""
    clips = [clip.clip for clip in Domain.load(folder).clips]
    names = _number_fields()
    parts: list[dict[str, np.ndarray]] = []
    for place, clip in enumerate(clips):
        with suppress(DamagedClipError, OSError):
            columns = read_columns(folder / "clips" / f"{clip}{SUFFIX}", ("number", "split", "png", *names))
            split = np.array([_PLACES.get(name, -1) for name in columns["split"]], np.int8)
            of_clip: dict[str, np.ndarray] = {name: np.array(columns[name], np.float32) for name in names}
            of_clip |= {"clip": np.full(len(split), place, np.int32), "split": split}
            of_clip |= {"number": np.array(columns["number"], np.int32), "png": np.array(columns["png"], bool)}
            parts.append({name: column[split >= 0] for name, column in of_clip.items()})
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    values = {name: whole[name] for name in names if parts and not np.isnan(whole[name]).all()}
    nothing = np.zeros(0, np.int32)
    clip_, number, split, png = (whole.get(name, nothing) for name in ("clip", "number", "split", "png"))
    return Table(clips, clip_, number, split, png, values)


def _number_fields() -> list[str]:
    """What a record has of a picture that it can be sorted by: every number but its place."""
    kinds = {column.name: str(column.type) for column in fields(Record) if column.name not in _NOT_SORTED_BY}
    return [name for name, kind in kinds.items() if "float" in kind and "list" not in kind]
