"""Pictures moved out of a domain, so that no window uses them, and back again."""

from collections.abc import Iterable
from pathlib import Path

from data.disk import make_folder, output_errors

FOLDER = "dropped"
"""Beside `frames`, in the domain's folder: pictures under the same names. Nothing else is changed."""


def drop(domain: Path, pictures: Iterable[str]) -> int:
    """Moves pictures, named as `Record.picture` names them, out of a domain's folder. Gives how many were there.

    Raises OutputError.
    """
    return sum(_moved(domain / picture, domain / FOLDER / Path(picture).relative_to("frames")) for picture in pictures)


def undo(domain: Path, pictures: Iterable[str] | None = None) -> tuple[int, int]:
    """Moves back what was dropped: these pictures, or all. Gives how many pictures came back, and how many did not,
    because the domain has others in their places by now. Raises OutputError."""
    named = (
        (domain / FOLDER).glob("*/*")
        if pictures is None
        else [domain / FOLDER / Path(picture).relative_to("frames") for picture in pictures]
    )
    there = sorted(path for path in named if path.is_file())
    back = sum(
        not (home := domain / "frames" / path.relative_to(domain / FOLDER)).exists() and _moved(path, home)
        for path in there
    )
    return back, len(there) - back


def _moved(path: Path, place: Path) -> bool:
    if not path.is_file():
        return False
    make_folder(place.parent)
    with output_errors(place):
        path.replace(place)
    return True
