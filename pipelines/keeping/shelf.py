"""What is there: domains, runs and renders, each in a few words, without anything heavy."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data.disk import check_name
from data.domain.domain import Domain
from data.errors import BadNameError, MissingInputError, RetargetError
from pipelines.keeping.course import course_of

Kind = Literal["domains", "runs", "renders"]


@dataclass(frozen=True)
class Shelf:
    """The three folders that everything is kept in."""

    domains: Path
    runs: Path
    renders: Path

    def root(self, kind: Kind) -> Path:
        return {"domains": self.domains, "runs": self.runs, "renders": self.renders}[kind]

    def place(self, kind: Kind, name: str) -> Path:
        """The folder or file of that name. Raises MissingInputError, BadNameError."""
        path = self.root(kind) / check_name(name, kind)
        if not path.exists():
            raise MissingInputError(f"{path}: not there")
        return path


def domains_in(folder: Path) -> list[dict[str, Any]]:
    """Every domain: its name, pictures, clips, how it was made, when it changed; newest first."""
    return _newest_first(_domain, (path.parent for path in folder.glob("*/domain.json")))


def runs_in(folder: Path) -> list[dict[str, Any]]:
    """Every run: its name, domains, method, state, step and score, and when it changed; newest first."""
    return _newest_first(_run, (path.parent for path in folder.glob("*/config.json")))


def renders_in(folder: Path) -> list[dict[str, Any]]:
    """Every result: its name, bytes, and when it changed; newest first."""
    return _newest_first(_render, folder.iterdir() if folder.is_dir() else ())


def bytes_in(place: Path) -> int:
    """Of a file, or of all files below a folder."""
    if place.is_file():
        return place.stat().st_size
    return sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())


def _newest_first(tell: Callable[[Path], dict[str, Any]], places: Iterable[Path]) -> list[dict[str, Any]]:
    found = (tell(place) for place in places if _is_shown(place))
    return sorted(found, key=lambda entry: (-entry["changed"], entry["name"]))


def _is_shown(place: Path) -> bool:
    try:
        check_name(place.name, "name")
    except BadNameError:
        return False  # hidden, or nothing that a command has made
    return True


def _domain(folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": folder.name, "changed": _changed(folder / "domain.json")}
    try:
        domain = Domain.load(folder)
    except RetargetError as error:
        return entry | {"trouble": str(error)}
    return entry | {
        "pictures": sum(clip.kept for clip in domain.clips),
        "clips": len(domain.clips),
        "aligner": domain.aligner,
        "size": domain.size,
        "sheet": _changed(folder / "contact-sheet.jpg"),
    }


def _run(folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": folder.name, "changed": _changed(folder / "checkpoints")}
    try:
        content = json.loads((folder / "config.json").read_bytes())
        settings = content["settings"]
        about = {"method": settings["method"], "a": Path(settings["a"]).name, "b": Path(settings["b"]).name}
        course = course_of(folder, content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return entry | {"trouble": f"{folder / 'config.json'}: damaged"}
    return entry | about | vars(course)


def _render(path: Path) -> dict[str, Any]:
    size = path.stat().st_size if path.is_file() else None
    return {"name": path.name, "changed": _changed(path), "bytes": size}


def _changed(path: Path) -> float:
    """Seconds since the epoch; 0 where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
