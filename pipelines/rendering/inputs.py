"""Which clips `render` is given, and where each of them goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.disk import name_from
from data.domain.pictures import files_in, natural_order
from data.domain.web import is_url
from data.errors import RetargetError, SettingsError
from pipelines.places import say

VIDEOS = frozenset({
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".wmv", ".asf",
    ".flv", ".ogv", ".3gp", ".mxf", ".nut", ".dv", ".rm",
})  # fmt: skip
"""Ends of names that are taken for videos in a folder."""


@dataclass(frozen=True)
class Clips:
    """What is to be translated; None: the domain's own held-out end. several: a batch, even of one."""

    clips: list[str | None]
    several: bool


class BatchError(RetargetError):
    """Some clips of a batch failed; the rest is done. exit_code: of the failures, 1 where one of them has that."""

    def __init__(self, failures: dict[str, RetargetError], of: int) -> None:
        reasons = "; ".join(str(error) for error in failures.values())
        super().__init__(f"{len(failures)} of {of} not done: {reasons}")
        self.exit_code = min(error.exit_code for error in failures.values())


def clips_of(inputs: Sequence[Sequence[str]]) -> Clips:
    """Opens folders of videos, sub-folders as well; a folder without any is a clip of pictures."""
    named = [text for group in inputs for text in group]
    if not named:
        return Clips([None], False)
    clips: list[str | None] = []
    several = len(named) > 1
    for text in named:
        videos = [] if is_url(text) or not Path(text).is_dir() else _videos_in(Path(text))
        several = several or bool(videos)
        clips += videos or [text]
    return Clips(list(dict.fromkeys(clips)), several)


def _videos_in(folder: Path) -> list[str]:
    shown = files_in(folder, deep=True)
    videos = natural_order([path for path in shown if path.suffix.lower() in VIDEOS], folder)
    others = sorted(str(path.relative_to(folder)) for path in shown if path not in set(videos))
    if videos and others:
        more = f", and {len(others) - 5} more" if len(others) > 5 else ""
        say(f"{folder}: {len(others)} left out, no videos by their names: {', '.join(others[:5])}{more}")
    return [str(path) for path in videos]


def stems_of(clips: Sequence[str | None], own: str) -> list[str]:
    """A name for each clip's result that no other has. own: of the domain, whose own clip None is."""
    stems: list[str] = []
    for clip in clips:
        text = "" if clip is None else clip
        stem = own if clip is None else name_from(Path(text).stem if is_url(text) else Path(text).resolve().stem)
        candidates = (stem if count == 1 else f"{stem}-{count}" for count in range(1, len(clips) + 2))
        stems.append(next(candidate for candidate in candidates if candidate not in stems))
    return stems


def folder_for(output: Path | None, several: bool) -> Path | None:
    """The folder that `--output` names for several clips, else None. Raises SettingsError."""
    if output is None or not several:
        return None
    if output.suffix.lower() in VIDEOS or output.is_file():
        raise SettingsError(f"--output {output}: one file for several clips; name a folder")
    return output
