"""Weight files as the authors' program leaves them, and the commands that refuse some."""

from pathlib import Path

import pytest
import torch

from pipelines.cli import run
from tests.published import Weights, draw_resnet


def one_error(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Runs a command that has to fail with exit code 2 and one line on stderr."""
    capsys.readouterr()
    assert run([str(word) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def write_weights(path: Path, weights: Weights) -> Path:
    torch.save(weights, path)
    return path


def drawn(seed: int) -> Weights:
    torch.manual_seed(seed)
    return draw_resnet(6, 2)


def shown(path: Path) -> Weights:
    """The tensors of a file without the statistics that mean nothing."""
    return {n: v for n, v in torch.load(path, weights_only=True).items() if n.endswith(("weight", "bias"))}


def drawn_pictures(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(9)) * 2 - 1
