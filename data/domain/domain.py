"""One person or scene on disk: `domain.json`, `frames.jsonl` and the pictures.

personA/domain.json                what it was made from, and how
personA/frames.jsonl               one `Record` a line, every frame of every clip
personA/frames/<clip>/000001.jpg   the pictures of the frames that are kept; deleting one takes it out of training
personA/contact-sheet.jpg          to look at before training
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

from data.disk import check_name, write_bytes, write_json
from data.domain.record import Record, runs
from data.errors import MissingDomainError, SettingsError, TooFewFramesError

FORMAT = 1


@dataclass
class Clip:
    """What `domain.json` says of one clip. `settings` are those it was extracted with."""

    clip: str
    path: str
    sha256: str
    kind: str
    settings: dict[str, Any]
    frames: int
    kept: int
    shots: int
    rate: str
    size: list[int]
    rotation: int
    colour: dict[str, str]
    excluded: dict[str, int] = field(default_factory=dict)

    @property
    def from_video(self) -> bool:
        """Whether it was made from a video file and not from a folder of pictures."""
        return self.kind == "video"


@dataclass
class Domain:
    """A domain's folder and what its `domain.json` says. `identity` is what is known of the followed face."""

    folder: Path
    aligner: str
    size: int
    clips: list[Clip] = field(default_factory=list)
    identity: dict[str, Any] | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @classmethod
    def load(cls, folder: Path) -> "Domain":
        """Reads a domain. Raises MissingDomainError, SettingsError."""
        path = folder / "domain.json"
        try:
            content = json.loads(path.read_text())
            if content.pop("format") != FORMAT:
                raise ValueError("made by another version")
            content["clips"] = [Clip(**clip) for clip in content["clips"]]
            if (folder / "identity.json").exists():
                content["identity"] = json.loads((folder / "identity.json").read_text())
            for clip in content["clips"]:
                check_name(clip.clip, f"{path}: clip")
            return cls(folder=folder, **content)
        except (FileNotFoundError, NotADirectoryError):
            raise MissingDomainError(folder) from None
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            raise SettingsError(f"{path}: cannot be read ({error}); delete {folder} and extract again") from error

    def save(self, records: Iterable[Record]) -> None:
        """Writes frames.jsonl, then domain.json, each whole or not at all. Raises OutputError."""
        lines = "".join(json.dumps(_without_none(record), separators=(",", ":")) + "\n" for record in records)
        write_bytes(self.folder / "frames.jsonl", lines.encode())
        if self.identity is not None:
            write_bytes(self.folder / "identity.json", json.dumps(self.identity).encode())
        kept = {key: value for key, value in vars(self).items() if key not in ("folder", "identity")}
        content = {"format": FORMAT} | kept
        write_json(self.folder / "domain.json", content | {"clips": [dataclasses.asdict(clip) for clip in self.clips]})

    def records(self) -> Iterator[Record]:
        """Every frame, clip after clip in the order of extraction. Raises SettingsError."""
        names = {clip.clip for clip in self.clips}
        path = self.folder / "frames.jsonl"
        try:
            with path.open() as lines:
                for line in lines:
                    record = Record(**json.loads(line))
                    if record.clip in names:
                        yield record
        except (OSError, ValueError, TypeError) as error:
            message = f"{path}: cannot be read ({error}); delete {self.folder} and extract again"
            raise SettingsError(message) from error

    def clip(self, name: str) -> Clip:
        return next(clip for clip in self.clips if clip.clip == name)


def _without_none(record: Record) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if value is not None}


LEAST_GAP_SECONDS = Fraction(1, 2)
"""Between what is learned from and what is held out: faces hardly change in less."""
_MOST_SPARED = Fraction(1, 4)
"""Of a clip, for what is held out and the gap, where other clips may be held out instead."""
_MOST_SPARED_ALONE = Fraction(1, 3)
"""Of a clip that is the only one: the gap of one shorter than two seconds is shorter, but never than a window. One that
cannot spare both is all learned from."""


def held_out(
    records: list[Record], window: int, beside: Sequence[Record] = (), *, in_time: bool = True
) -> list[Record]:
    """The records of one clip with the last tenth in time as `test`, and LEAST_GAP_SECONDS before it as `gap`, or a
    window where that is longer. Of a clip of less than two seconds that gap would leave little to learn from: it and
    what is held out together take at most a third.

    The test part grows backwards until it holds at least one window; a clip that cannot spare a training window, a
    gap and a test window is all `train`. Where there are other clips, `beside`, one that is short for all this is held
    out whole or not at all, so that a tenth of the domain is. in_time: times say how far apart frames are; else the gap
    is a window.
    """
    kept = [record for record in records if record.split != "excluded"]
    kept = [dataclasses.replace(record, split="train") for record in kept]
    end = len(kept)
    first = end - max(window, round(end / 10))
    while first > 0 and not _has_window(kept[first:], window):
        first -= 1
    last_train = max(0, first - window)
    while in_time and last_train > 0 and kept[first].seconds - kept[last_train - 1].seconds < LEAST_GAP_SECONDS:
        last_train -= 1
    if not beside and in_time and end - first + window <= _MOST_SPARED_ALONE * end:
        last_train = max(last_train, end - int(_MOST_SPARED_ALONE * end))
    if beside and end - last_train > _MOST_SPARED * end:
        parts = Counter(record.split for record in beside)
        is_test = 10 * (parts["test"] + end) <= parts["train"] + parts["test"] + end and _has_window(kept, window)
        names = [("test" if is_test else "train")] * end
    elif first <= 0 or not _has_window(kept[:last_train], window):
        names = ["train"] * end
    else:
        names = ["train"] * last_train + ["gap"] * (first - last_train) + ["test"] * (end - first)
    split = {r.number: dataclasses.replace(r, split=s) for r, s in zip(kept, names, strict=True)}
    return [split.get(record.number, record) for record in records]


LEAST_TO_HALVE = 20
"""Held-out frames of a clip from which on they are divided; fewer choose a checkpoint and judge it."""


def halves(records: Iterable[Record], window: int) -> tuple[list[Record], list[Record]]:
    """The held-out records of a domain: those that choose a checkpoint, and those that judge it.

    Of each clip the first half in time chooses and the second judges, with a window between them that does neither; of
    a clip with fewer than LEAST_TO_HALVE, all do both.
    """
    choosing: list[Record] = []
    judging: list[Record] = []
    for _, part in groupby((record for record in records if record.split == "test"), key=lambda record: record.clip):
        clip = list(part)
        middle = len(clip) // 2
        whole = len(clip) < LEAST_TO_HALVE
        choosing += clip if whole else clip[: max(1, middle - window)]
        judging += clip if whole else clip[middle:]
    return choosing, judging


def put_in(split: str, records: list[Record]) -> list[Record]:
    """The records of one clip with all kept frames in one part of the domain: for sets whose makers held some out."""
    return [r if r.split == "excluded" else dataclasses.replace(r, split=split) for r in records]


def _has_window(records: list[Record], window: int) -> bool:
    return any(len(run) >= window for run in runs(records))


def require_window(records: Iterable[Record], window: int, where: str) -> None:
    """Raises TooFewFramesError where no `window` kept frames stand in a row."""
    longest = max((len(run) for run in runs(records)), default=0)
    if longest < window:
        raise TooFewFramesError(where, longest, window)
