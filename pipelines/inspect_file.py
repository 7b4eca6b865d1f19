"""`retarget inspect`: what a file says of itself: synthetic or not, by which run, from what, signed by whom."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image

from data.domain.consent import consent_of
from data.domain.sources import open_source
from data.errors import MissingExtraError, MissingInputError
from data.video.reader import read_metadata
from data.writing.sequence import ABOUT
from pipelines.keeping_options import InspectOptions
from pipelines.places import say
from pipelines.provenance.marks import CONSENT, RUN, SIGNED, SOURCE, SOURCE_TYPE, USE, WEIGHTS
from pipelines.provenance.verifying import Verdict, verdict_on

SYNTHETIC_TYPES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
"""Ends of the IPTC's digital source types that say so."""
BROKEN = 1
"""Exit code where a file was changed after it was signed."""

_TITLES = {
    "comment": "made",
    RUN: "run",
    WEIGHTS: "weights",
    SOURCE: "source",
    SOURCE_TYPE: "type",
    CONSENT: "consent",
    USE: "use",
}


def inspect_file(options: InspectOptions) -> int:
    """Prints what a rendered video, picture or folder of pictures says of itself, and whether its signature holds.

    What it says without a signature can be changed by anyone. Gives the exit code: 1 where a signature does not hold.
    Raises MissingInputError, NotAVideoError, PictureError, MissingExtraError, SettingsError.
    """
    if (options.file / "domain.json").is_file():
        return _of_domain(options.file)
    said = _said(options.file)
    kind = said.get(SOURCE_TYPE, "")
    synthetic = kind.rpartition("/")[2] in SYNTHETIC_TYPES
    say(f"{options.file}: {'says that it is synthetic' if synthetic else 'does not say that it is synthetic'}")
    for name, title in _TITLES.items():
        if name in said:
            say(f"  {title}: {said[name]}")
    code = _signature(options, said)
    if options.source is not None:
        own = open_source(options.source).sha256()
        answer = (
            "is what it says it was made from" if own == said.get(SOURCE) else "is not what it says it was made from"
        )
        say(f"  {options.source} {answer}")
    return code


def _of_domain(folder: Path) -> int:
    """Says what the person of a domain agreed to. Raises SettingsError, MissingInputError."""
    consent = consent_of(folder)
    if consent is None:
        say(f"{folder}: a domain that keeps no consent")
        return 0
    say(f"{folder}: a domain; {consent.who} agreed to {consent.in_words()} {consent.span()} ({consent.record})")
    say(f"  consent: {consent.sha256}")
    return 0


def _signature(options: InspectOptions, said: Mapping[str, str]) -> int:
    """Says who signed, and whether that holds. Gives the exit code. Raises as `verdict_on`."""
    found: dict[Path, Verdict | None] = {}
    try:
        found = {path: verdict_on(path, options.trust) for path in _files(options.file)}
    except MissingExtraError as error:
        if SIGNED not in said and options.trust is None:
            return 0
        raise MissingExtraError(f"{options.file}: says that it is signed; {error}") from error
    verdicts = {path: verdict for path, verdict in found.items() if verdict is not None}
    if not verdicts:
        if SIGNED in said:
            say("  signature: gone; it says that it was signed")
        return BROKEN if SIGNED in said else 0
    wrong = {path: verdict.wrong for path, verdict in verdicts.items() if verdict.wrong}
    wrong |= {path: "it has none" for path in found if path not in verdicts}
    if wrong:
        name, reason = next(iter(wrong.items()))
        where = "" if name == options.file else f" of {name.name}{f' and {len(wrong) - 1} more' * (len(wrong) > 1)}"
        say(f"  signature{where}: DOES NOT HOLD: {reason}")
    else:
        say(f"  signature: holds{'' if len(verdicts) == 1 else f', of all {len(verdicts)} pictures'}")
    first = next((verdicts[path] for path in wrong if path in verdicts), next(iter(verdicts.values())))
    if first.signer:
        vouched = {True: "vouched for by", False: "NOT vouched for by", None: ""}[first.trusted]
        by = f", {vouched} {options.trust}" if vouched else "; whether that is who they are, --trust ROOTS.pem tells"
        say(f"  signer: {first.signer}{by}")
    for title, lines in {"done": first.actions, "from": first.ingredients}.items():
        for line in lines:
            say(f"  {title}: {line}")
    return BROKEN if wrong else 0


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(path.glob("[!.]*.png"))
    else:
        yield path


def _said(path: Path) -> Mapping[str, str]:
    if not path.exists():
        raise MissingInputError(f"{path}: no such file")
    if path.suffix.lower() == ".png" and path.is_file():
        return _texts(path)
    if not path.is_dir():
        return read_metadata(path)
    try:
        content = json.loads((path / ABOUT).read_text())
    except (OSError, ValueError, RecursionError):
        content = {}
    return {str(name): str(value) for name, value in content.items()} if isinstance(content, dict) else {}


def _texts(path: Path) -> Mapping[str, str]:
    """What a PNG file's texts say."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return {str(name): value for name, value in picture.info.items() if isinstance(value, str)}
    except Exception:  # Pillow raises what it likes
        return {}
