"""What methods take on this machine, as `retarget train --measure` found: a file each in the user's cache."""

import json
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

from data.disk import make_folder, name_from, write_json
from data.models import cache_home


def remember(method: str, preset: str, taken: dict[str, Any]) -> None:
    """Keeps what a method with a preset's own settings took. Raises OutputError."""
    folder = make_folder(_folder())
    write_json(folder / f"{method}-{preset}.json", {"method": method, "preset": preset} | taken)


def known() -> list[dict[str, Any]]:
    """All that was measured on this machine: method, preset, seconds of a step, bytes, on what, and when."""
    found = []
    for path in sorted(_folder().glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(path.read_bytes())
            numbers = {name: float(content[name]) for name in ("seconds", "bytes", "at")}
            found.append({name: str(content[name]) for name in ("method", "preset", "on")} | numbers)
    return found


def _folder() -> Path:
    """Machines may share a home, so each has a folder of its name."""
    return cache_home() / "retarget" / "paces" / name_from(platform.node() or "here")
