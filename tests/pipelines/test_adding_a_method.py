"""docs/adding-a-method.md, word for word: its package is installed and goes the whole way through the command line."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.media import frame_times
from tests.pipelines.runs import draw

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-method.md").read_text()


def files() -> dict[str, str]:
    """The files of the page, by the path that stands before each."""
    return dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def commands() -> list[list[str]]:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line.split()[1:] for line in block.splitlines()]


class Retarget:
    """The command line as a process beside installed packages."""

    def __init__(self, site: Path, place: Path) -> None:
        self._place = place
        self._environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "OMP_NUM_THREADS": "1"}

    def __call__(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *words],
            cwd=self._place,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's package, installed into a folder of its own."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name, content in files().items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(content)
    how = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *how, str(source)], check=True)
    return site


@pytest.mark.slow
def test_the_page_goes_the_whole_way(site: Path, tmp_path: Path) -> None:
    retarget = Retarget(site, tmp_path)
    for name, look in (("a", "A"), ("b", "B")):
        draw(tmp_path / f"{name}.mp4", look)
        retarget("extract", f"{name}.mp4", "--align", "none", "--size", "64")
    assert [words[0] for words in commands()] == ["train", "train", "render", "evaluate", "export", "report"]
    said = [retarget(*words) for words in commands()]

    run = tmp_path / "runs" / "a-b"
    assert "going on from step 10" in said[1].stdout + said[1].stderr
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["step"] == "20"
    assert {"adversarial_ab", "geometry_a", "discriminator_b"} <= rows[0].keys()
    assert frame_times(tmp_path / "there.mp4") == frame_times(tmp_path / "a.mp4")
    assert (run / "evaluation" / "evaluation.json").exists()
    assert list((tmp_path / "exports" / "a-b").iterdir())
    report = (run / "report.html").read_text()
    assert "FlipGAN (an example)" in report
    assert "geometry 20" in report

    without = Retarget(tmp_path, tmp_path)  # the package is not there any more
    line = without("render", "--input", "a.mp4", "--output", "again.mp4", code=2).stderr.strip()
    assert "flipgan" in line.splitlines()[-1]
    assert "Traceback" not in line
    without("report", "--output", "again.html")


def test_numbers_of_its_own_have_flags_that_other_methods_refuse(site: Path, tmp_path: Path) -> None:
    retarget = Retarget(site, tmp_path)
    text = retarget("train", "--method", "flipgan", "--help").stdout
    assert "--geometry" in text
    assert "--ramp" in text
    assert "FlipGAN (an example)" in text
    assert "--geometry" not in retarget("train", "--help").stdout
    refused = retarget("train", "a", "b", "--method", "cyclegan", "--own", "geometry", "3", code=2).stderr
    assert "--own geometry" in refused
    assert "--window 5" in retarget("train", "a", "b", "--method", "flipgan", "--window", "5", code=2).stderr
