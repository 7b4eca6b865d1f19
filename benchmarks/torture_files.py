"""Files of a domain, a run and a study that are damaged, or made to do harm: used as they were, or told in one line.

What is read is changed in one way after another: bits, cuts, and values of JSON replaced by others, nested, made huge.
It may be refused by an error that the command line prints in one line, or left out with a note. Anything else is a
fault: another error, a crash, a hang, or a result that is not what was written.
"""

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.palette import read_palette
from data.domain.record import Record
from data.errors import RetargetError
from pipelines.pages.answers import FORMAT, Key, read_answers, read_key, seal, write_key
from recycle.runs.checkpoint import CheckpointError, load_newest
from recycle.runs.runfolder import load_for_rendering

NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 10**400, 1e308, float("nan"), "", "../../etc/passwd", "/etc/passwd", "a\0b", "\x1b[31m",
    "é" * 300, [], {}, [[]], {"a": 1}, "x" * 10**5, "<script>", "$(id)",
)  # fmt: skip

_PICKLE = b"\x80\x04cos\nsystem\n(S'id'\ntR."


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A file's content, changed at random."""
    way = draw.randrange(8)
    if way == 0 and content:
        return content[: draw.randrange(len(content))]
    if way == 1 and content:
        at = draw.randrange(len(content))
        return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]
    if way == 2:
        at = draw.randrange(len(content) + 1)
        return content[:at] + draw.randbytes(draw.randrange(1, 40)) + content[at:]
    if way == 3:
        return draw.choice(
            [b"[" * 10**5, b'{"a":' * 10**5, b"\xff\xfe", b"", b"null", b"1e999", b"\x80\x04cos\nsystem\n."]
        )
    lines = content.split(b"\n")
    at = draw.randrange(len(lines))
    with suppress(ValueError, RecursionError):
        lines[at] = json.dumps(_swapped(json.loads(lines[at]), draw)).encode()
        return b"\n".join(lines)
    with suppress(ValueError, RecursionError):
        return json.dumps(_swapped(json.loads(content), draw)).encode()
    return content[draw.randrange(len(content) + 1) :]


def _swapped(value: Any, draw: random.Random) -> Any:
    """A value with one of its parts, or all of it, replaced."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        key = draw.choice(sorted(value))
        if draw.random() < 0.15:
            return {name: part for name, part in value.items() if name != key}
        return value | {key: _swapped(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.7:
        at = draw.randrange(len(value))
        return [*value[:at], _swapped(value[at], draw), *value[at + 1 :]]
    return draw.choice(NASTY)


def damaged_checkpoints(run: Path, folder: Path, times: int, draw: random.Random) -> list[str]:
    """One file of a run's newest checkpoint is cut anywhere, or one of its bits flipped: the one before is used."""
    faults = []
    there = folder / "checkpoints"
    shutil.copytree(run / "checkpoints", there)
    newest, before = sorted(there.glob("step-*"), reverse=True)[:2]
    whole = load_newest(there)
    assert whole is not None and whole.folder == newest
    for _ in range(times):
        path = draw.choice(sorted(newest.iterdir()))
        content = path.read_bytes()
        at, bit = draw.randrange(len(content)), draw.randrange(9)
        changed = content[:at] if bit == 8 else content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
        path.write_bytes(changed)
        notes: list[str] = []
        what = f"{path.name}, {'cut' if bit == 8 else f'bit {bit}'} at {at}"
        try:
            found = load_newest(there, on_note=notes.append)
        except Exception as error:
            faults.append(f"{what}: {type(error).__name__}: {error}")
        else:
            if found is None or (found.folder != before and not _same(found, whole)):
                faults.append(f"{what}: used")
            elif found.folder == before and len(notes) != 1:
                faults.append(f"{what}: notes {notes}")
        path.write_bytes(content)
    return faults


def _same(one: Any, other: Any) -> bool:
    if one.state != other.state or one.tensors.keys() != other.tensors.keys():
        return False
    return all(
        part.keys() == other.tensors[group].keys() and all(part[k].equal(other.tensors[group][k]) for k in part)
        for group, part in one.tensors.items()
    )


