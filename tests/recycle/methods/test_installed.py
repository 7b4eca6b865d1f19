"""Methods of installed packages: what cannot be taken is a line, and the rest works."""

import sys
from pathlib import Path

import pytest

from recycle.methods import METHODS
from recycle.methods.installed import GROUP, installed
from recycle.methods.row import SHARED_TERMS

ROW = """
from recycle.config import LossWeights
from recycle.methods.row import MethodRow
ROW = MethodRow(name={name!r}, path="nowhere:Nothing", title="T", line="L", weights=LossWeights(cycle=1.0){more})
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a package with one entry point on the path, as an installer leaves it."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(package: str, source: str, entry: str = "some") -> None:
        monkeypatch.delitem(sys.modules, package, raising=False)
        (tmp_path / f"{package}.py").write_text(source)
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{entry} = {package}:ROW\n")

    return put


def test_a_row_of_an_installed_package_is_found_without_its_class(install):
    install("given_alone", ROW.format(name="mine", more=', own={"ramp": 0.3}, options=frozenset({"window"})'))
    rows, lines = installed(METHODS)
    assert lines == []
    assert list(rows) == ["mine"]
    assert rows["mine"].defaults("tiny")[0].own == {"ramp": 0.3}
    assert rows["mine"].all_terms == SHARED_TERMS["two-way"]
    with pytest.raises(ImportError):
        rows["mine"].load()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (ROW.format(name="cyclegan", more=""), "there is a method cyclegan already"),
        (ROW.format(name="good", more=""), "there is a method good already"),
        ("import a_module_that_is_not_there", "a_module_that_is_not_there"),
        ("raise RuntimeError('two\\nlines')", "two lines"),
        ("ROW = 1 / 0", "division by zero"),
        ("", "ROW"),
        ("ROW = 'a string'", "gives a str and not a MethodRow"),
        (ROW.format(name="other", more=", terms=frozenset({'mystery'})"), "there is no term mystery"),
        (ROW.format(name="other", more=", options=frozenset({'pool_size'})"), "no option pool_size to honour"),
        (ROW.format(name="other", more=", ways='no-way'"), "no-way"),
    ],
)
def test_what_cannot_be_taken_is_one_line_and_the_rest_works(install, source, reason):
    install("a_good_one", ROW.format(name="good", more=""))
    install("broken_one", source, entry="bad")
    rows, lines = installed(METHODS)
    assert list(rows) == ["good"]
    (line,) = lines
    assert "\n" not in line
    assert line.startswith("method 'bad' of the package broken_one is left out: ")
    assert reason in line


def test_docs_list_every_row():
    """docs/methods.md says of each method its name, what it does, and every term that it has."""
    page = (Path(__file__).parents[3] / "docs" / "methods.md").read_text()
    table = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    for row in METHODS.values():
        line = table[row.name].casefold()
        assert row.line.casefold() in line, row.name
        for term in row.all_terms:
            assert term.replace("_", " ") in line, (row.name, term)
            weight = getattr(row.weights, term)
            assert not weight or f"{term.replace('_', ' ')} {weight:g}" in line, (row.name, term)
