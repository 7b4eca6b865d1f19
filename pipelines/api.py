"""What programs may build on: each name here stays, with its meaning, until a release says otherwise (docs/api.md).

Options are the dataclasses that the command line is made from, so a default stands in one place.
"""

from pathlib import Path

import numpy as np
import torch

from data.domain.domain import Domain
from data.errors import MissingInputError, RetargetError
from pipelines.evaluate import evaluate
from pipelines.extract import extract
from pipelines.option_groups import MethodName
from pipelines.options import EvaluateOptions, ExtractOptions, RenderOptions, TrainOptions
from pipelines.render import render
from pipelines.train import train
from recycle.config import LossWeights, MethodConfig, NetworkConfig, PresetName, TrainingConfig
from recycle.methods import DEFAULT, METHODS
from recycle.methods.base import Direction
from recycle.runs.checkpoint import CheckpointError, Choice
from recycle.runs.runfolder import Trained, load_for_rendering

__all__ = [
    "METHODS",
    "Domain",
    "EvaluateOptions",
    "ExtractOptions",
    "LossWeights",
    "MethodConfig",
    "NetworkConfig",
    "RenderOptions",
    "RetargetError",
    "TrainOptions",
    "TrainingConfig",
    "evaluate",
    "extract",
    "open_run",
    "render",
    "settings_for",
    "train",
    "translate",
]


def settings_for(method: MethodName = DEFAULT, preset: PresetName = "paper") -> tuple[MethodConfig, TrainingConfig]:
    """What a method and a preset stand for, to be changed by `dataclasses.replace` and given to `TrainOptions`."""
    return METHODS[method].defaults(preset)


def open_run(run: Path, checkpoint: Choice = "best") -> Trained:
    """A trained run, whose `method` is in evaluation mode on the CPU; move it with `method.to`.

    Raises MissingInputError.
    """
    try:
        return load_for_rendering(run, choice=checkpoint)
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error


def translate(run: Trained, frames: np.ndarray, direction: Direction = "a_to_b") -> np.ndarray:
    """(N, H, W, 3) uint8 RGB, H and W multiples of 4, to the same of the other domain: pictures as training saw them.

    Raises ValueError for another shape or kind, or a direction that the method does not have.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise ValueError(f"frames are {frames.dtype} {frames.shape}; give uint8 (N, H, W, 3)")
    device = next(run.method.parameters()).device
    inputs = torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    outputs = run.method.translate(inputs, direction)
    return outputs.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
