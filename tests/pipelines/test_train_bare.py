"""Training without any library for video, faces or command lines: `benchmarks/gpu.sh` goes to such machines."""

import os
import subprocess
import sys
from pathlib import Path

BARE = """
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"av", "tyro", "scenedetect", "face_alignment", "ffmpeg", "imageio_ffmpeg"}:
            raise ModuleNotFoundError(f"no module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())

import numpy as np
from data.domain.domain import Clip, Domain
from data.domain.pictures import write_picture
from data.domain.record import Record
from pipelines.train import train
from recycle.methods import METHODS

for name in "ab":
    records = [Record("c", n, n, "1/25", 0, "train") for n in range(6)]
    clip = Clip("c", "c.mp4", "", "video", {}, 6, 6, 1, "25", [32, 32], 0, {})
    Path("domains", name, "frames", "c").mkdir(parents=True)
    Domain(Path("domains", name), "none", 32, [clip]).save(records)
    for record in records:
        write_picture(Path("domains", name, record.picture), np.full((32, 32, 3), 8 * record.number, np.uint8))

config, training = METHODS["cyclegan"].defaults("tiny")
networks = replace(config.networks, size=32, generator_filters=2, discriminator_filters=2, discriminator_layers=2)
options = SimpleNamespace(
    a="a", b="b", more=(), add=None, guard=None, source=None, domains=Path("domains"), run=Path("run"),
    method="cyclegan", preset="tiny", measure=False, force=False,
    config=replace(config, networks=networks), training=replace(training, steps=2, accelerator="cpu"),
    crop_jitter=False, flip=True, vgg_weights=None, workers=0,
)
sys.exit(train(options))
"""


def test_training_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/checkpoints/step-00000002/weights.safetensors").is_file()
    assert (tmp_path / "run/samples/step-000002.jpg").is_file()
