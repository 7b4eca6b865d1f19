"""`retarget doctor A B`: what two domains share and lack, before hours are spent on training."""

from typing import Any

from data.disk import write_bytes
from data.domain.domain import Domain
from data.domain.dropped import drop, undo
from data.errors import SettingsError, TooFewFramesError
from pipelines.doctoring.alike import misfits
from pipelines.doctoring.compare import Kind, lacking, shared
from pipelines.doctoring.faults import faults
from pipelines.doctoring.measures import MEASURES, Looked, look
from pipelines.doctoring.sheets import of_faults, of_kind
from pipelines.options import DoctorOptions
from pipelines.pages.pages import page, picture_uris
from pipelines.places import find_domain, say

PICTURES_BYTES = 4_000_000
"""Of all sheets of the page together."""


def doctor(options: DoctorOptions) -> None:
    """Writes the page and says its gist; drops what it lists or brings it back, where asked. Raises RetargetError."""
    if options.drop and options.undo:
        raise SettingsError("--drop and --undo: are each other's opposite; give one")
    a, b = find_domain(options.a, options.domains), find_domain(options.b, options.domains)
    if a.folder.resolve() == b.folder.resolve():
        raise SettingsError(f"{a.folder}: named twice; two domains are compared")
    if options.undo:
        for domain in (a, b):
            back, left = undo(domain.folder)
            say(f"{domain.folder}: {back} frames are back" + (f", {left} have others in their places" if left else ""))
        return
    looked = look(a), look(b)
    for one in looked:
        if not one.records:
            raise TooFewFramesError(str(one.domain.folder), 0, 1)
    data = _examined(*looked)
    text = page("doctor", f"{a.name} and {b.name}", data, style=("doctor.css",), script=("doctor.js",))
    write_bytes(options.output, text.encode())
    for line in data["gist"]:
        say(line)
    for one, found in zip(looked, data["faults"], strict=True):
        if options.drop:
            count = drop(one.domain.folder, [picture for fault in found for picture in fault["pictures"]])
            say(f"{one.domain.folder}: {count} frames moved to dropped/; the same command with --undo brings them back")
    say(f"{options.output}: open it")


def _examined(a: Looked, b: Looked) -> dict[str, Any]:
    """What the page shows."""
    lacks = [(a, b, lacking(a, b)), (b, a, lacking(b, a))]
    kinds = [[{"name": kind.name, "part": kind.part, "frames": len(kind.places)} for kind in ks] for *_, ks in lacks]
    found = [{why: pictures for why, pictures in faults(one).items() if pictures} for one in (a, b)]
    sheets = [of_kind(kind, here, there) for here, there, ks in lacks for kind in ks]
    sheets += [
        of_faults(pictures, one) for one, of_one in zip((a, b), found, strict=True) for pictures in of_one.values()
    ]
    uris = iter(picture_uris(sheets, PICTURES_BYTES))
    for entries in kinds:
        for entry in entries:
            entry["sheet"] = next(uris)
    listed = [[{"why": why, "pictures": pictures, "sheet": next(uris)} for why, pictures in of_one.items()]
              for of_one in found]  # fmt: skip
    return {
        "names": [a.domain.name, b.domain.name],
        "gist": [*misfits(a.domain, b.domain), *_gist(lacks, found), *_unknown(a, b)],
        "measures": [
            {"name": s.measure.name, "a": s.of_a, "b": s.of_b, "a_in_b": s.a_in_b, "b_in_a": s.b_in_a}
            for s in shared(a, b)
        ],
        "kinds": kinds,
        "faults": listed,
        "left_out": [dict(_left_out(one.domain)) for one in (a, b)],
    }


def _gist(lacks: list[tuple[Looked, Looked, list[Kind]]], found: list[dict[str, list[str]]]) -> list[str]:
    lines = []
    for here, there, kinds in lacks:
        name, other = here.domain.name, there.domain.name
        lines += [
            f"{100 * kind.part:.0f} % of {name} are {kind.name}, with no like in {other}: film {other} so, or leave "
            f"these frames of {name} out"
            for kind in kinds
        ]
        if not kinds and any(m.expression and here.known(n) and there.known(n) for n, m in MEASURES.items()):
            lines.append(f"every pose and expression of {name} that was measured has its like in {other}")
    for (here, *_), faulty in zip(lacks, found, strict=True):
        if faulty:
            listed = ", ".join(f"{len(pictures)} {why}" for why, pictures in faulty.items())
            lines.append(f"{here.domain.name}: to drop {listed} (--drop)")
    return lines


def _unknown(a: Looked, b: Looked) -> list[str]:
    """What could not be compared."""
    unknown = [
        measure.name
        for name, measure in MEASURES.items()
        if measure.expression and not (a.known(name) and b.known(name))
    ]
    if not unknown:
        return []
    return [f"not compared: {', '.join(unknown)}; landmarks of faces in both say them, 68 of them (--align fan) most"]


def _left_out(domain: Domain) -> dict[str, int]:
    """Frames that extraction left out already, by why."""
    counts: dict[str, int] = {}
    for clip in domain.clips:
        for why, count in clip.excluded.items():
            counts[why] = counts.get(why, 0) + count
    return counts
