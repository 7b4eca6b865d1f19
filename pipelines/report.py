"""`retarget report`: one page of a run, which opens from disk without a network."""

import re
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from data.disk import write_bytes
from data.domain.pictures import read_picture
from data.errors import RetargetError, SettingsError
from data.video.reader import probe
from pipelines.options import ReportOptions
from pipelines.pages.curves import Row, read_metrics, selection_curve, training_curves
from pipelines.pages.pages import data_uri, page, picture_uris
from pipelines.pages.runfiles import Evaluation, Run, frame_times, read_evaluation, read_run
from pipelines.pages.wording import in_words, title
from pipelines.places import find_domain, newest_run, say
from recycle.runs.runfolder import letters

MAX_SHEETS = 24
NAMED_CLIPS = 6
PAGE_BYTES = 1_900_000
"""Of the whole page, without its videos."""
LEAST_PICTURE_BYTES = 400_000


def report(options: ReportOptions) -> None:
    """Writes the page. Raises RetargetError."""
    run = read_run(options.run or newest_run(options.runs))
    evaluation = read_evaluation(run.folder)
    rows = read_metrics(run.folder)
    judged = evaluation.content["step"] if evaluation else None
    data = _words(run, rows, evaluation) | _players(run, evaluation)
    data |= {"curves": training_curves(rows), "selection": selection_curve(run.folder, judged)}
    domains, sheets = zip(*(_domain(run, side, options.domains) for side in letters(run.settings)), strict=True)
    data["domains"] = domains
    used = len(_page(data | {"players": []}).encode())
    _add_pictures(data, run, sheets, max(PAGE_BYTES - used, LEAST_PICTURE_BYTES))
    output = options.output or run.folder / "report.html"
    whole = _page(data).encode()
    write_bytes(output, whole)
    if evaluation is None:
        say(f"{run.folder}: not measured yet; for players and measures run: {data['evaluate_command']}")
    elif not data["players"]:
        say(f"{run.folder}: the videos of its evaluation are gone; run: {data['evaluate_command']}")
    say(f"{output}: {len(whole) / 1e6:.1f} MB, opens in any browser, offline")


def _page(data: dict[str, Any]) -> str:
    scripts = ("curves.js", "players.js", "measures.js", "report.js")
    return page("report", f"{data['title']} · retarget", data, style=("report.css",), script=scripts)


def _words(run: Run, rows: list[Row], evaluation: Evaluation | None) -> dict[str, Any]:
    """The page's head, and the settings."""
    method = title(run.settings["method"])
    step = f", trained to step {rows[-1]['step']:,.0f} in {_duration(rows[-1]['seconds'])}" if rows else ""
    measured = ""
    if evaluation is not None:
        found = evaluation.content
        truth = f" against {Path(found['truth']).name}" if found["truth"] else ""
        weights = "the running mean of the weights" if found["weights"] == "ema" else "the weights"
        checkpoint = f", the {found['checkpoint']} checkpoint" if found.get("checkpoint") in ("best", "newest") else ""
        part = f" ({found['part']})" if found.get("part") else ""
        here, there = _ends(run, found)
        way = f" from {here} to {there}" if found["direction"] != "a_to_b" else ""
        clip = f"{Path(found['input']).name}{part}{truth}"
        measured = f"Measured{way} on {clip}: {weights} at step {found['step']:,}{checkpoint}."
    return {
        "title": (" → " if len(run.names) == 2 else ", ").join(run.names),
        "headline": f"{method} at {run.method.networks.size} px{step}.",
        "measured": measured,
        "made": f"Made by retarget {version('retarget')} from {run.folder}. Translated pictures are synthetic.",
        "evaluate_command": _evaluate(run),
        "settings": in_words(run.settings, run.method, run.training, run.content["computes_in"]),
        "config": run.content,
        "samples": [],
    }


def _ends(run: Run, evaluation: dict[str, Any]) -> tuple[str, str]:
    """Names of the domains that an evaluation was made from and to."""
    direction = evaluation["direction"]
    return Path(run.settings[direction[0]]).name, Path(run.settings[direction[-1]]).name


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} hours"


