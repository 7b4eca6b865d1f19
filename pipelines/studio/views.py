"""What the pages show, as plain JSON values: read from the files anew each time, and nothing else known."""

from pathlib import Path
from typing import Any

from data.domain.domain import Domain
from data.errors import RetargetError
from data.faces.masks import FEATHER
from data.video.reader import read_metadata
from pipelines.keeping.course import sample_steps
from pipelines.keeping.paces import known
from pipelines.keeping.shelf import Shelf, domains_in, renders_in, runs_in
from pipelines.keeping.trash import removed
from pipelines.pages.runfiles import frame_times, read_evaluation, read_run
from pipelines.studio import crops
from pipelines.studio.files import LABELLER, find, previews_folder, uploads_folder
from pipelines.studio.jobs import Jobs
from pipelines.studio.machine import Machine, commands_elsewhere
from recycle.config import PRESETS
from recycle.methods import DEFAULT, METHODS

_LEAST_TIMES_APART = 0.002
"""Seconds that frames of two videos of the same moments may differ in."""


def home(shelf: Shelf, jobs: Jobs, machine: Machine) -> dict[str, Any]:
    """Everything that is there and that is being done."""
    listed = jobs.listed()
    ours = {job["process"] for job in listed if job["process"] is not None}
    return {
        "domains": domains_in(shelf.domains),
        "runs": runs_in(shelf.runs),
        "renders": renders_in(shelf.renders),
        "jobs": listed,
        "elsewhere": commands_elsewhere(ours),
        "machine": machine.told(),
        "trash": [
            {"kind": kind} | entry
            for kind in ("domains", "runs", "renders")
            for entry in removed(shelf.root(kind))  # type: ignore[arg-type]
        ],
        "uploads": _names(uploads_folder(shelf)),
        "paces": known(),
        "labellers": sorted(path.parts[-3] for path in shelf.runs.glob(f"[!.]*/{LABELLER}")),
    }


def choices() -> dict[str, Any]:
    """Methods with a line each, and the presets."""
    methods = [
        {name: getattr(row, name) for name in ("name", "title", "line", "ways", "adds")}
        | {"semantic": "semantic" in row.all_terms}
        for row in METHODS.values()
    ]
    presets = [{"name": name, "size": networks.size, "steps": own.steps} for name, (networks, own) in PRESETS.items()]
    return {"methods": methods, "method": DEFAULT, "presets": presets}


def domain(shelf: Shelf, name: str) -> dict[str, Any]:
    """A domain: its clips, and what was dropped. Raises RetargetError."""
    folder = shelf.place("domains", name)
    found: dict[str, Any] = {"name": name, "people": (folder / "people.jpg").is_file(), "clips": [], "dropped": []}
    if not (folder / "domain.json").exists():  # begun: who is in a clip is looked at before one of them is followed
        return found | {"size": None, "aligner": None, "sheet": False}
    loaded = Domain.load(folder)
    clips = [
        {"clip": clip.clip, "file": Path(clip.path).name, "frames": clip.frames, "kept": clip.kept, "rate": clip.rate}
        | {"size": clip.size, "excluded": clip.excluded, "address": _upload_address(shelf, Path(clip.path))}
        for clip in loaded.clips
    ]
    sheet = (folder / "contact-sheet.jpg").is_file()
    about = {"size": loaded.size, "aligner": loaded.aligner, "sheet": sheet}
    return found | about | {"clips": clips, "dropped": crops.dropped_before(folder)}


