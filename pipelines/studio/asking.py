"""What a page asks for becomes the words of a command: known fields of its options, each checked by its type.

No text of a page ever becomes a flag, a path or part of a line: names are looked up below domains and runs, files by
what was uploaded, numbers and choices by the dataclass of the command, and the words go to the command as a list.
"""

import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from data.disk import check_name
from data.domain.web import is_url
from data.errors import SettingsError
from pipelines.keeping.shelf import Shelf
from pipelines.options import DoctorOptions, EvaluateOptions, ExtractOptions, RenderOptions, ReportOptions, TrainOptions
from pipelines.studio.files import LABELLER, find, previews_folder
from pipelines.studio.jobs import Lane
from recycle.methods import DEFAULT

OPTIONS: dict[str, type] = {
    "extract": ExtractOptions,
    "doctor": DoctorOptions,
    "train": TrainOptions,
    "render": RenderOptions,
    "evaluate": EvaluateOptions,
    "report": ReportOptions,
}
_TEXTS = frozenset(
    {"name", "face", "use", "start", "stop", "preview", "generator", "method", "into", "out_of", "scale"}
)
"""Options that are free text, of letters and signs that mean nothing to a parser."""
_TEXT = re.compile(r"[\w.,:#][\w .,:+&()#-]{0,99}")
_KEPT_PREVIEWS = 20
_OWN: dict[str, frozenset[str]] = {
    "extract": frozenset({"videos"}),
    "doctor": frozenset({"a", "b"}),
    "train": frozenset({"a", "b", "more", "add", "run", "source", "guard"}),
    "render": frozenset({"run", "input", "output", "reference"}),
    "evaluate": frozenset({"run", "input", "truth", "reference"}),
    "report": frozenset({"run"}),
}
"""Options that are paths: made here from names."""


def words_for(command: str, asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], Lane, dict[str, str]]:
    """The words of a command, its lane, and what it is about. asked: option -> value, as JSON has them.

    Raises SettingsError, BadNameError, MissingInputError.
    """
    if command not in OPTIONS:
        raise SettingsError(f"{command!r}: not a command of this studio")
    asked = {name: value for name, value in asked.items() if value not in (None, "", [])}
    flags = [_flag(command, name, value) for name, value in asked.items() if name not in _OWN[command]]
    words, about = _PLACES[command](asked, shelf)
    lane: Lane = "train" if command == "train" else "work"
    if "preview" in asked or asked.get("people") or asked.get("measure") or command == "doctor":
        lane = "quick"
    return [command, *words, *flags], lane, {"command": command} | about


def _extract(asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], dict[str, str]]:
    videos = [_source(str(video), shelf) for video in _list(asked, "videos")]
    if not videos:
        raise SettingsError("drop a video, or name a folder or an address")
    name = asked.get("name")
    face = str(asked.get("face", ""))
    about = {"domain": str(name)} if name else {}
    if face and not re.fullmatch(r"\d+|largest|all", face):
        raise SettingsError(f"face {face}: largest, all, or a number")
    return [*videos, f"--domains={shelf.domains}"], about


def _doctor(asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], dict[str, str]]:
    a, b = _two(asked)
    names = [str(shelf.place("domains", name)) for name in (a, b)]
    page = f"doctor-{b}.html"
    words = [*names, f"--domains={shelf.domains}", f"--output={shelf.place('domains', a) / page}"]
    return words, {"domain": a, "page": f"domains/{a}/{page}"}


def _two(asked: dict[str, Any]) -> tuple[str, str]:
    a, b = (str(asked.get(side, "")) for side in ("a", "b"))
    if not a or not b:
        raise SettingsError("choose two domains")
    return a, b


def _train(asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], dict[str, str]]:
    if asked.get("measure"):
        return [], {"measures": f"{asked.get('method', DEFAULT)} {asked.get('preset', '')}"}
    if asked.get("add"):
        run, new = str(asked.get("run", "")), str(asked["add"])
        grown = [f"--add={shelf.place('domains', new)}", f"--run={shelf.place('runs', run)}"]
        return [*grown, f"--domains={shelf.domains}"], {"run": check_name(f"{run}-{new}", "run")}
    a, b = _two(asked)
    names = [str(shelf.place("domains", str(name))) for name in (a, b, *_list(asked, "more"))]
    run = check_name(str(asked.get("run") or "-".join(Path(name).name for name in names)), "run")
    words = [*names, f"--domains={shelf.domains}", f"--run={shelf.runs / run}"]
    if asked.get("source"):
        words.append(f"--from={shelf.place('runs', str(asked['source']))}")
    if asked.get("guard"):
        words.append(f"--guard={shelf.place('runs', str(asked['guard'])) / LABELLER}")
    return words, {"run": run}


