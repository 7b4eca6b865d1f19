"""`retarget inspect`: what a file says of itself: whether it is synthetic, by which run, and from what."""

import json
from collections.abc import Mapping

from data.domain.sources import open_source
from data.errors import MissingInputError
from data.video.reader import read_metadata
from data.writing.sequence import ABOUT
from pipelines.marks import RUN, SOURCE, SOURCE_TYPE, WEIGHTS
from pipelines.options import InspectOptions
from pipelines.places import say

SYNTHETIC_TYPES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
"""Ends of the IPTC's digital source types that say so."""

_TITLES = {"comment": "made", RUN: "run", WEIGHTS: "weights", SOURCE: "source", SOURCE_TYPE: "type"}


def inspect_file(options: InspectOptions) -> None:
    """Prints what a rendered video or folder of pictures says of itself. What it says can be changed by anyone.

    Raises MissingInputError, NotAVideoError, PictureError.
    """
    said = _said(options)
    kind = said.get(SOURCE_TYPE, "")
    synthetic = kind.rpartition("/")[2] in SYNTHETIC_TYPES
    say(f"{options.file}: {'says that it is synthetic' if synthetic else 'does not say that it is synthetic'}")
    for name, title in {
        "comment": "made",
        RUN: "run",
        WEIGHTS: "weights",
        SOURCE: "source",
        SOURCE_TYPE: "type",
    }.items():
        if name in said:
            say(f"  {title}: {said[name]}")
    if options.source is not None:
        own = open_source(options.source).sha256()
        answer = (
            "is what it says it was made from" if own == said.get(SOURCE) else "is not what it says it was made from"
        )
        say(f"  {options.source} {answer}")


def _said(options: InspectOptions) -> Mapping[str, str]:
    if not options.file.exists():
        raise MissingInputError(f"{options.file}: no such file")
    if not options.file.is_dir():
        return read_metadata(options.file)
    try:
        content = json.loads((options.file / ABOUT).read_text())
    except (OSError, ValueError, RecursionError):
        content = {}
    return {str(name): str(value) for name, value in content.items()} if isinstance(content, dict) else {}