def _evaluate(run: Run) -> str:
    return f"retarget evaluate --run {quote(str(run.folder))}"


def _domain(run: Run, side: str, domains: Path) -> tuple[dict[str, Any], Path | None]:
    """What is known of domain A or B, and its contact sheet's file; its folder may be gone since."""
    name, about, sheet = Path(run.settings[side]).name, f"{run.settings[side]} is not there any more.", None
    with suppress(RetargetError):
        domain = find_domain(run.settings[side], domains)
        kept = sum(clip.kept for clip in domain.clips)
        clips = ", ".join(Path(clip.path).name for clip in domain.clips[:NAMED_CLIPS])
        more = len(domain.clips) - NAMED_CLIPS
        how = "whole frames" if domain.aligner == "none" else f"one followed face ({domain.aligner})"
        clips += f" and {more} more" if more > 0 else ""
        about = f"{kept:,} pictures of {clips}: {how}, kept at {domain.size} px."
        sheet = domain.folder / "contact-sheet.jpg"
    return {"name": name, "title": f"{side.upper()}: {name}", "about": about, "picture": None}, sheet


def _short(value: Any) -> Any:
    """A number with the digits that are shown."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _players(run: Run, evaluation: Evaluation | None) -> dict[str, Any]:
    """The measures, and the videos to watch with the times of their frames."""
    nothing: dict[str, Any] = {"evaluation": None, "players": [], "times": [], "sound": False}
    if evaluation is None:
        return nothing
    content = evaluation.content
    kept = {key: content[key] for key in ("measures", "worst", "parameters", "labels") if key in content}
    per_frame = {name: [_short(value) for value in values] for name, values in content.get("per_frame", {}).items()}
    found = nothing | {"evaluation": kept | {"per_frame": per_frame}}
    if "source" not in evaluation.videos or not all(video.is_file() for video in evaluation.videos.values()):
        return found
    here, there = _ends(run, content)
    titles = {
        "source": ("source", f"{here} ({Path(content['input']).name})"),
        "result": ("translated", f"in the style of {there}, by {content['method']}"),
        "truth": ("truth", f"the right answer ({Path(content['truth'] or '').name})"),
    }
    players = [
        {"kind": kind, "title": titles[kind][0], "about": titles[kind][1]}
        | {"video": data_uri(video.read_bytes(), "video/mp4")}
        for kind, video in evaluation.videos.items()
    ]
    times = frame_times(evaluation.videos["source"])
    if len(times) != content["frames"]:
        raise SettingsError(f"{evaluation.videos['source']}: not the clip that was measured; run: {_evaluate(run)}")
    sound = probe(evaluation.videos["source"]).audio_tracks > 0
    return found | {"players": players, "times": [round(time, 5) for time in times], "sound": sound}


def _add_pictures(data: dict[str, Any], run: Run, contact_sheets: Sequence[Path | None], budget: int) -> None:
    """Puts contact sheets (of A and B, where there are any) and sample sheets in, as large as `budget` bytes allow."""
    places: list[dict[str, Any]] = []
    pictures = []
    for domain, sheet in zip(data["domains"], contact_sheets, strict=True):
        if sheet is not None and sheet.is_file():
            places.append(domain)
            pictures.append(read_picture(sheet))
    sheets = {
        int(found[1]): path
        for path in (run.folder / "samples").glob("step-*.jpg")
        if (found := re.fullmatch(r"step-(\d+)", path.stem))
    }
    steps = sorted(sheets)
    if len(steps) > MAX_SHEETS:
        steps = [steps[round(place)] for place in np.linspace(0, len(steps) - 1, MAX_SHEETS)]
    for step in steps:
        picture = read_picture(sheets[step])
        data["samples"].append({"step": step, "size": [picture.shape[1], picture.shape[0]]})
        places.append(data["samples"][-1])
        pictures.append(picture)
    for place, uri in zip(places, picture_uris(pictures, budget), strict=True):
        place["picture"] = uri
