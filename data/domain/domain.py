"""One person or scene on disk, which several processes may complete at once: nothing in it is rewritten as a whole.

personA/domain.json                what holds for all of it; written when it is begun
personA/names.jsonl                what each source's clip is called and its place among them; a line each, appended
personA/clips/<clip>.jsonl         what it was made from and how, then one `Record` a line; there when the clip is whole
personA/frames/<clip>/000001.jpg   the pictures of the frames that are kept; deleting one takes it out of training
personA/identity.json              what is known of the followed face, from the first clip
personA/contact-sheet.jpg          to look at before training
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data.disk import make_folder, name_from, output_errors, put_in_place, remove_folder, typed, write_bytes, write_json
from data.domain import older
from data.domain.clipfile import SUFFIX, Clip, DamagedClipError, read_clip, read_records, write_clip
from data.domain.record import Record
from data.errors import BadNameError, MissingDomainError, SettingsError
from durable.growing import growing
from durable.locks import is_held, locked

FORMAT = 2


def _silent(line: str) -> None:
    pass


@dataclass
class Domain:
    """A domain's folder and what is known of it. `identity` is what is known of the followed face.

    on_note: told, in a line each, what is damaged and left out.
    """

    folder: Path
    aligner: str
    size: int
    clips: list[Clip] = field(default_factory=list)
    identity: dict[str, Any] | None = None
    versions: dict[str, str] = field(default_factory=dict)
    on_note: Callable[[str], None] = field(default=_silent, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @classmethod
    def load(cls, folder: Path, on_note: Callable[[str], None] = _silent) -> "Domain":
        """Reads a domain; one of the version before is converted.

        Raises MissingDomainError, SettingsError, OutputError.
        """
        path = folder / "domain.json"
        try:
            content = json.loads(path.read_text())
            if content.get("format") == older.FORMAT:
                on_note(f"{folder}: made by an earlier version; its {older.TABLE} becomes a file for each clip")
                with output_errors(folder), locked(folder / ".lock", on_wait=lambda _: None):
                    older.convert(folder)
                content = json.loads(path.read_text())
            if content.pop("format") != FORMAT:
                raise ValueError("made by another version")
            if (folder / "identity.json").exists():
                content["identity"] = json.loads((folder / "identity.json").read_text())
            if not {*content} <= {"aligner", "size", "versions", "identity"}:
                raise ValueError("says what no domain says")
            domain = replace(typed(cls, {"folder": folder} | content), on_note=on_note)
        except (FileNotFoundError, NotADirectoryError):
            raise MissingDomainError(folder) from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError) as error:
            raise SettingsError(f"{path}: cannot be read ({error}); delete {folder} and extract again") from error
        domain.refresh()
        return domain

    def refresh(self) -> None:
        """Reads again which clips there are: other processes may add some."""
        found = []
        for path in sorted((self.folder / "clips").glob(f"[!.]*{SUFFIX}")):
            try:
                found.append(read_clip(path))
            except (DamagedClipError, BadNameError, OSError) as error:
                self._leave_out(path, error)
        self.clips = sorted(found, key=lambda clip: (clip.place, clip.clip))

    def begin(self) -> None:
        """Writes what holds for all of it, where that is not there. Raises OutputError, SettingsError."""
        make_folder(self.folder / "frames")
        make_folder(self.folder / "clips")
        content = {"format": FORMAT, "aligner": self.aligner, "size": self.size, "versions": self.versions}
        with self.exclusively():
            path = self.folder / "domain.json"
            if path.exists() and (self.clips or json.loads(path.read_text()) == content):
                return
            if path.exists() and self.others_at_work():
                raise SettingsError(f"{self.folder}: another process is making it with other settings; wait for it")
            write_json(path, content)

    def places(self, sources: Sequence[str]) -> list[tuple[str, int]]:
        """Name and place of the clip of each source, given by its `key_of`: as promised before, or now.

        Raises OutputError.
        """
        taken = self.promised()
        if set(sources) <= set(taken):
            return [taken[source] for source in sources]
        path = self.folder / "names.jsonl"
        with output_errors(path), growing(path) as file:
            taken = self.promised()
            new = []
            for source in sources:
                if source not in taken:
                    place = max((place for _, place in taken.values()), default=-1) + 1
                    taken[source] = _free_name(source, {name for name, _ in taken.values()}), place
                    new.append({"source": source, "clip": taken[source][0], "place": place})
            if new:  # else another process was first
                file.add(*map(json.dumps, new))
        return [taken[source] for source in sources]

    def promised(self) -> dict[str, tuple[str, int]]:
        """`key_of` every source that was ever given to it -> name and place of its clip."""
        taken = {key_of(Path(clip.path), clip.settings): (clip.clip, clip.place) for clip in self.clips}
        try:
            lines = (self.folder / "names.jsonl").read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                content = json.loads(line)
                taken[str(content["source"])] = str(content["clip"]), int(content["place"])
            except (ValueError, TypeError, KeyError, RecursionError):
                continue  # torn off by a power cut: that clip gets its name anew
        return taken

    def enter(self, clip: Clip, records: Iterable[Record], pictures: Path) -> None:
        """Puts in a clip, in the place of an earlier one of its name: until it is whole, there is none.

        pictures: the folder of its pictures, which is moved. Raises OutputError.
        """
        final = self.folder / "frames" / clip.clip
        with output_errors(final):
            (self.folder / "clips" / f"{clip.clip}{SUFFIX}").unlink(missing_ok=True)
        remove_folder(final)
        put_in_place(pictures, final)
        write_clip(self.folder / "clips", clip, records)
        kept = [other for other in self.clips if other.clip != clip.clip]
        self.clips = sorted([*kept, clip], key=lambda clip: (clip.place, clip.clip))

    def know(self, identity: dict[str, Any]) -> bool:
        """Keeps what is known of the followed face; False, and what is known already, where that is something else.

        Raises OutputError.
        """
        with self.exclusively():
            self.recall()
            if self.identity is None:
                write_bytes(self.folder / "identity.json", json.dumps(identity).encode())
                self.identity = json.loads(json.dumps(identity))
                return True
        return self.identity == json.loads(json.dumps(identity))

    def recall(self) -> None:
        """Reads what another process may have found out about the followed face. Raises OutputError."""
        path = self.folder / "identity.json"
        with output_errors(path):
            if path.exists():
                self.identity = json.loads(path.read_text())

    def save(self, records: Iterable[Record]) -> None:
        """Writes all of it at once: every clip with those of `records` that are its own. Raises OutputError."""
        self.begin()
        if self.identity is not None:
            write_bytes(self.folder / "identity.json", json.dumps(self.identity).encode())
        by_clip: dict[str, list[Record]] = {clip.clip: [] for clip in self.clips}
        for record in records:
            by_clip.setdefault(record.clip, []).append(record)
        for place, clip in enumerate(self.clips):
            write_clip(self.folder / "clips", replace(clip, place=place), by_clip[clip.clip])

    def records(self, *, landmarks: bool = True) -> Iterator[Record]:
        """Every frame, clip after clip in their order; without landmarks and transforms much faster.

        A clip whose file is damaged is left out, with a note.
        """
        for clip in self.clips:
            yield from self.records_of(clip, landmarks=landmarks)

    def records_of(self, clip: Clip, *, landmarks: bool = True) -> list[Record]:
        """Every frame of a clip; none, and a note, where its file is damaged."""
        path = self.folder / "clips" / f"{clip.clip}{SUFFIX}"
        try:
            return read_records(path, landmarks=landmarks)
        except (DamagedClipError, BadNameError, OSError) as error:
            self._leave_out(path, error)
            return []

    def has(self, name: str) -> Clip | None:
        """The clip of that name as it is on disk now."""
        try:
            return read_clip(self.folder / "clips" / f"{name}{SUFFIX}")
        except (DamagedClipError, BadNameError, OSError):
            return None

    def clip(self, name: str) -> Clip:
        return next(clip for clip in self.clips if clip.clip == name)

    def workplace(self, clip: str) -> Path:
        """Where a clip is made before it is entered."""
        return self.folder / "frames" / f".{clip}"

    def lock_of(self, clip: str) -> Path:
        """Held while a clip is made."""
        return self.folder / "frames" / f".{clip}.lock"

    @contextmanager
    def working_on(self, clip: str, on_wait: Callable[[str], None]) -> Iterator[bool]:
        """Keeps other processes from making the same clip. Gives False where the file system has no locks."""
        with output_errors(self.folder), locked(self.lock_of(clip), on_wait) as exclusive:
            yield exclusive

    def others_at_work(self) -> bool:
        """Whether another process is making one of its clips."""
        return any(map(is_held, (self.folder / "frames").glob(".*.lock")))

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """For what takes a moment: one process at a time."""
        with output_errors(self.folder), locked(self.folder / ".lock", on_wait=lambda _: None):
            yield

    def _leave_out(self, path: Path, error: Exception) -> None:
        self.on_note(f"{path}: damaged and left out ({error}); extract its source again")


def key_of(path: Path, settings: dict[str, Any]) -> str:
    """What tells a source from others: its path, and which part of it where it is not all."""
    part = [str(settings.get(name)) for name in ("start", "stop")]
    return str(path.resolve()) + ("" if part == ["None", "None"] else f"#{'-'.join(part)}")


def _free_name(source: str, taken: set[str]) -> str:
    """A name after the source's that no other clip of the domain has."""
    name = name_from(Path(source.partition("#")[0]).stem)
    candidates = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)
