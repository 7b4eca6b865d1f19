"""The house keeps its rules: what the import contracts refuse, how long files and functions may be."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("recycle", "data", "pipelines", "durable")
WINGS = sorted(str(file.parent.relative_to(ROOT)) for room in ROOMS for file in (ROOT / room).rglob("__init__.py"))
LONGEST_FILE, LONGEST_FUNCTION = 250, 50
LONGER: set[str] = set()
"""Files, and functions as file::name, that may be longer until they are divided. To become empty and stay so."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and its contracts, to be changed and put back."""
    place = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / room, ignore=shutil.ignore_patterns("__pycache__", "html"))
    shutil.copy(ROOT / "setup.cfg", place)
    return place


def lint_imports(house: Path) -> tuple[int, str]:
    """What `lint-imports` says of it: exit code and output."""
    program = "import sys; from importlinter.cli import lint_imports_command as run; run(args=sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_hold(house: Path) -> None:
    code, said = lint_imports(house)
    assert code == 0, said


@pytest.mark.parametrize("wing", WINGS)
def test_a_module_that_no_contract_names_is_refused(house: Path, wing: str) -> None:
    stranger = house / wing / "stranger.py"
    stranger.touch()
    try:
        code, said = lint_imports(house)
    finally:
        stranger.unlink()
    assert code == 1
    assert "stranger" in said


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("data/video/frame.py", "data.video.reader"),  # reader imports frame
        ("data/errors.py", "data.video.frame"),
        ("data/faces/haar.py", "data.faces.yunet"),  # side by side: the first half of a cycle
        ("recycle/networks/layers.py", "recycle.training.trainer"),
        ("recycle/measures/labels.py", "recycle.methods.losses"),
        ("recycle/config.py", "data.errors"),
        ("data/disk.py", "pipelines.places"),
        ("pipelines/render.py", "pipelines.extract"),
    ],
)
def test_a_cycle_or_a_way_around_the_walls_is_refused(house: Path, importer: str, imported: str) -> None:
    path = house / importer
    before = path.read_text()
    path.write_text(f"{before}\nimport {imported}\n")
    try:
        code, said = lint_imports(house)
    finally:
        path.write_text(before)
    assert code == 1
    assert f"-> {imported}" in said


def python_files() -> list[Path]:
    return [path for room in (*ROOMS, "tests", "benchmarks") for path in sorted((ROOT / room).rglob("*.py"))]


def test_no_file_holds_two_ideas() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_files()}
    assert len(lengths) > 200
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE and name not in LONGER} == {}


def test_no_function_holds_two_ideas() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}::{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 1000
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION and name not in LONGER} == {}


def test_test_files_never_import_one_another() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not [part for part in (node.module or "").split(".") if part.startswith("test_")], path
