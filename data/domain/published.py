"""The data folders of published programs, read and written.

CycleGAN, Recycle-GAN   FOLDER/trainA trainB [testA testB]: pictures, or strips of three frames [t | t+1 | t+2]
pix2pix                 FOLDER/train [val test]: pictures that hold a pair side by side [A | B]
"""

import os
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.disk import make_folder, put_in_place, remove_folder
from data.domain.domain import Domain
from data.domain.pictures import pictures_in, read_picture, write_sheet
from data.domain.reading import PLAIN, Reading
from data.domain.record import Record, runs, windows_in
from data.domain.sources import STRIP_FRAMES, Source, open_source
from data.domain.splits import require_window
from data.errors import MissingInputError, PairsNotStripsError, PictureError, SettingsError

SPLITS = {"train": "train", "val": "test", "test": "test"}
"""Names of published folders, and the part of a domain that each becomes: what was held out stays held out."""
_ONE_DOMAIN = re.compile(f"({'|'.join(SPLITS)})[AB]")


def is_published(folder: Path) -> bool:
    """Whether `folder` is a set of two domains: it holds folders named as in published sets, and no pictures itself."""
    if not folder.is_dir() or pictures_in(folder):
        return False
    return (folder / "train").is_dir() or _parts_for_one(folder)


def _parts_for_one(folder: Path) -> bool:
    """Whether there are folders for each domain, and not for pairs."""
    return any(_ONE_DOMAIN.fullmatch(path.name) and path.is_dir() for path in folder.iterdir())


def is_single(folder: Path, frames: str) -> bool:
    """Whether pictures of `folder` have nothing to do with their neighbours: as `frames` says, or else its name."""
    return frames == "single" or (frames == "auto" and _ONE_DOMAIN.fullmatch(folder.resolve().name) is not None)


def read_published(
    folder: Path, strips: str, frames: str, reading: Reading = PLAIN, bits: int | None = None
) -> dict[str, list[tuple[Source, str | None]]]:
    """The sources of domains "A" and "B", each with the part of the domain that it is; None: one is to be held out.

    strips: as `open_source` takes it, for the pictures to train on; held-out ones are compared with these.
    frames: "sequence", or else single pictures that do not follow each other. reading, bits: as `open_source` has them.
    Raises MissingInputError, PictureError, SettingsError.
    """
    single = frames != "sequence"
    names: dict[str, list[tuple[str, int | None]]]
    if _parts_for_one(folder):
        missing = [f"train{letter}" for letter in "AB" if not (folder / f"train{letter}").is_dir()]
        if missing:
            raise MissingInputError(
                f"{folder}: a set of two domains needs trainA and trainB, there is no {' and no '.join(missing)}; "
                "for one domain give the folder of its pictures"
            )
        names = {letter: [(f"{name}{letter}", None) for name in SPLITS] for letter in "AB"}
    elif strips == "yes":
        raise PairsNotStripsError(folder / "train")
    else:
        names = {letter: [(name, half) for name in SPLITS] for half, letter in enumerate("AB")}
    return {letter: _sources(folder, names[letter], strips, single, reading, bits) for letter in "AB"}


def _sources(
    folder: Path,
    names: list[tuple[str, int | None]],
    strips: str,
    single: bool,
    reading: Reading,
    bits: int | None,
) -> list[tuple[Source, str | None]]:
    there = [(name, half) for name, half in names if (folder / name).is_dir()]
    opened: list[Source] = []
    for name, half in there:
        if opened and opened[0].shot_frames == STRIP_FRAMES:
            strips = "yes" if _is_like_strips(folder / name, opened[0]) else "no"
        opened.append(
            open_source(folder / name, strips, single=single, half=half, fit=False, reading=reading, bits=bits)
        )
    if len(opened) == 1:
        return [(opened[0], None)]
    return [(source, SPLITS[name.rstrip("AB")]) for source, (name, _) in zip(opened, there, strict=True)]


def _is_like_strips(folder: Path, strips: Source) -> bool:
    """Whether pictures of `folder` are shaped like `strips` rather than like one of their frames.

    Recycle-GAN trains on strips and is tested on single frames.
    """
    info = open_source(folder, "no").info
    widening = Fraction(info.width, info.height) / Fraction(strips.info.width, strips.info.height)
    return widening**2 > STRIP_FRAMES


def write_published(a: Domain, b: Domain, folder: Path) -> dict[str, int]:
    """Writes two domains as the authors of Recycle-GAN lay theirs out, as PNG, and says how many files each folder has.

    trainA, trainB: every training window as a strip [t | t+1 | t+2]. testA, testB, where frames are held out: single
    frames, which is what their test script reads.
    `folder` must not be there, or be empty; it appears whole or not at all.
    Raises SettingsError, TooFewFramesError, PictureError, OutputError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder}: is there already; give another folder, or delete it")
    windows = {}
    for domain, letter in ((a, "A"), (b, "B")):
        present = [record for record in domain.records(landmarks=False) if (domain.folder / record.picture).is_file()]
        train = [record for record in present if record.split == "train"]
        require_window(train, STRIP_FRAMES, str(domain.folder))
        windows[f"train{letter}"] = domain, _windows(train, STRIP_FRAMES)
        windows[f"test{letter}"] = domain, _windows([r for r in present if r.split == "test"], 1)
    windows = {name: found for name, found in windows.items() if found[1]}

    partial = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        for name, (domain, strips) in windows.items():
            make_folder(partial / name)
            for strip in tqdm(strips, desc=f"writing {name}", unit="picture", disable=None):
                write_sheet(partial / name / f"{strip[0].clip}-{strip[0].number + 1:06d}.png", _strip(domain, strip))
        put_in_place(partial, folder)
    finally:
        remove_folder(partial)
    return {name: len(strips) for name, (_, strips) in windows.items()}


def _windows(records: list[Record], length: int) -> list[list[Record]]:
    return [window for run in runs(records) for window in windows_in(run, length)]


def _strip(domain: Domain, records: list[Record]) -> np.ndarray:
    pictures = [read_picture(domain.folder / record.picture) for record in records]
    if len({picture.shape for picture in pictures}) > 1:
        first = Path(records[0].picture).name
        raise PictureError(f"{domain.folder}: pictures from {first} on differ in size; delete them or extract again")
    return np.concatenate(pictures, axis=1)