def run(shelf: Shelf, name: str) -> dict[str, Any]:
    """A run: how far it is, its samples, curves, settings and evaluation. Raises RetargetError."""
    # These know networks by name, and so load PyTorch: when somebody looks at a run, not before.
    from pipelines.pages.curves import read_metrics, selection_curve, training_curves
    from pipelines.pages.wording import in_words, title
    from recycle.runs.runfolder import letters

    folder = shelf.place("runs", name)
    found = read_run(folder)
    entry = next(entry for entry in runs_in(shelf.runs) if entry["name"] == name)
    evaluation, trouble = None, ""
    try:
        evaluation = read_evaluation(folder)
    except RetargetError as error:
        trouble = str(error)
    return entry | {
        "title": title(found.settings["method"]),
        "domains": [Path(found.settings[letter]).name for letter in letters(found.settings)],
        "whole": found.settings["aligner_a"] == "none",
        "feather": FEATHER,
        "asks": sorted(METHODS[found.settings["method"]].load().asks),
        "adds": METHODS[found.settings["method"]].adds,
        "settings": in_words(found.settings, found.method, found.training, found.content["computes_in"]),
        "samples": sample_steps(folder),
        "curves": training_curves(read_metrics(folder)),
        "selection": selection_curve(folder, evaluation.content["step"] if evaluation else None),
        "players": _evaluation_players(name, evaluation),
        "measures": evaluation.content["measures"] if evaluation else [],
        "report": (folder / "report.html").is_file(),
        "trouble": trouble,
    }


def result(shelf: Shelf, name: str) -> dict[str, Any]:
    """A rendered clip, with its source where that shows the same moments. Raises RetargetError."""
    path = shelf.place("renders", name)
    if path.is_dir():
        return {"name": name, "players": None, "bytes": None, "provenance": "", "changed": path.stat().st_mtime}
    players = [{"kind": "result", "title": "translated", "address": f"/files/renders/{name}"}]
    times = frame_times(path)
    for upload in _names(uploads_folder(shelf)):
        if name.startswith(f"{Path(upload).stem}-as-"):
            source = uploads_folder(shelf) / upload
            if _same_times(frame_times(source), times):
                players.insert(0, {"kind": "source", "title": "source", "address": f"/files/uploads/{upload}"})
                break
    return {
        "name": name,
        "players": {"videos": players, "times": [round(time - times[0], 5) for time in times]},
        "bytes": path.stat().st_size,
        "provenance": _provenance(path),
        "changed": path.stat().st_mtime,
    }


def watched(shelf: Shelf, jobs: Jobs) -> dict[str, Any]:
    """What pages follow: name -> a value that changes when there is something new to show."""
    listed = jobs.listed()
    found: dict[str, Any] = {"jobs": [[job["id"], job["state"], job["progress"]] for job in listed]}
    for kind in ("domains", "runs", "renders"):
        root = shelf.root(kind)  # type: ignore[arg-type]
        found[kind] = [_stamp(root), _stamp(root / ".trash")]
    for folder in shelf.domains.glob("*/"):
        found[f"domain:{folder.name}"] = [_stamp(folder), _stamp(folder / crops.TIMES)]
    for folder in shelf.runs.glob("[!.]*/"):
        places = (folder, folder / "samples", folder / "checkpoints", folder / "metrics.csv", folder / "evaluation")
        found[f"run:{folder.name}"] = [_stamp(place) for place in places]
    found["previews"] = _stamp(previews_folder(shelf))
    return found


def _stamp(place: Path) -> int:
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _upload_address(shelf: Shelf, clip: Path) -> str | None:
    """Where pages find a domain's own clip: only one that was dropped on them lies where files are served from."""
    try:
        find(shelf, "uploads", clip.name)
    except RetargetError:
        return None
    is_it = clip.parent == uploads_folder(shelf).resolve()
    return f"/files/uploads/{clip.name}" if is_it else None


def _evaluation_players(name: str, evaluation: Any) -> dict[str, Any] | None:
    if evaluation is None or not all(video.is_file() for video in evaluation.videos.values()):
        return None
    titles = {"source": "source", "result": "translated", "truth": "truth"}
    videos = [
        {"kind": kind, "title": titles[kind], "address": f"/files/runs/{name}/evaluation/{video.name}"}
        for kind, video in evaluation.videos.items()
    ]
    times = frame_times(next(iter(evaluation.videos.values())))
    return {"videos": videos, "times": [round(time, 5) for time in times]}


def _same_times(one: list[float], other: list[float]) -> bool:
    if len(one) != len(other):
        return False
    return all(abs((a - one[0]) - (b - other[0])) < _LEAST_TIMES_APART for a, b in zip(one, other, strict=True))


def _provenance(path: Path) -> str:
    """What the file says of itself."""
    try:
        return read_metadata(path).get("comment", "")
    except RetargetError as error:
        return str(error)
