"""What the container files repeat from elsewhere still agrees with it."""

import configparser
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()


def copied() -> set[str]:
    """What COPY takes from the project's folder."""
    return {source for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.M) for source in line.split()[:-1]}


def test_the_image_has_the_versions_that_make_installs() -> None:
    assert not re.search(r"==\d", DOCKERFILE), "exact versions stand in constraints.txt alone"
    installs = [part for part in re.split(r"&&|;|\n", DOCKERFILE) if re.search(r"pip install", part)]
    free = [part.strip() for part in installs if "--constraint constraints.txt" not in part]
    assert free == ["pip install uv"]
    assert DOCKERFILE.index("COPY constraints.txt") < DOCKERFILE.index("pip install")


def test_every_package_is_copied() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    rooms = {name.strip("*, ") for name in setup["options.packages.find"]["include"].split()}
    assert rooms | {"setup.cfg", "pyproject.toml", "constraints.txt", setup["metadata"]["license_files"]} <= copied()
    assert all((ROOT / name).exists() for name in copied())


def test_dockerignore_lets_through_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied()


def test_the_folder_script_refuses_without_touching_anything(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    done = subprocess.run(
        ["bash", ROOT / "docker" / "in-folder.sh", tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("in-folder.sh: ") and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
