"""Domains of version 0.1, which had one table for all their clips, become what they are now."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from data.disk import check_name, make_folder, write_json
from data.domain.clipfile import Clip, write_clip
from data.domain.record import Record

FORMAT = 1
TABLE = "frames.jsonl"


def convert(folder: Path) -> None:
    """Writes a file for each clip, then domain.json anew, and removes the table: broken off, it is begun again.

    Raises ValueError, TypeError, KeyError and AttributeError for what is no such domain, BadNameError, OutputError.
    """
    content = json.loads((folder / "domain.json").read_text())
    if content.pop("format") != FORMAT:
        return  # another process was first
    make_folder(folder / "clips")
    clips = {clip["clip"]: Clip(**clip, place=place) for place, clip in enumerate(content.pop("clips"))}
    for name in clips:
        check_name(name, f"{folder / 'domain.json'}: clip")
    for name, records in groupby(_records(folder / TABLE), key=lambda record: record.clip):
        if name in clips:
            write_clip(folder / "clips", clips[name], records)
    write_json(folder / "domain.json", {"format": FORMAT + 1} | content)
    (folder / TABLE).unlink(missing_ok=True)


def _records(table: Path) -> Iterator[Record]:
    with table.open() as lines:
        for line in lines:
            yield Record(**json.loads(line))
