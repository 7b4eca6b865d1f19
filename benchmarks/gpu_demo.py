"""The demo without its videos, and bfloat16 against float32: parts of gpu.py.

The drawn world's frames are written as a domain straight away; training is `retarget train`'s own, from its options on.
"""

import csv
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from data.domain.domain import Clip, Domain
from data.domain.pictures import write_picture
from data.domain.record import Record
from data.world.characters import LookName, draw
from data.world.movement import motion
from pipelines.train import train
from recycle.methods import METHODS
from recycle.runs.checkpoint import Choice
from recycle.runs.runfolder import load_for_rendering
from recycle.training.pixels import to_values

SIZE, FRAMES, HELD_OUT, TEST_FRAMES = 64, 600, 60, 150


def demo_minutes(seconds: float, quick: bool) -> None:
    """Trains method equivariant as `retarget demo` does, for `seconds`, and says how near it came to the truth."""
    with tempfile.TemporaryDirectory() as place:
        write_domains(Path(place), quick)
        options = training_options(Path(place), quick, minutes=seconds / 60, steps=None, save_every=200)
        train(options)
        psnr, step = decibels(options.run, 10 if quick else TEST_FRAMES)
        print(f"\ndemo: {psnr:.2f} dB after {seconds / 60:.2f} minutes (best checkpoint: step {step})", flush=True)


def decibels(run: Path, frames: int, checkpoint: Choice = "best") -> tuple[float, int]:
    """PSNR of new drawn frames against their truth through a run's generator, and the step it is of."""
    trained = load_for_rendering(run, choice=checkpoint)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    method = trained.method.to(device)
    source, truth = (
        torch.from_numpy(np.stack([draw(pose, look, SIZE) for pose in motion(3, frames)])) for look in ("A", "B")
    )
    values = to_values(source.permute(0, 3, 1, 2)).to(device)
    parts = [method.translate(part, "a_to_b") for part in values.split(50)]
    result = torch.cat(parts).add(1).mul(127.5).round().clamp(0, 255)
    error = (result.permute(0, 2, 3, 1).cpu() - truth.float()).square().mean()
    return float(10 * torch.log10(255**2 / error)), trained.step


def loss_curves(steps: int, seconds: float, quick: bool) -> None:
    """Means of the generators' summed loss, a tenth of the steps each, in float32, TF32 and bfloat16."""
    kinds = ["float32", "bfloat16"]
    if torch.cuda.is_available():
        kinds.insert(1, "tf32")
    print(f"\n| generators' loss by tenths of {steps} steps of equivariant, tiny | " + " | ".join(kinds) + " |")
    print("|---|" + "---|" * len(kinds), flush=True)
    columns = []
    with tempfile.TemporaryDirectory() as place:
        write_domains(Path(place), quick)
        for kind in kinds:
            options = training_options(
                Path(place), quick, minutes=None, steps=steps, save_every=100 * steps, precision=kind
            )
            options.run = Path(place) / kind
            train(options)
            with (options.run / "metrics.csv").open(newline="") as table:
                columns.append([float(row["generators"]) for row in csv.DictReader(table)])
    for tenth, values in enumerate(zip(*columns, strict=True)):
        print(f"| {tenth + 1} | " + " | ".join(f"{value:.3f}" for value in values) + " |")


def write_domains(place: Path, quick: bool) -> None:
    """Both characters, moved apart from each other, as domains whose last frames are held out."""
    frames, held_out = (40, 24) if quick else (FRAMES + HELD_OUT, HELD_OUT)
    looks: tuple[tuple[str, LookName, int], ...] = (("anna", "A", 1), ("ben", "B", 2))
    for name, look, seed in looks:
        folder = place / "domains" / name
        (folder / "frames" / name).mkdir(parents=True)
        records = [Record(name, n, n, "1/25", 0, "train" if n < frames - held_out else "test") for n in range(frames)]
        clip = Clip(name, f"{name}.mp4", "", "video", {}, frames, frames, 1, "25", [SIZE, SIZE], 0, {})
        Domain(folder, "none", SIZE, [clip]).save(records)
        for record, pose in zip(records, motion(seed, frames), strict=True):
            write_picture(folder / record.picture, draw(pose, look, SIZE))


def training_options(place: Path, quick: bool, method: str = "equivariant", **training: object) -> SimpleNamespace:
    """Options of `retarget train anna ben --preset tiny --no-crop-jitter`, without its command line."""
    config, defaults = METHODS[method].defaults("tiny")
    every = max(1, (training["steps"] or 200) // 10)
    return SimpleNamespace(
        a="anna",
        b="ben",
        more=(),
        add=None,
        guard=None,
        source=None,
        domains=place / "domains",
        run=place / "run",
        method=method,
        preset="tiny",
        config=config,
        training=replace(defaults, log_every=every, sample_every=10**6, **training),
        crop_jitter=False,
        flip=False,
        vgg_weights=None,
        workers=0 if quick else None,
    )
