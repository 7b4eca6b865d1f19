"""What a person can follow: a progress bar, metrics.csv, selection.csv, and TensorBoard."""

import csv
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from durable.files import write_bytes
from recycle.training.schedule import Schedule


class RunLog:
    """Writes `run`/metrics.csv, `run`/selection.csv and `run`/log and shows a bar on stderr if that is a terminal.

    What was written after `step`, by a process that was stopped before it could save, is taken back.
    """

    def __init__(self, run: Path, schedule: Schedule, step: int, seconds: float) -> None:
        self._metrics, self._selection = run / "metrics.csv", run / "selection.csv"
        _cut(self._metrics, step)
        _cut(self._selection, step)
        threading.excepthook = _without_the_board(threading.excepthook)
        self._board = SummaryWriter(str(run / "log"), purge_step=step + 1)
        self._schedule = schedule
        in_steps = schedule.in_steps
        self._length = round(schedule.length)
        self._bar = tqdm(
            total=self._length,
            initial=round(schedule.done(step, seconds)),
            unit=" step" if in_steps else " s",
            bar_format=None if in_steps else "{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            disable=None,
            file=sys.stderr,
            dynamic_ncols=True,
        )
        self._first_step, self._started = step, seconds

    def progress(self, step: int, seconds: float, generators: float, discriminators: float) -> None:
        """Moves the bar."""
        if self._bar.disable:
            return
        speed = (step - self._first_step) / max(seconds - self._started, 1e-9)
        self._bar.set_postfix(
            {"G": f"{generators:.3g}", "D": f"{discriminators:.3g}"}
            | ({} if self._schedule.in_steps else {"step": step, "step/s": f"{speed:.2f}"}),
            refresh=False,
        )
        self._bar.update(min(round(self._schedule.done(step, seconds)), self._length) - self._bar.n)

    def row(self, step: int, seconds: float, rate: float, values: Mapping[str, float]) -> None:
        """Appends to metrics.csv and TensorBoard. `values` have the same names in every row."""
        row = {"step": step, "seconds": round(seconds, 3), "rate": rate, **values}
        _append(self._metrics, row)
        for name, value in (("rate", rate), *values.items()):
            self._board.add_scalar(name, value, step)

    def selection(self, step: int, score: float, parts: Mapping[str, float]) -> None:
        """Appends to selection.csv and TensorBoard what checkpoints are compared by. `parts` have the same names in
        every row."""
        values = {"score": score, **parts}
        _append(self._selection, {"step": step, **values})
        for name, value in values.items():
            self._board.add_scalar(f"selection/{name}", value, step)

    def selection_anew(self) -> None:
        """Takes selection.csv away: what follows cannot be compared with what is in it."""
        self._selection.unlink(missing_ok=True)

    def pictures(self, step: int, samples: Mapping[str, Tensor]) -> None:
        """Shows pictures (B, 3, H, W) in [-1, 1] in TensorBoard."""
        for name, pictures in samples.items():
            self._board.add_images(f"samples/{name}", (pictures + 1) / 2, step)

    def say(self, line: str, on_note: Callable[[str], None]) -> None:
        """Gives a line to `on_note` with the bar out of its way."""
        with tqdm.external_write_mode(file=sys.stderr):
            on_note(line)

    def close(self) -> None:
        """Ends the bar and writes out what TensorBoard holds back."""
        self._bar.close()
        self._board.close()


def _without_the_board(hook: Callable[[threading.ExceptHookArgs], object]) -> Callable[..., object]:
    """`hook`, which is not told of TensorBoard's thread on a full disk: whoever writes or closes next is, in a line."""

    def told(args: threading.ExceptHookArgs) -> None:
        if not (isinstance(args.exc_value, OSError) and type(args.thread).__name__ == "_AsyncWriterThread"):
            hook(args)

    return told


def _append(table: Path, row: Mapping[str, object]) -> None:
    """Adds a row to a CSV file, which begins with their names."""
    fresh = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def _cut(table: Path, step: int) -> None:
    """Keeps the header and the whole rows up to `step`."""
    if not table.exists():
        return
    header, *rows = table.read_text().splitlines(keepends=True) or [""]
    kept = [row for row in rows if row.endswith("\n") and row.count(",") == header.count(",")]
    kept = [row for row in kept if int(row.split(",")[0]) <= step]
    if not kept:
        table.unlink()
        return
    write_bytes(table, "".join([header, *kept]).encode())
