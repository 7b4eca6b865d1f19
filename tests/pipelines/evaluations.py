"""Runs with weights as they are drawn, clips, and what an evaluation of them says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from data.video.reader import read_frames
from data.world.movement import motion
from data.world.puppets import write_clip
from data.world.worlds import poses_to_json
from pipelines.cli import run
from recycle.config import MethodConfig, NetworkConfig, TrainingConfig, to_json
from recycle.methods import METHODS
from recycle.runs.checkpoint import save
from recycle.runs.runfolder import checkpoints_folder, write_settings

NETWORKS = NetworkConfig(size=32, generator="resnet_1blocks", generator_filters=4, discriminator_filters=4)
FOLDER = Path("runs/a-b/evaluation")


def make_run(method: str = "cyclegan", aligner: str = "none", a: str = "a", b: str = "b") -> None:
    """runs/a-b with weights as they are drawn."""
    torch.manual_seed(0)
    config = MethodConfig(NETWORKS)
    drawn = METHODS[method](config)
    settings = {"method": method, "a": f"domains/{a}", "b": f"domains/{b}", "aligner_a": aligner, "aligner_b": aligner}
    settings |= {"crop_jitter": False, "flip": False, "config": to_json(config)}
    write_settings(Path("runs/a-b"), settings, TrainingConfig(steps=7), "float32")
    save(checkpoints_folder(Path("runs/a-b")), 7, {"weights": drawn.state_dict(), "ema": {}}, {}, keep=1)


def draw(name: str, look, frames: int, seed: int = 3, size: int = 64) -> Path:
    poses = motion(seed, frames)
    write_clip(Path(name), poses, look, size)
    Path(name).with_suffix(".json").write_text(poses_to_json(poses))
    return Path(name)


def extract(*names: str, align: str = "none", size: int = 32) -> None:
    for name in names:
        assert run(["extract", f"{name}.mp4", "--align", align, "--size", str(size)]) == 0


def evaluate(*words: object, folder: Path = FOLDER) -> dict:
    """Runs the command and reads what it wrote. No NaN and no Infinity may be in it."""
    assert run(["evaluate", "--accelerator", "cpu", *map(str, words)]) == 0
    return json.loads((folder / "evaluation.json").read_text(), parse_constant=pytest.fail)


def by_name(document: dict) -> dict[str, dict]:
    return {measure["name"]: measure for measure in document["measures"]}


def one_error(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Runs the command, which has to fail with exit code 2 and one line on stderr."""
    capsys.readouterr()
    assert run(["evaluate", "--accelerator", "cpu", *map(str, words)]) == 2
    (said,) = [text for text in capsys.readouterr().err.splitlines() if text.strip()]
    return said


def pixels(path: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in read_frames(path)])
