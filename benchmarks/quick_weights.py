"""Makes the run that `retarget demo --quick` shows, in pipelines/quick, and says what it reaches.

python benchmarks/quick_weights.py [--steps 2500] [--folder build/quick]

Two generators that lie together below 2 MB in half precision, of a plain world of another seed than a demo's. For a
release, where training or networks changed: about 8 minutes of computing on one core. Run again, it goes on where it
stopped. Look at demo/quick/sheet.png in the folder before committing.
"""

import argparse
import os
import shutil
from pathlib import Path

import torch

from data.world.worlds import WORLDS
from pipelines.demo import QUICK_PX, QUICK_RUN
from pipelines.subcommands import run_shown
from recycle.config import TrainingConfig, from_json
from recycle.runs.checkpoint import load_newest, save
from recycle.runs.runfolder import checkpoints_folder, read_settings, write_settings

WORLD_SEED, FRAMES = 1, 1500
MOST_BYTES = 2_000_000
GENERATORS = ("--generator", "resnet_5blocks", "--generator-filters", 16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--folder", type=Path, default=Path("build/quick"))
    asked = parser.parse_args()
    os.nice(10)
    run = train(asked.folder, asked.steps)
    keep(run, QUICK_RUN)
    size = sum(path.stat().st_size for path in QUICK_RUN.rglob("*") if path.is_file())
    print(f"{QUICK_RUN}: {size / 1e6:.2f} MB")
    assert size < MOST_BYTES
    run_shown("demo", "--quick", "--folder", asked.folder / "demo")


def train(folder: Path, steps: int) -> Path:
    """Draws, extracts, trains; gives the run."""
    world = WORLDS["plain"].write(folder / "clips", WORLD_SEED, FRAMES, 3, QUICK_PX)
    domains, run = folder / "domains", folder / "run"
    for clip in (world.a, world.b):
        run_shown("extract", clip, "--align", "none", "--size", QUICK_PX, "--domains", domains)
    run_shown(
        *("train", world.a.stem, world.b.stem, "--domains", domains, "--run", run, "--preset", "tiny", *GENERATORS),
        *("--steps", steps, "--no-crop-jitter"),
    )
    return run


def keep(run: Path, kept: Path) -> None:
    """What rendering needs of a run, its generators in half precision, with names for folders.

    Of the last checkpoint, where the rate has come down: 0.6 dB closer to the truth than the one of the best score.
    """
    checkpoint = load_newest(checkpoints_folder(run), groups=("ema",), on_note=print)
    assert checkpoint is not None
    half = {name: value.to(torch.float16) for name, value in checkpoint.tensors["ema"].items()}
    content = read_settings(run)
    settings = content["settings"] | {side: Path(content["settings"][side]).name for side in ("a", "b")}
    best = {"step": checkpoint.step}
    shutil.rmtree(kept, ignore_errors=True)
    save(checkpoints_folder(kept), checkpoint.step, {"weights": half, "ema": {}}, {}, keep=1, best=best)
    write_settings(kept, settings, from_json(TrainingConfig, content["training"]), content["computes_in"])


if __name__ == "__main__":
    main()
