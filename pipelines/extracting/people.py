"""Who is in a clip: a sheet of its people with their numbers, before one of them is followed."""

from pathlib import Path

import numpy as np

from data.disk import make_folder
from data.domain.domain import Domain
from data.domain.pictures import captioned, sheet, write_sheet
from data.domain.sources import Source
from data.errors import NoFaceError, SettingsError
from data.faces.align import crop, crop_matrix
from data.faces.people import Identity, Person, alike, vectors_of
from data.faces.placing import LOOKS, everybody, square_pixels
from data.faces.recognise import Recogniser
from data.faces.tracks import Track, weight
from pipelines.extracting.clip import Eyes, eyes_of
from pipelines.options import ExtractOptions
from pipelines.places import say

CELL_PX = 128
MOST_VIEWS, MOST_PEOPLE = 6, 20
"""Shown of one person: their best view in each of the longest tracks. And of a crowd: the most seen."""


def show_people(domain: Domain, sources: list[Source], options: ExtractOptions) -> None:
    """Who is in clips of a domain, and nothing else. Raises RetargetError."""
    if domain.aligner == "none":
        raise SettingsError("--people: whole frames are taken, so nobody is looked for; leave --align none away")
    known = None if domain.identity is None else Identity.from_json(domain.identity)
    for source in sources:
        people_of(source, eyes_of(domain.aligner, domain.identity, options), domain.folder, known)


def people_of(source: Source, eyes: Eyes, folder: Path, known: Identity | None) -> list[Person]:
    """The people of a clip by their numbers; says who they are, and writes people.jpg into the domain's `folder`.

    known: the domain's person, where it has one; else likeness is that to the first. Raises NoFaceError, OutputError.
    """
    found = everybody(source, eyes.aligner, eyes.recogniser, folder.parent / LOOKS)
    if not found:
        raise NoFaceError(f"{source.path}: nobody is in it whose face can be followed")
    identity = known.looks if known is not None else _vectors(found[0], eyes.recogniser)
    to_whom = "the domain's person" if known is not None else "1"
    captions = []
    for number, person in enumerate(found, 1):
        likeness = alike(_vectors(person, eyes.recogniser), identity, eyes.recogniser)
        seconds = person.frames / source.info.rate if source.info.rate else 0
        like = "" if likeness < 0 else f"likeness {likeness:.2f}"
        captions.append((f"{number}: {float(seconds):.1f} s", like))
        say(f"{source.path}: {captions[-1][0]} in view ({person.frames} frames){', ' * bool(like)}{like}")
    path = make_folder(folder) / "people.jpg"
    write_sheet(path, sheet(_rows(source, found[:MOST_PEOPLE], captions)))
    note = f"likeness to {to_whom}, of the same person at least {eyes.recogniser.same:.2f}, by {eyes.recogniser.name}"
    say(f"{path}: look at it, and follow one of them with --face 1 to {len(found)} ({note})")
    return found


def _vectors(person: Person, recogniser: Recogniser) -> np.ndarray:
    vectors = [vectors_of(track, recogniser) for track in person.tracks]
    vectors = [part for part in vectors if len(part)]
    return np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32)


def _rows(source: Source, found: list[Person], captions: list[tuple[str, str]]) -> list[list[np.ndarray]]:
    """A row a person: views, the first with the caption. One pass over the clip."""
    wanted: dict[int, list[tuple[int, Track]]] = {}
    for row, person in enumerate(found):
        for track in sorted(person.tracks, key=lambda track: -track.weight)[:MOST_VIEWS]:
            best = max(track.detections, key=lambda frame: weight(track.detections[frame]))
            wanted.setdefault(best, []).append((row, track))
    rows: list[list[np.ndarray]] = [[] for _ in found]
    for frame in source.frames():
        for row, track in wanted.get(frame.number, ()):
            matrix = crop_matrix(track.detections[frame.number].points, CELL_PX, 0.8)
            rows[row].append(crop(square_pixels(frame.rgb, source.info), matrix, CELL_PX))
        if frame.number >= max(wanted):
            break
    for pictures, (name, likeness) in zip(rows, captions, strict=False):
        for place, picture in enumerate(pictures):
            pictures[place] = captioned(captioned(picture, "" if place else likeness), "" if place else name)
    return rows
