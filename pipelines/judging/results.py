"""What runs came to, and the table of methods against measures."""

import csv
import os
import platform
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipelines.judging.measures import MEASURES
from pipelines.pages.runfiles import read_evaluation
from pipelines.world_options import CompareMethodsOptions

PARAMETER = "parameter "
COLUMNS = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "parameters": "pose, % of range",
    "offset": "offset, px",
    "flicker": "flicker, grey levels",
    "warp_error": "warp error",
    "kernel_distance": "distance from B",
    "sharpness": "sharpness",
}
"""Measures of a world's first table, and their heads."""
Job = tuple[str, str, int]
"""World, contender and seed of a run."""
UNKNOWN = "–"


@dataclass(frozen=True)
class Result:
    """One evaluation. values: by measure, and by "parameter " and its name; None where it could not be said.

    minutes: of training, by the clock.
    """

    values: dict[str, float | None]
    step: int
    minutes: float


def read_result(run: Path, evaluation: Path | None = None) -> Result | None:
    """What `retarget evaluate` found of a run, in its folder or in another one; None where it has not been yet.

    Raises SettingsError for a damaged file.
    """
    found = read_evaluation(run, evaluation)
    if found is None:
        return None
    content: dict[str, Any] = found.content
    values = {entry["name"]: None if entry["value"] is None else float(entry["value"]) for entry in content["measures"]}
    values |= {f"{PARAMETER}{name}": read["part_of_range"] for name, read in content.get("parameters", {}).items()}
    return Result(values, content["step"], _minutes(run))


def budget_of(options: CompareMethodsOptions) -> str:
    """In words."""
    return f"{options.minutes:g} minutes" if options.minutes is not None else f"{options.budget_steps} steps"


def written(
    results: Mapping[Job, Result],
    references: Mapping[str, Mapping[str, Result]],
    options: CompareMethodsOptions,
    charts: Mapping[str, str],
) -> str:
    """Markdown: a section a world, and one over all where there are several.

    references: by world, what else its table shows. charts: by world, a picture of quality against the budget.
    """
    worlds = list(dict.fromkeys(world for world, _, _ in results))
    lines = [
        f"{budget_of(options)} of training a run, preset {options.preset} at {options.size} px, worlds of seed "
        f"{options.world_seed}. {processor()}, {os.cpu_count()} cores, torch {torch.__version__}, a thread a run. Mean "
        "± standard deviation over the seeds; ↑ higher is better, ↓ lower; the best mean is bold.",
        "",
    ]
    if options.minutes is not None:
        lines += [
            "Minutes are those of one undisturbed thread: steps are minutes times the steps a minute that pace.json "
            "has for each method.",
            "",
        ]
    if len(worlds) > 1:
        together = _over_all(results, worlds)
        lines += ["## Over all worlds", "", "Means over the worlds, of the seeds that were run on every one.", ""]
        lines += [*_table(together, {}, _columns(together)), ""]
    for world in worlds:
        of_world = {(name, seed): result for (where, name, seed), result in results.items() if where == world}
        lines += [f"## {world}", "", *_section(of_world, references.get(world, {}), options)]
        if world in charts:
            lines += ["", f"![PSNR against the budget on {world}]({charts[world]})"]
        lines.append("")
    return "\n".join(lines)


def _section(
    results: Mapping[tuple[str, int], Result], references: Mapping[str, Result], options: CompareMethodsOptions
) -> list[str]:
    """Mean and standard deviation of contenders over seeds; their hidden parameters; every run."""
    by_name = _by_name(results)
    parameters = sorted({key for result in results.values() for key in result.values if key.startswith(PARAMETER)})
    everything = [name for name in MEASURES if any(name in result.values for result in results.values())]
    lines = _table(by_name, references, _columns(by_name), steps=options.minutes is not None)
    if parameters:
        lines += ["", "Mean absolute error of each hidden parameter, in parts of its range (↓):", ""]
        lines += _table(by_name, references, parameters)
    lines += ["", "Every run; minutes of training by the clock, which other work on the machine makes longer:", ""]
    return lines + _every(results, everything)


