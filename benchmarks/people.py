"""Who is taken for whom: every clip of some folders under every other one's and photo's name, as by `retarget extract`.

    python benchmarks/people.py CLIPS/faces CLIPS/photos [--models FOLDER] [--align yunet] [--seconds 1]
        [--same NAME=PERSON ...]

A clip under a person's name: its people against what another clip tells of the person. A photo: as by --face PICTURE.
Files are of one person where `--same` says so; else each is of somebody else.
"""

import argparse
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.domain.part import part_of
from data.domain.pictures import read_picture
from data.domain.sources import open_source
from data.errors import RetargetError, UnknownPersonError
from data.faces.aligners import open_aligner
from data.faces.people import Identity
from data.faces.placing import look
from data.faces.recognise import open_recogniser

PHOTOS = {".jpg", ".png"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--models", type=Path, default=None)
    parser.add_argument("--align", default="yunet")
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--same", nargs="*", default=[])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    aligner, recogniser = open_aligner(options.align, options.models, print), open_recogniser(options.models, print)
    person = dict(pair.split("=") for pair in options.same)
    files = sorted(path for folder in options.folders for path in folder.iterdir())
    clips, known = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            try:
                if path.suffix in PHOTOS:
                    known[path.name] = Identity.of_picture(read_picture(path), aligner, recogniser)
                else:
                    clips[path.name] = part_of(open_source(path), None, Fraction(options.seconds))
                    identity = look(clips[path.name], aligner, "largest", Path(folder), recogniser).identity
                    assert identity is not None, path
                    known[path.name] = identity
            except RetargetError as error:
                print(f"{path}: left out: {error}")
        count(clips, known, person, lambda clip, who: taken(clip, who, aligner, recogniser, Path(folder)))
    print(f"\n{recogniser.name}, faces by {aligner.name}, the first {options.seconds} s of each clip")


def taken(clip, who: Identity, aligner, recogniser, folder: Path) -> tuple[bool, float]:
    """Whether somebody in the clip is taken for that person, and the likeness of the nearest."""
    try:
        placing = look(clip, aligner, who, folder, recogniser)
    except UnknownPersonError as error:
        return False, error.likeness
    return True, max(place.likeness or 0 for place in placing.places or [] if place is not None)


def count(clips, known, person: dict[str, str], ask) -> None:
    """Prints who was taken or refused wrongly, and how many there were."""
    tried, wrong = {True: 0, False: 0}, {True: 0, False: 0}
    nearest = {True: 1.0, False: 0.0}
    for clip in clips:
        for name in known:
            if name == clip:
                continue
            same = person.get(name, name) == person.get(clip, clip)
            accepted, likeness = ask(clips[clip], known[name])
            tried[same] += 1
            nearest[same] = min(nearest[same], likeness) if same else max(nearest[same], likeness)
            if accepted != same:
                wrong[same] += 1
                print(f"{clip} as {name}: {'refused' if same else 'taken'}, likeness {likeness:.2f}")
    print("| | tried | wrong | likeness |\n|---|---|---|---|")
    print(f"| the same person refused | {tried[True]} | {wrong[True]} | at least {nearest[True]:.2f} |")
    print(f"| strangers taken | {tried[False]} | {wrong[False]} | at most {nearest[False]:.2f} |")


if __name__ == "__main__":
    main()
