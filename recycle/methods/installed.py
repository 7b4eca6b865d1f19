"""Methods of other people's packages: what they give under the entry point group `retarget.methods`."""

from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import EntryPoint, entry_points

from recycle.config import LossWeights
from recycle.methods.row import SHARED_TERMS, MethodRow

GROUP = "retarget.methods"


def installed(table: Mapping[str, MethodRow]) -> tuple[dict[str, MethodRow], list[str]]:
    """Rows of installed packages by name, and a line for each that cannot be taken; the others are.

    table: the methods that are here, whose names are taken and whose `options` are all that there are.
    """
    rows: dict[str, MethodRow] = {}
    lines = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry), entry.name)):
        try:
            row = entry.load()
            _check(row, {**table, **rows})
        except Exception as error:  # whatever somebody's module raises when it is imported
            reason = " ".join(str(error).split()) or type(error).__name__
            lines.append(f"method {entry.name!r} of the package {_package(entry)} is left out: {reason}")
        else:
            rows[row.name] = row
    return rows, lines


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _check(row: object, taken: Mapping[str, MethodRow]) -> None:
    """Raises ValueError where a row is none, or says what cannot be."""
    if not isinstance(row, MethodRow):
        raise ValueError(f"its entry point gives a {type(row).__name__} and not a MethodRow")
    if row.name in taken:
        raise ValueError(f"there is a method {row.name} already ({taken[row.name].path})")
    if row.ways not in SHARED_TERMS:
        raise ValueError(f"its ways are {row.ways!r} and not one of {', '.join(SHARED_TERMS)}")
    known = {field.name for field in fields(LossWeights)}
    if unknown := sorted(row.terms - known):
        raise ValueError(f"there is no term {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    shared = {option for other in taken.values() for option in other.options}
    if unknown := sorted(row.options - shared):
        raise ValueError(f"there is no option {', '.join(unknown)} to honour; there are {', '.join(sorted(shared))}")
