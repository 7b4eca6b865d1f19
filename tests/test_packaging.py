"""What is asked for of a user's environment, and the exact versions that `make` installs, agree with each other."""

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def pins() -> dict[str, str]:
    """Version by package of constraints.txt."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    return dict(line.split("==") for line in lines)


def asked() -> list[Requirement]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lists = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    return [Requirement(line) for lines in lists for line in lines.split("\n") if line]


@pytest.mark.parametrize("requirement", asked(), ids=str)
def test_every_requirement_has_one_exact_version_within_its_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins()[requirement.name]), requirement


def test_a_user_keeps_the_torch_that_is_there() -> None:
    ranges = {requirement.name: requirement.specifier for requirement in asked()}
    for kept in ("2.6.0", "2.9.1", "2.13.0+cpu", "2.14.1+cu130"):
        assert ranges["torch"].contains(kept)
    assert not ranges["torch"].contains("2.5.1")  # where torch.load could be made to execute what it loads
    assert str(ranges["torchvision"]) == "", "torchvision asks for its one torch by itself"


def test_torch_goes_in_first_and_by_constraint() -> None:
    recipe = re.findall(r"^\t\$\(INSTALL\) (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert recipe[0].startswith("$$(grep '^torch==' constraints.txt)")
    assert len(recipe) == 3
    assert "pip install" not in (ROOT / "Makefile").read_text().replace("pip install --quiet --constraint", "")
