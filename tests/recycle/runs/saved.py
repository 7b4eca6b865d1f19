"""Checkpoints of known content."""

from pathlib import Path

import torch

from recycle.runs.checkpoint import save


def groups_of(step: int, size: int = 50) -> dict[str, dict[str, torch.Tensor]]:
    return {
        "weights": {"a.weight": torch.full((size, 2), float(step)), "a.bias": torch.tensor(float(step))},
        "random": {"state": torch.arange(size, dtype=torch.uint8)},
        "empty": {},
    }


def save_steps(folder: Path, *steps: int, keep: int = 3) -> None:
    for step in steps:
        save(folder, step, groups_of(step), {"seconds": step / 3, "nested": [1, {"x": None}]}, keep)


def same(a: dict[str, dict[str, torch.Tensor]], b: dict[str, dict[str, torch.Tensor]]) -> bool:
    return a.keys() == b.keys() and all(
        a[group].keys() == b[group].keys()
        and all(a[group][k].dtype == b[group][k].dtype and torch.equal(a[group][k], b[group][k]) for k in a[group])
        for group in a
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
