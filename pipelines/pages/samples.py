"""Sheets of samples that training leaves to be looked at."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import Tensor

from data.domain.pictures import captioned, resize, sheet, write_sheet

CELL_PX = 128


def sample_writer(folder: Path) -> Callable[[int, dict[str, Tensor]], None]:
    """Writes samples/step-000500.jpg: a row a window and direction, a column each for source, translated and so on."""

    def write(step: int, samples: dict[str, Tensor]) -> None:
        rows = []
        for domain in dict.fromkeys(name[0] for name in samples):
            kinds = {name[2:]: pictures for name, pictures in samples.items() if name.startswith(f"{domain}_")}
            pixels = {kind: _pixels(pictures) for kind, pictures in kinds.items()}
            for i in range(len(next(iter(pixels.values())))):
                rows.append([_cell(pictures[i], f"{domain.upper()} {kind}") for kind, pictures in pixels.items()])
        write_sheet(folder / f"step-{step:06d}.jpg", sheet(rows))

    return write


def _cell(picture: np.ndarray, caption: str) -> np.ndarray:
    """A picture large enough to be looked at, with its caption."""
    side = max(picture.shape[0], CELL_PX)
    return captioned(resize(picture, (side, side)), caption)


def _pixels(pictures: Tensor) -> np.ndarray:
    """(N, 3, H, W) float in [-1, 1] as (N, H, W, 3) uint8, rounded."""
    return pictures.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
