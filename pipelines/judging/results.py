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
from pipelines.options import CompareMethodsOptions, Contender
from pipelines.pages.runfiles import read_evaluation

PARAMETER = "parameter "
COLUMNS = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "parameters": "parameters, % of range",
    "tof_truth": "tOF, px",
    "warp_error": "warp error",
    "flicker": "flicker, grey levels",
    "cycle_l1": "there and back, grey levels",
    "kernel_distance": "distance from B",
    "sharpness": "sharpness",
}
"""Measures of the first table, and their heads."""
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
    results: Mapping[tuple[Contender, int], Result], references: Mapping[str, Result], options: CompareMethodsOptions
) -> str:
    """Markdown: mean and standard deviation of contenders over seeds; their hidden parameters; every run."""
    names = list(dict.fromkeys(name for name, _ in results))
    by_name = {name: [result for (other, _), result in results.items() if other == name] for name in names}
    parameters = sorted({key for result in results.values() for key in result.values if key.startswith(PARAMETER)})
    everything = [name for name in MEASURES if any(name in result.values for result in results.values())]
    lines = [
        f"{budget_of(options)} of training a run, seeds {', '.join(map(str, options.seeds))}, preset {options.preset} "
        f"at {options.size} px; {options.frames} frames of each domain to learn from, {options.test_frames} to "
        f"translate. {_processor()}, {os.cpu_count()} cores, torch {torch.__version__}, a thread a run, {options.jobs} "
        "at a time. Mean ± standard deviation over the seeds; ↑ higher is better, ↓ lower; the best mean is bold.",
        "",
        *_table(by_name, references, COLUMNS, steps=options.minutes is not None),
        "",
        "Mean absolute error of each hidden parameter, in parts of its range (↓):",
        "",
        *_table(by_name, references, parameters),
        "",
        "Every run; minutes of training by the clock, which other work on the machine makes longer:",
        "",
        *_every(results, everything),
    ]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    """Its name, where the system tells."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.machine()


def _table(
    by_name: Mapping[Contender, Sequence[Result]],
    references: Mapping[str, Result],
    columns: Collection[str],
    steps: bool = False,
) -> list[str]:
    """A row a contender, and the references below. steps: how many the budget was good for."""
    best = {column: _best(by_name, column) for column in columns}
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


def _every(results: Mapping[tuple[Contender, int], Result], columns: Sequence[str]) -> list[str]:
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


def _best(by_name: Mapping[Contender, Sequence[Result]], column: str) -> str | None:
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
