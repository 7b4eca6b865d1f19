"""Small runs on drawn windows, trained as a command does it, and what they leave on disk."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from recycle.config import LossWeights, MethodConfig, NetworkConfig, TrainingConfig, to_json
from recycle.methods import METHODS
from recycle.training.heldout import HeldOut
from recycle.training.parallel import make_fabric
from recycle.training.schedule import TrainingResult
from recycle.training.selection import Selection
from recycle.training.trainer import train

TINY = MethodConfig(
    NetworkConfig(
        size=32,
        generator="resnet_1blocks",
        generator_filters=2,
        predictor_filters=2,
        discriminator_filters=2,
        discriminator_layers=2,
    ),
    LossWeights(recurrent=10.0, recycle=10.0, predictor_adversarial=1.0),
    pool_size=3,
)
GROWING = replace(TINY, networks=replace(TINY.networks, grow=16))
"""Begins on pictures smaller than --grow takes, so that a test takes no longer."""
SHORT = TrainingConfig(steps=8, save_every=4, sample_every=100, log_every=3, ema_decay=0.9)
SETTINGS = {"method": "recyclegan", "config": to_json(TINY), "domains": {"a": "x", "b": "y"}}


class Drawn(Dataset):
    """Window number k is noise drawn from k alone."""

    def __getitem__(self, k: int) -> tuple[Tensor, Tensor]:
        a, b = np.random.default_rng(k).random((2, 3, 3, 32, 32), dtype=np.float32) * 2 - 1
        return torch.from_numpy(a), torch.from_numpy(b)


def batches_of(rank: int = 0, world_size: int = 1, batch_size: int = 1, dtype: torch.dtype = torch.float32):
    def batches(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        first = [(step * world_size + rank) * batch_size for step in range(start, start + 1000)]
        sampler = [list(range(place, place + batch_size)) for place in first]
        for a, b in DataLoader(Drawn(), batch_sampler=sampler):
            yield a.to(dtype), b.to(dtype)

    return batches


def windows(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    return next(batches_of(batch_size=2, dtype=dtype)(900))


def held_out(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    return dict(zip("ab", windows(dtype), strict=True))


def run_training(
    run: Path, config: TrainingConfig = SHORT, method_config: MethodConfig = TINY, **changes
) -> TrainingResult:
    """Builds and trains as a command does."""
    fabric = make_fabric(config)
    name = changes.pop("method_name", "recyclegan")
    method = changes.pop("method", None) or METHODS[name](method_config)
    arguments = {
        "batches": batches_of(fabric.global_rank, fabric.world_size, config.batch_size),
        "settings": SETTINGS | {"method": name, "config": to_json(method_config)},
        "sample_windows": windows(),
        "held_out": held_out(),
        "on_samples": lambda step, samples: None,
        "on_note": lambda line: None,
    }
    return train(method, config=config, run=run, fabric=fabric, **(arguments | changes))


def final_bytes(run: Path) -> dict[str, bytes]:
    newest = max((run / "checkpoints").iterdir())
    return {path.name: path.read_bytes() for path in newest.glob("*.safetensors")}


def rows(run: Path, table: str = "metrics") -> list[dict[str, str]]:
    with (run / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def timeless(run: Path) -> list[dict[str, str]]:
    return [row | {"seconds": ""} for row in rows(run)]


def saved_steps(run: Path) -> list[int]:
    return [int(path.name.split("-")[1]) for path in run.glob("checkpoints/step-*")]


def best_of(run_folder: Path) -> dict:
    return json.loads((run_folder / "checkpoints" / "best.json").read_text())


def scoring(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> None:
    """Evaluations give these scores, one after the other."""
    left, compare = iter(scores), Selection.compare
    monkeypatch.setattr(HeldOut, "parts", lambda self, device: {"cycle": 0.0})
    monkeypatch.setattr(
        Selection, "compare", lambda self, step, parts, log: compare(self, step, {"cycle": next(left)}, log)
    )


class Clock:
    """Stands in for the time module: every look at it takes two seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += 2.0
        return self.now
