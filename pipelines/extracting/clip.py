"""One clip of a domain: looked through, its pictures written, its frames described; the domain is not touched yet."""

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.disk import make_folder, remove_folder
from data.domain.clipfile import SUFFIX, Clip, is_whole
from data.domain.domain import Domain
from data.domain.pictures import encode_smaller, resize, sharpness, write_plainly
from data.domain.record import Record, linked
from data.domain.sources import Source
from data.domain.splits import held_out, put_in
from data.errors import NoFaceError, UnknownPersonError
from data.faces.aligners import open_aligner
from data.faces.cropper import Cropper
from data.faces.detection import Backend
from data.faces.people import Identity, alike
from data.faces.placing import LOOKS, Placing, look, square_pixels, whom
from data.faces.recognise import Recogniser, open_recogniser
from data.stages import Line
from data.video.frame import Frame
from data.watching import watched
from pipelines.options import ExtractOptions
from pipelines.places import say
from pipelines.progress import WORKING


@dataclass(frozen=True)
class Eyes:
    """What finds faces, and what says whose they are."""

    aligner: Backend
    recogniser: Recogniser


def eyes_of(aligner: str, identity: dict[str, Any] | None, options: ExtractOptions) -> Eyes:
    """The aligner of that name, and what a domain's `identity` is known by, or else what is there.

    Raises MissingModelError, SettingsError.
    """
    known = None if identity is None else Identity.from_json(identity).recogniser
    return Eyes(open_aligner(aligner, options.models, say), open_recogniser(options.models, say, known))


@dataclass(frozen=True)
class Wanted:
    """A clip that a domain is to have.

    split: the part of the domain that all of it is; None: its last tenth is held out. sha256: of the source.
    settings: all that decides what the source's pictures and records become. name, place: of the clip in its domain.
    """

    source: Source
    split: str | None
    sha256: str
    settings: dict[str, Any]
    name: str
    place: int

    def is_in(self, domain: Domain) -> bool:
        """Whether the domain on disk has this clip, made from the same bytes under the same settings."""
        there = [clip for clip in [*domain.clips, domain.has(self.name)] if clip is not None]
        same = {clip.clip for clip in there if clip.sha256 == self.sha256 and clip.settings == self.settings}
        return any(is_whole(domain.folder / "clips" / f"{name}{SUFFIX}") for name in same)


@dataclass(frozen=True)
class Made:
    """A clip that is whole and not yet in its domain. pictures: a folder of those of `records` that are kept."""

    clip: Clip
    records: list[Record]
    identity: Identity | None
    pictures: Path


def make_clip(wanted: Wanted, domain: Domain, eyes: Eyes | None, workplace: Path) -> Made:
    """Makes a clip for `domain` inside the folder `workplace`. eyes: None for whole frames.

    Raises NotAVideoError, PictureError, NoFaceError, SettingsError, OutputError.
    """
    placing = _look(wanted, domain, eyes)
    if wanted.settings.get("hidden") != "keep":
        placing = placing.without_hidden()
    pictures = workplace / "pictures"
    remove_folder(pictures)
    records = write_pictures(wanted.source, placing, domain.size, wanted.name, make_folder(pictures))
    if wanted.split is not None:
        records = put_in(wanted.split, records)
    else:
        in_time = wanted.source.shot_frames is None
        records = held_out(records, wanted.settings["window"], wanted.place, in_time=in_time)
    return Made(_described(wanted, records, placing), linked(records), placing.identity, pictures)


def _look(wanted: Wanted, domain: Domain, eyes: Eyes | None) -> Placing:
    """Cuts, and the face that the domain follows. Raises NoFaceError where there is none, or not the one."""
    source, folder = wanted.source, domain.folder.parent / LOOKS
    if eyes is None:
        placing = look(source, None, "largest", folder)
    else:
        known = Identity.from_json(domain.identity) if domain.identity is not None else None
        placing = _followed(wanted, known, eyes, folder)
    if note := placing.note_on_shapes(source):
        say(note)
    if placing.faceless:
        raise NoFaceError(
            f"{source.path}: no face found in any of {placing.frames} frames; try --align none to take the whole frame"
        )
    return placing