def _translating(asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], dict[str, str]]:
    run = str(asked.get("run", ""))
    words = [f"--run={shelf.place('runs', run)}", f"--domains={shelf.domains}"]
    for name in ("input", "truth", "reference"):
        words += [f"--{name}={_source(str(video), shelf)}" for video in _list(asked, name)]
    return words, {"run": run}


def _render(asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], dict[str, str]]:
    words, about = _translating(asked, shelf)
    output = asked.get("output")
    if output is not None:
        name = check_name(str(output), "output")
        folder = shelf.renders
        if "preview" in asked:
            folder = previews_folder(shelf)
            _make_room(folder)
        words.append(f"--output={folder / name}")
        about["output"] = name
    return words, about


def _make_room(previews: Path) -> None:
    """Keeps the last frames that were looked at."""
    for old in sorted(previews.glob("*.png"), key=lambda path: path.stat().st_mtime)[:-_KEPT_PREVIEWS]:
        old.unlink(missing_ok=True)


def _report(asked: dict[str, Any], shelf: Shelf) -> tuple[list[str], dict[str, str]]:
    run = str(asked.get("run", ""))
    about = {"run": run, "page": f"runs/{run}/report.html"}
    return [f"--run={shelf.place('runs', run)}", f"--domains={shelf.domains}"], about


_PLACES = {
    "extract": _extract,
    "doctor": _doctor,
    "train": _train,
    "render": _render,
    "evaluate": _translating,
    "report": _report,
}


def _list(asked: dict[str, Any], name: str) -> list[Any]:
    value = asked.get(name, [])
    return value if isinstance(value, list) else [value]


def _source(text: str, shelf: Shelf) -> str:
    """A video as a command takes it: "upload:NAME", an address, or a path of this machine from the root on."""
    if text.startswith("upload:"):
        return str(find(shelf, "uploads", text.removeprefix("upload:")))
    if is_url(text) and text.startswith(("https://", "http://")):
        return text
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise SettingsError(f"{text}: give the whole path, from / on")
    return str(path)


def _flag(command: str, name: str, value: Any) -> str:
    """One option as a word. Raises SettingsError for what its type does not take."""
    known = _options(OPTIONS[command])
    if name not in known:
        raise SettingsError(f"{name}: no option of {command} that can be set here")
    flag, kind = known[name]
    wrong = SettingsError(f"{flag} {str(value)[:60]}: not what this option takes")
    if kind is bool:
        if not isinstance(value, bool):
            raise wrong
        return flag if value else flag.replace("--", "--no-", 1)
    if get_origin(kind) is Literal:
        if str(value) not in map(str, get_args(kind)):
            raise wrong
        return f"{flag}={value}"
    if kind in (int, float):
        try:
            return f"{flag}={kind(value)}"
        except (TypeError, ValueError, OverflowError):
            raise wrong from None
    if not isinstance(value, str | int) or not _TEXT.fullmatch(str(value)):
        raise wrong
    return f"{flag}={value}"


@cache
def _options(kind: type) -> dict[str, tuple[str, Any]]:
    """Option -> its flag and type, of those that are numbers, choices, switches or known texts; nested ones too."""
    found: dict[str, tuple[str, Any]] = {}
    hints, plain = get_type_hints(kind, include_extras=True), get_type_hints(kind)
    for field in fields(kind):
        named = [part.name for part in getattr(hints[field.name], "__metadata__", ()) if getattr(part, "name", None)]
        inner = [part for part in get_args(plain[field.name]) if part is not NoneType]
        is_optional = NoneType in get_args(plain[field.name])
        type_ = inner[0] if is_optional and len(inner) == 1 else plain[field.name]
        if is_dataclass(type_):
            found |= _options(type_)  # type: ignore[arg-type]
        elif type_ in (bool, int, float) or get_origin(type_) is Literal or field.name in _TEXTS:
            found[field.name] = (f"--{(named or [field.name])[0].replace('_', '-')}", type_)
    return found
