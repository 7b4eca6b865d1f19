"""Files that the pages may show: by kind, name and place below a folder, and nothing that leads out of it."""

from pathlib import Path

from data.disk import check_name
from data.errors import BadNameError, MissingInputError
from pipelines.keeping.shelf import Shelf

TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".csv": "text/csv; charset=utf-8",
}
"""What is served, and as what: pictures, videos and tables, none of which a browser runs."""
LABELLER = "adapt/labeller.safetensors"
"""In a run: what `retarget adapt` leaves to guard a training with."""
_DOWNLOADED = "application/octet-stream"


def uploads_folder(shelf: Shelf) -> Path:
    """Where dropped videos go."""
    return shelf.domains / ".uploads"


def previews_folder(shelf: Shelf) -> Path:
    """Where single frames go that somebody tries options on."""
    return shelf.renders / ".previews"


def roots(shelf: Shelf) -> dict[str, Path]:
    """The folders that files may be below, by the kind that addresses name."""
    return {
        "domains": shelf.domains,
        "runs": shelf.runs,
        "renders": shelf.renders,
        "uploads": uploads_folder(shelf),
        "previews": previews_folder(shelf),
    }


def find(shelf: Shelf, kind: str, place: str) -> Path:
    """The file at `place` below the folder of that kind. Raises MissingInputError for everything else.

    Every part has to be a plain name, so that nothing hidden is there; links are followed first, and what then lies
    outside is not there either.
    """
    missing = MissingInputError(f"{kind}/{place}: no such file")
    root = roots(shelf).get(kind)
    if root is None or "\\" in place or "\0" in place:
        raise missing
    try:
        parts = [check_name(part, "file") for part in place.split("/")]
        path = root.joinpath(*parts).resolve(strict=True)
    except (BadNameError, OSError, RuntimeError):
        raise missing from None
    if not path.is_relative_to(root.resolve()) or not path.is_file():
        raise missing
    return path


def media_type(path: Path, *, download: bool) -> str:
    """What it is served as. Raises MissingInputError for what pages have no business with."""
    if download:
        return _DOWNLOADED
    try:
        return TYPES[path.suffix.lower()]
    except KeyError:
        raise MissingInputError(f"{path.name}: nothing that is shown") from None
