"""The tables that training writes, as the report draws them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MAX_POINTS = 400
RATE = "Learning rate"
GROUPS = ("Generators", "Discriminators", "Gradient norms", RATE)
Row = dict[str, float]


def read_metrics(run: Path) -> list[Row]:
    """The rows of metrics.csv that say when they are of; none where it is not there."""
    return _rows(run / "metrics.csv", "step", "seconds")


def training_curves(rows: list[Row]) -> dict[str, Any] | None:
    """Columns of metrics.csv in groups; where there are many rows, each point is the mean of neighbouring ones."""
    if not rows:
        return None
    together = -(-len(rows) // MAX_POINTS)
    means = "each row of metrics.csv" if together == 1 else f"the mean of {together} rows of metrics.csv"
    charts = _charts(rows, _group, together)
    return {
        "about": f"A point is {means}.",
        "charts": [charts[title] | {"log": title != RATE} for title in GROUPS if title in charts],
    }


SCORE_PARTS = {
    "temporal": "how unsteady translations are along the source's motion",
    "cycle": "how far there and back misses",
    "l1": "how far translations are from their pairs",
    "content": "how much of the content is lost",
    "look": "how far they still are from the target's look",
    "place": "how far they lie beside their place",
}


def selection_curve(run: Path, judged: int | None) -> dict[str, Any] | None:
    """The score by which training compares its checkpoints, its parts, and the step that is marked as the best; None
    where it compared none. judged: the step that the evaluation is of."""
    rows = _rows(run / "selection.csv", "step", "score")
    if not rows:
        return None
    best = _marked_best(run)
    if best not in [row["step"] for row in rows]:
        best = None
    words = ["How well each checkpoint does on the first half of what is held out: lower is better."]
    told = [f"{name}: {means}" for name, means in SCORE_PARTS.items() if name in rows[0]]
    words += [f"The score is the sum of {'; '.join(told)}."] if told else []
    if best is not None:
        words.append(f"Best is step {best:,}; render and evaluate take it unless told otherwise.")
    if judged is not None:
        words.append(f"The measures above are of {'that step' if judged == best else f'step {judged:,}'}.")
    chart = _charts(rows, lambda name: "Score")["Score"]
    return {"about": " ".join(words), "chart": chart | {"log": True, "best": best}}


def _charts(rows: list[Row], title_of: Callable[[str], str], together: int = 1) -> dict[str, dict[str, Any]]:
    """Title -> chart of the columns that have it: means of `together` rows, each at the last one's step."""
    parts = [rows[start : start + together] for start in range(0, len(rows), together)]
    times = {name: [part[-1][name] for part in parts] for name in ("step", "seconds") if name in rows[0]}
    lines: dict[str, list[dict[str, Any]]] = {}
    for name in rows[0]:
        if name not in times:
            values = [_mean([row[name] for row in part]) for part in parts]
            lines.setdefault(title_of(name), []).append({"name": name.replace("_", " "), "values": values})
    return {title: {"title": title, "lines": found} | times for title, found in lines.items()}


def _mean(values: list[float]) -> float | None:
    """Of those that are numbers, with the digits that can be seen; None where there are none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(f"{np.mean(finite):.5g}") if finite else None


def _group(column: str) -> str:
    if column == "rate":
        return RATE
    if column.endswith("_gradient"):
        return "Gradient norms"
    return "Discriminators" if column.startswith("discriminator") else "Generators"


def _rows(path: Path, *needed: str) -> list[Row]:
    """The whole rows of a CSV file, NaN for what is no number; those only where the `needed` columns are numbers."""
    if not path.exists():
        return []
    with path.open(newline="", errors="replace") as file:
        whole = [row for row in csv.DictReader(file) if None not in row and None not in row.values()]
    rows = [{name: _number(value) for name, value in row.items()} for row in whole]
    return [row for row in rows if np.isfinite([row.get(name, np.nan) for name in needed]).all()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _marked_best(run: Path) -> int | None:
    """The step that checkpoints/best.json names; None without it, or where it is damaged."""
    try:
        step = json.loads((run / "checkpoints" / "best.json").read_bytes())["step"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return step if isinstance(step, int) else None