def _by_name(results: Mapping[tuple[str, int], Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for (name, _), result in results.items():
        found.setdefault(name, []).append(result)
    return found


def _columns(by_name: Mapping[str, Sequence[Result]]) -> list[str]:
    """The measures of the first table that anything is known of."""
    known = {key for results in by_name.values() for result in results for key in result.values}
    return [column for column in COLUMNS if column in MEASURES and column in known]


def _over_all(results: Mapping[Job, Result], worlds: Sequence[str]) -> dict[str, list[Result]]:
    """By contender, a seed's means over the worlds; a measure that one of them does not have is left out."""
    found: dict[str, list[Result]] = {}
    for name, seed in dict.fromkeys((name, seed) for _, name, seed in results):
        here = [results[world, name, seed] for world in worlds if (world, name, seed) in results]
        if len(here) < len(worlds):
            continue
        values: dict[str, float | None] = {}
        for column in COLUMNS:
            known = _known(result.values.get(column) for result in here)
            values[column] = statistics.fmean(known) if len(known) == len(worlds) else None
        found.setdefault(name, []).append(Result(values, here[0].step, sum(result.minutes for result in here)))
    return found


def processor() -> str:
    """Its name, where the system tells."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.machine()


def _table(
    by_name: Mapping[str, Sequence[Result]],
    references: Mapping[str, Result],
    columns: Collection[str],
    steps: bool = False,
) -> list[str]:
    """A row a contender, and the references below. steps: how many the budget was good for."""
    best = {column: _best(by_name, column) for column in columns}
    if not by_name:
        return ["No method has been on all of them with one seed."]
    heads = ["method", *(["steps"] if steps else []), *map(_head, columns)]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for name, results in by_name.items():
        cells = [_spread((result.values.get(column) for result in results), column) for column in columns]
        cells = [f"**{cell}**" if best[column] == name else cell for column, cell in zip(columns, cells, strict=True)]
        mean = [f"{statistics.fmean(result.step for result in results):.0f}"] if steps else []
        lines.append(_row([name, *mean, *cells]))
    for title, result in references.items():
        cells = [_spread([result.values.get(column)], column) for column in columns]
        lines.append(_row([f"*{title}*", *([UNKNOWN] if steps else []), *cells]))
    return lines


def _every(results: Mapping[tuple[str, int], Result], columns: Sequence[str]) -> list[str]:
    heads = ["method", "seed", "steps", "minutes", *columns]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for (name, seed), result in sorted(results.items()):
        cells = [_spread([result.values.get(column)], column) for column in columns]
        lines.append(_row([name, str(seed), str(result.step), f"{result.minutes:.1f}", *cells]))
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(column: str) -> str:
    if column.startswith(PARAMETER):
        return column.removeprefix(PARAMETER)
    return f"{COLUMNS[column]} {'↑' if MEASURES[column].better == 'higher' else '↓'}"


def _best(by_name: Mapping[str, Sequence[Result]], column: str) -> str | None:
    """The contender of the best mean."""
    means = {}
    for name, results in by_name.items():
        known = _known(result.values.get(column) for result in results)
        if known:
            means[name] = statistics.fmean(known)
    if len(means) < 2:
        return None
    higher = not column.startswith(PARAMETER) and MEASURES[column].better == "higher"
    return (max if higher else min)(means, key=means.__getitem__)


def _spread(values: Iterable[float | None], column: str) -> str:
    """Mean and standard deviation, or the only value."""
    known = _known(values)
    if not known:
        return UNKNOWN
    digits = 2 if column == "psnr" else None
    mean = _number(statistics.fmean(known), digits)
    return mean if len(known) == 1 else f"{mean} ± {_number(statistics.stdev(known), digits)}"


def _number(value: float, digits: int | None) -> str:
    return f"{value:.3g}" if digits is None else f"{value:.{digits}f}"


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _minutes(run: Path) -> float:
    """Of training, by the last row of metrics.csv; 0 where there is none."""
    try:
        with (run / "metrics.csv").open(newline="") as file:
            return [float(row["seconds"]) for row in csv.DictReader(file)][-1] / 60
    except (OSError, LookupError, ValueError, TypeError):
        return 0.0
