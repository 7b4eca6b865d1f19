"""`retarget runs`: what runs there are, and how far they are."""

from pathlib import Path
from typing import Any

from pipelines.keeping.shelf import bytes_in, runs_in
from pipelines.keeping.table import age, amount, span, table
from pipelines.keeping_options import RunsOptions
from pipelines.places import say


def list_runs(options: RunsOptions) -> None:
    """Says a line a run, the last trained first."""
    runs = runs_in(options.runs)
    if not runs:
        say(f"{options.runs}: no run in it; make one with: retarget train A B")
        return
    heads = ("run", "method", "state", "step", "best", "size", "age")
    rows = [(run["name"], *_about(run), _size(options.runs / run["name"]), age(run["changed"])) for run in runs]
    for line in table(heads, rows):
        say(line)


def _size(run: Path) -> str:
    return amount(bytes_in(run))


def _about(run: dict[str, Any]) -> tuple[str, str, str, str]:
    """Method, state, step and score."""
    if "trouble" in run:
        return "", "damaged", "", ""
    left = f", {span(run['left_seconds'])} left" if run["state"] == "training" and run["left_seconds"] else ""
    of = f" of {run['steps']:,}" if run["steps"] else ""
    best = f"{run['score']:.3f} at {run['best']:,}" if run["score"] is not None else ""
    return run["method"], f"{run['state']}{left}", f"{run['step']:,}{of}", best