def damaged_domains(folder: Path, times: int, draw: random.Random) -> list[str]:
    """One file of a domain is changed: it is refused, or left out with a note, or says what was written."""
    records = [Record("c", n, n, "1/25", 0, "train", 0, [[1.5, 2.0]], [[1, 0, 0], [0, 1, 0]], 3.0) for n in range(6)]
    clip = Clip("c", "/films/c.mp4", "0" * 64, "video", {"window": 3}, 6, 6, 1, "25", [64, 48], 0, {"range": "tv"})
    domain = Domain(folder / "d", "yunet", 64, [clip], {"looks": [[0.5]], "others": []}, {"av": "18"})
    domain.save(records)
    domain.places([clip.path])
    paths = [path for path in sorted(domain.folder.rglob("*.json*")) if path.is_file()]

    def use(notes: list[str]) -> None:
        found = Domain.load(domain.folder, notes.append)
        read = list(found.records())
        found.promised()
        if read != records and not notes:
            raise AssertionError("other records, and no note")
        for part in found.clips:
            assert part.from_video in (True, False) and part.kept + part.frames + part.shots >= 0 and Path(part.path)

    return [fault for path in paths for fault in _refused(path, use, times // len(paths), draw)]


def damaged_palettes(folder: Path, times: int, draw: random.Random) -> list[str]:
    """A palette as JSON and as CSV is changed."""
    contents = {"p.json": b'{"road": [128, 64, 128], "void": [0, 0, 0]}', "p.csv": b"road,128,64,128\nvoid,0,0,0\n"}
    faults = []
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(content)
        faults += _refused(path, lambda notes, path=path: read_palette(path) and None, times // 2, draw)  # type: ignore[misc]
    return faults


def damaged_runs(run: Path, folder: Path, times: int, draw: random.Random) -> list[str]:
    """The settings of a run are changed before it is to render."""
    there = folder / "run"
    shutil.copytree(run, there)

    def use(notes: list[str]) -> None:
        load_for_rendering(there, on_note=notes.append)

    return _refused(there / "config.json", use, times, draw)


def damaged_studies(folder: Path, times: int, draw: random.Random) -> list[str]:
    """The key of a study, and answers to it, are changed."""
    key = Key("real", [("real", "runs/one"), ("runs/one", "real")], "salt")
    write_key(folder / "key.json", key)
    answers = [{"pair": n, "chosen": "left", "milliseconds": 900 + n} for n in range(2)]
    content: dict[str, Any] = {"format": f"retarget answers {FORMAT}", "study": key.study, "person": "x"}
    content["answers"] = answers
    content["seal"] = seal(content)
    (folder / "answers.json").write_text(json.dumps(content))

    def use(notes: list[str]) -> None:
        found = read_answers((folder / "answers.json",), read_key(folder / "key.json"))
        if found != [(0, "left"), (1, "left")]:
            raise AssertionError(f"other answers: {found}")

    names = ("key.json", "answers.json")
    return [fault for name in names for fault in _refused(folder / name, use, times // 2, draw)]


def _refused(path: Path, use: Callable[[list[str]], None], times: int, draw: random.Random) -> list[str]:
    """Faults of `use` on mutations of a file, which is put back. use: is given a list for notes."""
    faults, content = [], path.read_bytes()
    for _ in range(times):
        changed = mutated(content, draw)
        path.write_bytes(changed)
        notes: list[str] = []
        try:
            use(notes)
        except (RetargetError, CheckpointError) as error:
            if "\n" in str(error) or "\x1b" in str(error):
                faults.append(f"{path.name}: {str(error)!r} for {changed[:200]!r}")
        except Exception as error:
            faults.append(f"{path.name}: {type(error).__name__}: {str(error)[:200]} for {changed[:200]!r}")
        faults += [f"{path.name}: note {note!r}" for note in notes if "\n" in note or "\x1b" in note]
        path.write_bytes(content)
    return faults
