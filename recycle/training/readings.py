"""What the steps came to: left on the device until it is read, summed until it is a row of the log."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from recycle.training.parallel import mean_over_processes


class Readings:
    """Named values of each step, the same names in every step."""

    def __init__(self) -> None:
        self._unread: list[dict[str, Tensor]] = []  # of the steps since they were last read from the device
        self._sums: dict[str, float] = {}  # since the last row of the log
        self._summed = 0

    def state(self) -> dict[str, Any]:
        """For JSON; what was not read is not in it."""
        return {"sums": self._sums, "summed": self._summed}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._sums, self._summed = dict(state["sums"]), state["summed"]

    def add(self, values: dict[str, Tensor]) -> None:
        """Takes in a step's values, scalars on the device, without waiting for them."""
        self._unread.append(values)

    def read(self) -> list[dict[str, float]]:
        """The values of each step since the last call, as means over all processes, which have to call it together."""
        names = list(self._unread[0])
        table = torch.stack([torch.stack([row[name].float() for name in names]) for row in self._unread])
        self._unread.clear()
        rows = [dict(zip(names, row, strict=True)) for row in mean_over_processes(table).cpu().tolist()]
        for values in rows:
            self._sums = {name: self._sums.get(name, 0.0) + value for name, value in values.items()}
        self._summed += len(rows)
        return rows

    def means(self) -> dict[str, float]:
        """Of the values read since the last call."""
        means = {name: total / self._summed for name, total in self._sums.items()}
        self._sums, self._summed = {}, 0
        return means
