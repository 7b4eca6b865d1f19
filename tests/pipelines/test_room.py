"""Whether what is to be written will fit: asked before the work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data.domain.domain import Domain
from data.errors import OutputError
from pipelines.cli import run
from pipelines.options import TrainOptions
from pipelines.room import Need, require_room
from pipelines.training.forecast import room_for
from recycle.methods import METHODS
from tests.pipelines.runs import TINY, draw, one_error

ROOT = Path(__file__).parents[2]


def test_needs_on_one_disk_count_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    free = shutil.disk_usage(tmp_path).free
    half = Need(tmp_path / "to" / "come", 0.4 * free, 0.7 * free)
    require_room([half], force=False)
    assert capsys.readouterr().out == ""
    require_room([half, Need(tmp_path, 0.1 * free, 0.7 * free)], force=False)
    assert "are free: it may not fit" in capsys.readouterr().out
    with pytest.raises(OutputError, match="go on all the same with --force"):
        require_room([half, Need(tmp_path, 0.7 * free, 0.7 * free)], force=False)
    require_room([Need(tmp_path, 2 * free, 2 * free)], force=True)
    assert "are free: it will not fit" in capsys.readouterr().out


def test_training_takes_about_what_it_is_said_to(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        draw(place / f"{name}.mp4")
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "36"]) == 0
    train = ("train", "a", "b", *TINY, "--save-every", "1")
    assert "will be written, and" in one_error(capsys, *train, "--steps", "9" * 9, "--keep", "9" * 9, code=1)
    assert not Path("runs").exists()
    assert run([*train, "--steps", "4", "--keep", "3"]) == 0
    options = TrainOptions()
    domains = [Domain.load(Path("domains") / name) for name in ("a", "b")]
    written = sum(path.stat().st_size for path in Path("runs").glob("*/checkpoints/step-*/*"))
    decoded = sum(path.stat().st_size for path in Path("domains").glob("*/.cache/*/pixels.rgb"))
    shutil.rmtree("runs")
    shutil.rmtree("domains/a/.cache")
    shutil.rmtree("domains/b/.cache")
    options = trained_with(4, 3)
    method = METHODS[options.method](options.config)
    checkpoints, *caches = room_for(options, domains, method, Path("runs/a-b"))
    assert checkpoints.least < written < checkpoints.about < 2.5 * written
    assert sum(need.about for need in caches) == decoded


def trained_with(steps: int, keep: int) -> TrainOptions:
    """The options that those words stand for."""
    from pipelines.cli import _options

    return _options("train", ["a", "b", *TINY, "--save-every", "1", "--steps", str(steps), "--keep", str(keep)])


@pytest.mark.slow
def test_a_small_disk_is_told_before_the_work(place: Path) -> None:
    """On a disk of its own, of 40 KB."""
    draw(place / "a.mp4", frames=100)
    assert run(["extract", "a.mp4", "--align", "none", "--size", "32", "--name", "b"]) == 0
    shutil.copytree("domains/b", "domains/c")
    assert run(["train", "b", "c", *TINY, "--steps", "1"]) == 0
    (place / "small").mkdir()
    words = [
        ["extract", "a.mp4", "--align", "none", "--size", "128", "--domains", "small/domains"],
        ["render", "--run", "runs/b-c", "--input", "a.mp4", "--codec", "ffv1", "--output", "small/out.mkv"],
    ]
    for command in words:
        mounted = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=40k none small && exec "$@"', "sh"]
        if subprocess.run([*mounted, "true"], capture_output=True).returncode:
            pytest.skip("this machine lets nobody mount a disk: run as root, with unshare of util-linux")
        program = [*mounted, "sh", "-c", '"$@"; code=$?; find small -type f; exit $code', "sh"]
        done = subprocess.run(
            [*program, sys.executable, "-m", "pipelines.cli", *command],
            capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode == 1 and "go on all the same with --force" in done.stderr, done.stdout + done.stderr
        assert "small/" not in done.stdout.replace("output small/out.mkv", ""), done.stdout
