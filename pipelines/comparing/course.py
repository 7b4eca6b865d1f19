"""How good a run was on its way: its checkpoints at parts of its budget, against the truth."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from data.disk import write_json
from data.errors import TrainingError
from data.video.reader import read_frames
from data.world.clips import World
from recycle.measures.metrics import psnr
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.runfolder import checkpoints_folder, load_for_rendering

PARTS = (0.25, 0.5, 0.75, 1.0)
TOGETHER = 8
Course = list[tuple[float, float]]
"""Parts of the budget, and PSNR in dB there."""


def save_every(steps: int) -> tuple[object, ...]:
    """What `retarget train` is told, so that the checkpoints at PARTS are there afterwards."""
    return "--save-every", max(1, -(-steps // len(PARTS))), "--keep", 1000


def course(run: Path, clips: World, steps: int) -> Course:
    """PSNR of a run's checkpoints against the truth; kept in course.json in its folder. Raises TrainingError."""
    path = run / "course.json"
    if path.exists():
        return [(part, value) for part, value in json.loads(path.read_bytes())]
    source, truth = (np.stack([frame.rgb for frame in read_frames(clip)]) for clip in (clips.test, clips.truth))
    found = []
    for checkpoint in sorted(checkpoints_folder(run).glob("step-*")):
        step = int(checkpoint.name.removeprefix("step-"))
        if any(abs(step - part * steps) < 0.02 * steps + 1 for part in PARTS):
            found.append((round(step / steps, 4), round(psnr(_translated(run, checkpoint, source), truth), 4)))
    write_json(path, found)
    return found


def _translated(run: Path, checkpoint: Path, frames: np.ndarray) -> np.ndarray:
    """Frames (N, H, W, 3) uint8 through the running mean of one checkpoint."""
    with TemporaryDirectory() as alone:
        shutil.copy(run / "config.json", alone)
        shutil.copytree(checkpoint, checkpoints_folder(Path(alone)) / checkpoint.name)
        try:
            method = load_for_rendering(Path(alone), "ema", "newest").method
        except CheckpointError as error:
            raise TrainingError(f"{checkpoint}: {error}") from error
    shown = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    made = torch.cat([method.translate(part, "a_to_b") for part in shown.split(TOGETHER)])
    return ((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
