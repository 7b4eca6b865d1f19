"""The docs are whole: the site builds without a warning, and what they tell people to type exists."""

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from pipelines.cli import COMMANDS, run

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="mkdocs-material is not installed: pip install -e '.[dev]'")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, timeout=300, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = {path.stem for path in (tmp_path / "site").glob("*.html")} - {"404"}
    assert pages == {path.stem for path in (ROOT / "docs").glob("*.md")}


@cache
def flags_of(command: str) -> frozenset[str]:
    """Every flag of a command, by its own `--help`."""
    program = f"from pipelines.cli import run; run([{command!r}, '--help'])"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    return frozenset(re.findall(r"--[a-z][a-z0-9-]*", said.stdout)) | {"--help"}


def typed(page: Path) -> list[list[str]]:
    """The words of every `retarget ...` in a page's blocks of commands, without comments."""
    found = []
    for block in re.findall(r"```(?:\w*)\n(.*?)```", page.read_text(), re.S):
        for line in block.replace("\\\n", " ").splitlines():
            start = re.match(r"\s*(?:\$ )?retarget (.*)", line.partition("  #")[0].partition(" | ")[0])
            if start:
                found.append(shlex.split(start[1].rstrip(), comments=True))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_to_be_typed_exists(page: Path) -> None:
    for command, *words in typed(page):
        assert command in COMMANDS, f"retarget {command}"
        flags = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
        assert flags <= flags_of(command), f"retarget {command} {' '.join(sorted(flags - flags_of(command)))}"


def test_flags_are_found_at_all() -> None:
    assert sum(len(typed(page)) for page in PAGES) > 20
    assert {"--name", "--align", "--size"} <= flags_of("extract")
    assert run(["--help"]) == 0