def _followed(wanted: Wanted, known: Identity | None, eyes: Eyes, folder: Path) -> Placing:
    """Who is asked for; where nobody is, the person that the domain knows, and nobody else.

    Raises NoFaceError, SettingsError, PictureError, MissingInputError, OutputError.
    """
    source, recogniser = wanted.source, eyes.recogniser
    asked = whom(wanted.settings["face"], eyes.aligner, recogniser)
    person = known if known is not None and asked == "largest" else asked
    try:
        placing = look(source, eyes.aligner, person, folder, recogniser)
    except UnknownPersonError as error:
        error.where = str(source.path)
        raise
    note = None
    if isinstance(person, Identity) and recogniser.by_looks:
        note = "taken for the same person by looks alone, which others may share: look at the contact sheet"
    elif known is not None and placing.identity is not None:
        likeness = alike(placing.identity.looks, known.looks, recogniser)
        if likeness < recogniser.same:
            note = f"taken because you ask for it; by a likeness of {likeness:.2f} it is somebody else"
    if note is not None:
        say(f"{source.path}: {note}")
    return placing


def write_pictures(source: Source, placing: Placing, size: int, clip: str, folder: Path) -> list[Record]:
    """The second pass: a record for each frame, and a picture where it is kept."""
    cropper = None if placing.places is None else Cropper(placing, source.info, size)

    def described(frame: Frame) -> tuple[Record, bytes | None]:
        shot, repeats = placing.shot_of(frame.number), frame.number in placing.repeats or None
        record = Record(clip, frame.number, frame.pts, str(frame.time_base), shot, "train", repeats=repeats)
        picture: np.ndarray | None
        if cropper is None:
            record, picture = _whole(record, frame, source, size)
        else:
            record, picture = _face(record, frame, placing, cropper)
        if picture is None:
            return record, None
        content, is_png = encode_smaller(picture)
        return dataclasses.replace(record, png=is_png or None), content

    records = []
    with Line() as line:
        frames = line.made("decode", source.frames())
        for record, content in watched(line.each("crop", described, frames), WORKING, placing.frames):
            if content is not None:
                write_plainly(folder / record.file_name, content)
            records.append(record)
    return records


def _whole(record: Record, frame: Frame, source: Source, size: int) -> tuple[Record, np.ndarray]:
    """The whole frame, its short side at `size` pixels, and its record."""
    square = square_pixels(frame.rgb, source.info)
    height, width = square.shape[:2]
    scale = size / min(height, width)
    picture = resize(square, (max(size, round(width * scale)), max(size, round(height * scale))))
    return dataclasses.replace(record, sharpness=round(sharpness(picture), 1)), picture


def _face(record: Record, frame: Frame, placing: Placing, cropper: Cropper) -> tuple[Record, np.ndarray | None]:
    """The crop around the followed face, where it is in the frame, and the frame's record."""
    place = cropper.place(frame)
    if place is None:
        assert placing.reasons is not None
        return dataclasses.replace(record, split="excluded", reason=placing.reasons[frame.number]), None
    picture = cropper.crop(frame, place)
    found = dataclasses.replace(
        record,
        track=place.track,
        landmarks=np.round(place.landmarks, 2).tolist(),
        transform=np.round(place.transform, 6).tolist(),
        sharpness=round(sharpness(picture), 1),
        likeness=place.likeness,
    )
    return found, picture


def _described(wanted: Wanted, records: list[Record], placing: Placing) -> Clip:
    source = wanted.source
    return Clip(
        clip=wanted.name,
        place=wanted.place,
        path=str(source.path.resolve()),
        sha256=wanted.sha256,
        kind=source.kind,
        settings=wanted.settings,
        frames=len(records),
        kept=sum(record.split != "excluded" for record in records),
        shots=len(placing.shot_starts) + 1,
        rate=str(source.info.rate),
        size=[source.info.width, source.info.height],
        rotation=source.info.rotation,
        colour=source.info.colour,
        excluded=dict(Counter(record.reason for record in records if record.reason)),
    )
