"""Removing, so that it can be taken back: a rename into a hidden folder beside what was there.

domains/.trash/<id>/trash.json   what it was called and when it went
domains/.trash/<id>/<name>       the thing itself
"""

import json
import secrets
import time
from pathlib import Path
from typing import Any

from data.disk import check_name, make_folder, output_errors, put_in_place, remove_folder, write_json
from data.errors import BadNameError, MissingInputError, SettingsError

TRASH = ".trash"
_NOTE = "trash.json"


def remove(place: Path) -> str:
    """Puts a file or folder into the trash of the folder that it is in; gives the id by which it comes back.

    Raises MissingInputError, OutputError.
    """
    if not place.exists():
        raise MissingInputError(f"{place}: not there")
    key = f"{time.time_ns()}-{secrets.token_hex(3)}"
    bin_ = make_folder(place.parent / TRASH / key)
    write_json(bin_ / _NOTE, {"name": place.name, "at": time.time()})
    with output_errors(place):
        place.rename(bin_ / place.name)
    return key


def restore(root: Path, key: str) -> Path:
    """Puts back what `remove` put away under that id. Raises MissingInputError, SettingsError, OutputError."""
    bin_ = root / TRASH / check_name(key, "trash")
    name = _name(bin_)
    if name is None:
        raise MissingInputError(f"{bin_}: nothing in the trash has that id")
    if (root / name).exists():
        raise SettingsError(f"{root / name}: there is another one by now; remove or rename it first")
    put_in_place(bin_ / name, root / name)
    remove_folder(bin_)
    return root / name


def removed(root: Path) -> list[dict[str, Any]]:
    """What is in the trash, the last first: id, name, and when it went in seconds since the epoch."""
    found = []
    for bin_ in (root / TRASH).glob("*/"):
        name = _name(bin_)
        if name is not None:
            found.append({"id": bin_.name, "name": name, "at": bin_.stat().st_mtime})
    return sorted(found, key=lambda entry: entry["id"], reverse=True)


def _name(bin_: Path) -> str | None:
    """The name of what lies there; None where nothing whole does."""
    try:
        name = check_name(json.loads((bin_ / _NOTE).read_bytes())["name"], "name")
    except (OSError, ValueError, KeyError, TypeError, BadNameError):
        return None
    return name if (bin_ / name).exists() else None
