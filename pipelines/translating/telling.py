"""What a translation is told beside its frames: from which domain to which, which answer, whose style."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.disk import name_from
from data.domain.pictures import read_picture, resize
from data.errors import MissingInputError, NoFaceError, SettingsError
from data.faces.align import crop, crop_matrix
from data.faces.aligners import open_aligner
from pipelines.option_groups import WhatToTell
from pipelines.places import say
from recycle.methods.base import Direction, Method
from recycle.runs.runfolder import letters


def way_of(settings: Mapping[str, Any], method: Method, options: WhatToTell, *, reverse: bool = False) -> Direction:
    """The direction that the user means. Raises SettingsError for a domain or a way that there is not."""
    first, second = ("b", "a") if reverse else ("a", "b")
    if reverse and (options.into or options.out_of):
        raise SettingsError("--reverse: is B to A; with --into or --out-of leave it away")
    here = _letter(settings, options.out_of, "--out-of") if options.out_of else None
    there = _letter(settings, options.into, "--into") if options.into else None
    if here is None:
        here = first if there != first else second
    if there is None:
        there = second if here != second else first
    direction = f"{here}_to_{there}"
    if direction in method.ways:
        return direction
    if here == there:
        raise SettingsError(f"--into {options.into}: is where the clip is from; give another, or another --out-of")
    flag = "--reverse" if reverse else f"--out-of {options.out_of}" if options.out_of else f"--into {options.into}"
    raise SettingsError(f"{flag}: {settings['method']} translates one way; leave it away, or train B and A")


def tell(method: Method, settings: Mapping[str, Any], options: WhatToTell) -> None:
    """Has the method hold what the user chose, and says so. Raises RetargetError where it takes no such thing."""
    for name in ("sample", "reference"):
        value = getattr(options, name)
        if value is not None and name not in method.asks:
            raise SettingsError(f"--{name} {value}: {settings['method']} takes none")
    picture = None
    if options.reference is not None:
        picture = _reference(options.reference, settings, options.models)
        say(f"reference {options.reference}")
    method.hold(sample=options.sample, reference=picture)


def kind_told(options: WhatToTell) -> list[str]:
    """What keeps results of other choices apart in their names."""
    sample = "" if options.sample is None else f"sample-{options.sample}"
    return [sample, "" if options.reference is None else f"like-{name_from(options.reference.stem)}"]


def reference_digest(options: WhatToTell) -> str:
    """Changes with the reference's bytes; "" where there is none."""
    return "" if options.reference is None else hashlib.sha256(options.reference.read_bytes()).hexdigest()


def _letter(settings: Mapping[str, Any], name: str, flag: str) -> str:
    """The letter of a domain by its name or letter."""
    named = {Path(settings[letter]).name: letter for letter in letters(settings)}
    if name in named:
        return named[name]
    if name.lower() in letters(settings):
        return name.lower()
    raise SettingsError(f"{flag} {name}: no domain of this run; there are {', '.join(named)}")


def _reference(path: Path, settings: Mapping[str, Any], models: Path | None) -> torch.Tensor:
    """A picture as the networks have seen those of B: (3, size, size) in [-1, 1]; its largest face where B is of faces.

    Raises MissingInputError, PictureError, NoFaceError, MissingModelError.
    """
    if not path.is_file():
        raise MissingInputError(f"{path}: no such picture")
    rgb, size = read_picture(path), settings["config"]["networks"]["size"]
    if settings["aligner_b"] == "none":
        side = min(rgb.shape[:2])
        top, left = ((length - side) // 2 for length in rgb.shape[:2])
        shown = resize(rgb[top : top + side, left : left + side], (size, size))
    else:
        backend = open_aligner(settings["aligner_b"], models, say)
        found = backend.find(rgb)
        if not found:
            raise NoFaceError(f"{path}: no face found in it by {backend.name}; choose another picture")
        largest = max(found, key=lambda detection: detection.width)
        (points,) = backend.landmarks([rgb], [largest])
        shown = crop(rgb, crop_matrix(points, size), size)
    return torch.from_numpy(np.ascontiguousarray(shown)).permute(2, 0, 1).float() / 127.5 - 1
