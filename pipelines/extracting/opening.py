"""The domain that clips go into: as it is on disk, or new."""

from importlib.metadata import version
from pathlib import Path

from data.domain.consent import FILE
from data.domain.domain import Domain
from data.errors import SettingsError
from pipelines.options import ExtractOptions
from pipelines.places import say

FACE_PX, FRAME_PX = 288, 256
"""Sides of pictures where the user does not say: see ExtractOptions.size."""
OWN_NAMES = {".lock", "frames", "clips", "names.jsonl", "identity.json", "people.jpg", FILE}
"""What may stand in a domain's folder before its domain.json does."""


def opened(folder: Path, options: ExtractOptions, aligner: str) -> Domain:
    """The domain of that name: as it is on disk, or new. Raises SettingsError for other settings."""
    size = options.size or (FRAME_PX if aligner == "none" else FACE_PX)
    new = Domain(folder, aligner=aligner, size=size, versions=_versions())
    if not (folder / "domain.json").exists():
        # What an interrupted start left is ours; anything else is not, and a failure here must not remove it.
        if folder.exists() and (not folder.is_dir() or not all(map(_is_own, folder.iterdir()))):
            raise SettingsError(f"{folder}: is there and is no domain; give another --name or --domains")
        return new
    domain = Domain.load(folder, say)
    if not domain.clips:
        return new
    other = []
    if options.align not in ("auto", domain.aligner):
        other.append(f"--align {domain.aligner} (now {options.align})")
    if options.size not in (None, domain.size):
        other.append(f"--size {domain.size} (now {options.size})")
    if other:
        raise SettingsError(
            f"{folder}: made with {', '.join(other)}; use the same settings, another --name, or delete the folder"
        )
    return domain


def _is_own(path: Path) -> bool:
    """Whether a domain that is being begun, by this process or another, has such a file."""
    return path.name in OWN_NAMES or ".partial" in path.suffixes


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("retarget", "av", "opencv-python", "scenedetect", "face-alignment")}
