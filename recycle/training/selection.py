"""Which checkpoint of a run is the best: the one of the lowest score on held-out windows (see heldout)."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recycle.runs.checkpoint import is_there, mark
from recycle.training.heldout import HeldOut
from recycle.training.learner import Learner
from recycle.training.runlog import RunLog

PATIENCE = 5
"""Evaluations in a row without a better score after which training has stopped improving."""


class Selection:
    """Compares the checkpoints of a run, whose `folder` it marks the best in. For the first process."""

    def __init__(self, folder: Path, state: Mapping[str, Any] | None = None) -> None:
        """state: what `state` gave when the checkpoint was saved that training goes on from."""
        self.folder = folder
        known = state or {}
        self.best: dict[str, Any] | None = known.get("best")
        """`step`, `score` and `parts` of the best checkpoint; None where none was compared."""
        self._waited: int = known.get("waited", 0)  # evaluations since
        self._compared: int = known.get("compared", 0)  # evaluations
        self._windows: str | None = known.get("windows")  # what they were made on
        self._held_out: HeldOut | None = None

    def state(self) -> dict[str, Any]:
        """For JSON."""
        return {"best": self.best, "waited": self._waited, "compared": self._compared, "windows": self._windows}

    def mark(self) -> str | None:
        """Makes best.json say what is known here; a line where the best checkpoint is gone, which is then forgotten."""
        line = None
        if self.best and not is_there(self.folder, self.best["step"]):
            line = f"{self.folder}: step {self.best['step']}, the best, is gone; the best from here on will be marked"
            self.best = None
        mark(self.folder, self.best)
        return line

    def begin(self, held_out: HeldOut, log: RunLog) -> str | None:
        """Will compare on these windows from now on. A line where that is not as it should be."""
        if not held_out.measured:
            return "nothing is held out to compare checkpoints on; rendering uses the newest"
        self._held_out = held_out
        before, self._windows = self._windows, held_out.fingerprint
        if before not in (None, self._windows):
            self.best, self._waited, self._compared = None, 0, 0
            log.selection_anew()
            return "held-out windows are others than before; checkpoints are compared anew from here on"
        if "temporal" not in held_out.measured:
            parts = " and ".join(held_out.measured)
            return f"no held-out frames that follow each other: checkpoints are compared by {parts} alone"
        return None

    def look(self, learner: Learner) -> dict[str, float]:
        """The parts of the score by the weights that there are now; none where nothing is held out."""
        return learner.judged(self._held_out) if self._held_out else {}

    def compare(self, step: int, parts: Mapping[str, float], log: RunLog) -> str | None:
        """Compares the checkpoint that is saved next by what `look` gave, and writes it down; the line of `see`."""
        if not parts:
            return None
        score = sum(parts.values())
        log.selection(step, score, parts)
        return self.see(step, score, parts)

    def see(self, step: int, score: float, parts: Mapping[str, float]) -> str | None:
        """Takes in the score of a checkpoint; a line where training has stopped improving, once a spell."""
        self._compared += 1
        if math.isfinite(score) and (self.best is None or score < self.best["score"]):
            self.best, self._waited = {"step": step, "score": score, "parts": dict(parts)}, 0
            return None
        self._waited += 1
        if self._waited != PATIENCE or self.best is None:
            return None
        return (
            f"no better score than that of step {self.best['step']} in {PATIENCE} evaluations: training seems to have "
            "stopped improving (it goes on; rendering uses the best)"
        )

    def summary(self) -> str | None:
        """What a user should know at the end; None where nothing was compared."""
        if self.best is None:
            return None
        count = f"{self._compared} checkpoint{'s' * (self._compared != 1)}"
        return f"best of {count} compared: step {self.best['step']} (score {self.best['score']:.3f}); render uses it"
