"""Whether what a command is about to write will fit on the disk."""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from data.errors import OutputError
from pipelines.places import say


@dataclass(frozen=True)
class Need:
    """Bytes that a folder is to take: at the very least, and about."""

    folder: Path
    least: float
    about: float


def require_room(needs: Iterable[Need], *, force: bool) -> None:
    """Refuses what clearly will not fit, and says a line where it may not. Folders of one disk count together.

    force: says the line and goes on in any case. Raises OutputError.
    """
    disks: dict[int, list[Need]] = defaultdict(list)
    for need in needs:
        disks[_there(need.folder).stat().st_dev].append(need)
    for together in disks.values():
        free = shutil.disk_usage(_there(together[0].folder)).free
        least, about = sum(need.least for need in together), sum(need.about for need in together)
        if about <= free:
            continue
        folders = " and ".join(dict.fromkeys(str(need.folder) for need in together))
        line = f"{folders}: about {_size(about)} will be written, and {_size(free)} are free"
        if least > free and not force:
            raise OutputError(f"{line}; make room, choose another disk, or go on all the same with --force")
        say(f"{line}: it may not fit" if least <= free else f"{line}: it will not fit")


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _size(count: float) -> str:
    """Bytes in words."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            break
        count, unit = count / 1000, {"bytes": "KB", "KB": "MB", "MB": "GB", "GB": "TB"}[unit]
    return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
