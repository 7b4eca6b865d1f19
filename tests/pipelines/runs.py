"""Commands in short: drawn clips, small trainings, and errors of one line."""

from pathlib import Path

import pytest

from data.world.movement import motion
from data.world.puppets import write_clip
from pipelines.cli import run

TINY = ("--preset", "tiny", "--method", "recyclegan", "--predictor-filters", "4")  # the one with the most networks
TINY = (*TINY, "--generator-filters", "4", "--discriminator-filters", "4")
TINY = (*TINY, "--generator", "resnet_1blocks", "--size", "32", "--accelerator", "cpu")
SMALL = ("--preset", "tiny", "--size", "32", "--accelerator", "cpu", "--precision", "float32")
SMALL = (*SMALL, "--generator-filters", "4", "--discriminator-filters", "4", "--save-every", "10", "--log-every", "5")
OWN: dict[str, tuple[str, ...]] = {
    "equivariant": ("--generator", "resnet_1blocks"),
    "recyclegan": ("--predictor-filters", "4", "--generator", "resnet_1blocks"),
    "cyclegan": ("--generator", "resnet_1blocks"),
    "pix2pix": (),
    "cartoongan": ("--generator", "resnet_1blocks", "--initial-steps", "5"),
    "syntheticflow": ("--generator", "resnet_1blocks"),
    "cut": ("--generator", "resnet_1blocks", "--patches", "16"),
    "fastcut": ("--generator", "resnet_1blocks", "--patches", "16"),
    "augmented": ("--generator", "resnet_1blocks"),
    "pairedcycle": ("--generator", "resnet_1blocks"),
    "stargan": ("--generator", "resnet_1blocks", "--critic-steps", "2"),
    "combogan": ("--generator", "resnet_1blocks"),
}


def draw(path: Path, look: str = "A", frames: int = 24, seed: int = 0, size: int = 48) -> Path:
    write_clip(path, motion(seed, frames), look, size)
    return path


def one_error(capsys: pytest.CaptureFixture[str], *words: object, code: int = 2) -> str:
    """Runs a command that has to fail with one line on stderr."""
    capsys.readouterr()
    assert run([str(word) for word in words]) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


def train_drawn(place: Path, *words: str, steps: int = 6) -> None:
    """Domains a and b of drawn clips, and a run over them."""
    for name, look in (("a", "A"), ("b", "B")):
        if not (place / f"{name}.mp4").exists():
            draw(place / f"{name}.mp4", look, seed=ord(name))
            assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0
    assert (
        run(["train", "a", "b", *TINY, "--steps", str(steps), "--sample-every", "3", "--save-every", "3", *words]) == 0
    )
