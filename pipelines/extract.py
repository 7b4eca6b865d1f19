"""`retarget extract`: videos, web addresses or folders of pictures become a domain on disk; a published set, two."""

import dataclasses
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from data.disk import check_name, make_folder, name_from, remove_folder, sync_folder
from data.domain.domain import Clip, Domain, Record, held_out, put_in, require_window
from data.domain.pictures import resize, sharpness, write_picture
from data.domain.published import is_published, is_single, read_published
from data.domain.sources import Source, open_source
from data.domain.web import fetch, is_url
from data.errors import MissingInputError, NoFaceError, RetargetError, SettingsError, TooFewFramesError
from data.faces.aligners import open_aligner
from data.faces.detection import Backend
from data.faces.follow import Identity
from data.faces.placing import Analysis, Cropper, analyse, square_pixels
from data.video.frame import Frame
from pipelines.options import ExtractOptions
from pipelines.pages.overview import summarise, write_contact_sheet
from pipelines.places import say

WINDOW = 3
"""Frames of a window unless something else is known: what Recycle-GAN trains on."""
Input = tuple[Source, str | None]
"""A source, and the part of the domain that all of it is; None: one is to be held out."""
OWN_NAMES = {"frames", "frames.jsonl", "identity.json"}
"""What may stand in a domain's folder before its domain.json does."""


def extract(options: ExtractOptions) -> None:
    """Makes or completes a domain, or the two of a published set: each clip is done once, and is there whole or not.

    Raises RetargetError.
    """
    if not options.videos:
        raise MissingInputError("nothing to extract: give a video, a web address, or a folder of pictures")
    if options.size < 32 or options.size % 4:
        raise SettingsError(f"--size {options.size}: has to be a multiple of 4 from 32 up")
    if options.window is not None and options.window < 1:
        raise SettingsError(f"--window {options.window}: has to be at least 1")
    planned, aligner = _planned(options)
    opened = [_opened(options.domains / name, options, aligner) for name in planned]
    new = [domain for domain, _ in opened if not domain.clips]
    try:
        for (domain, records), inputs in zip(opened, planned.values(), strict=True):
            _complete(domain, records, inputs, options)
    except Exception as error:
        # A domain with no window is none, and half a set is none where its pictures are at fault. Else clips that are
        # done stay, and so does everything at Ctrl-C: the next start goes on from there.
        at_fault = isinstance(error, RetargetError) and error.exit_code == RetargetError.exit_code
        for domain in new:
            if not domain.clips or isinstance(error, TooFewFramesError) or (at_fault and len(opened) > 1):
                remove_folder(domain.folder)
        raise


def _planned(options: ExtractOptions) -> tuple[dict[str, list[Input]], str]:
    """The inputs of each domain by its name, and the aligner of new ones. Raises RetargetError."""
    paths = [fetch(text, options.domains / ".web") if is_url(text) else Path(text) for text in options.videos]
    name = check_name(options.name, "--name") if options.name is not None else name_from(paths[0].resolve().stem)
    published = next((path for path in paths if is_published(path)), None)
    if published is None:
        singles = [is_single(path, options.frames) for path in paths]
        sources = [
            open_source(path, options.strips, single=single, fit=False)
            for path, single in zip(paths, singles, strict=True)
        ]
        return {name: [(source, None) for source in sources]}, options.align
    if len(paths) > 1:
        raise SettingsError(f"{published}: holds two domains of its own; extract it alone")
    inputs = read_published(published, options.strips, options.frames)
    for letter, sources_of in inputs.items():
        parts = {0: ", left half", 1: ", right half", None: ""}
        folders = ", ".join(f"{source.path.name}{parts[source.part]}" for source, _ in sources_of)
        say(f"{published}: domain {name}-{letter} from {folders}")
    # Its authors framed it, and what belongs together has to be cropped together.
    aligner = "none" if options.align == "auto" else options.align
    return {check_name(f"{name}-{letter}", "--name"): sources_of for letter, sources_of in inputs.items()}, aligner


def _complete(domain: Domain, records: list[Record], inputs: list[Input], options: ExtractOptions) -> None:
    """Adds to a domain what is not in it yet. Raises RetargetError."""
    backend = None if domain.aligner == "none" else open_aligner(domain.aligner, options.models, say)
    domain.aligner = "none" if backend is None else backend.name
    make_folder(domain.folder / "frames")
    for source, split in inputs:
        _add(source, split, domain, records, backend, options)
    require_window(records, min(_window(source, options) for source, _ in inputs), str(domain.folder))
    write_contact_sheet(domain, records)
    summarise(domain, records)


def _window(source: Source, options: ExtractOptions) -> int:
    """Frames that a window over this source has."""
    if options.window is not None:
        return options.window
    return source.frames_each if source.kind == "strips" else WINDOW


def _opened(folder: Path, options: ExtractOptions, aligner: str) -> tuple[Domain, list[Record]]:
    """The domain of that name with its records: as it is on disk, or new. Raises SettingsError for other settings."""
    if not (folder / "domain.json").exists():
        # What an interrupted start left is ours; anything else is not, and a failure here must not remove it.
        if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - OWN_NAMES):
            raise SettingsError(f"{folder}: is there and is no domain; give another --name or --domains")
        return Domain(folder, aligner=aligner, size=options.size, versions=_versions()), []
    domain = Domain.load(folder)
    other = []
    if options.align not in ("auto", domain.aligner):
        other.append(f"--align {domain.aligner} (now {options.align})")
    if options.size != domain.size:
        other.append(f"--size {domain.size} (now {options.size})")
    if other:
        raise SettingsError(
            f"{folder}: made with {', '.join(other)}; use the same settings, another --name, or delete the folder"
        )
    return domain, list(domain.records())


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("retarget", "av", "opencv-python", "scenedetect", "face-alignment")}


def _add(
    source: Source,
    split: str | None,
    domain: Domain,
    records: list[Record],
    backend: Backend | None,
    options: ExtractOptions,
) -> None:
    """Extracts one clip into the domain, unless it is there under the same hash and settings."""
    digest = source.sha256()
    settings = _settings(source, split, domain, options)
    if any(clip.sha256 == digest and clip.settings == settings for clip in domain.clips):
        say(f"{source.path}: already in {domain.folder}")
        return
    place = len(domain.clips)
    for clip in [clip for clip in domain.clips if Path(clip.path) == source.path.resolve()]:
        place = domain.clips.index(clip)  # the file or the settings changed: made anew, in its place
        domain.clips.remove(clip)
        records[:] = [record for record in records if record.clip != clip.clip]
    clip_name = _free_name(name_from(source.path.resolve().stem), {clip.clip for clip in domain.clips})
    partial = make_folder(domain.folder / "frames" / f".{clip_name}")
    shape = "" if source.kind == "video" else f"-{source.kind}-{source.frames_each}"
    spool = partial / f"{digest[:16]}-{domain.aligner}{shape}.jsonl"
    identity = Identity.from_json(domain.identity) if domain.identity is not None else None
    analysis = analyse(source, backend, spool, face=options.face, identity=identity)
    _require_face(analysis, source)

    pictures = partial / "pictures"
    remove_folder(pictures)
    clip_records = _write_pictures(source, analysis, backend, domain.size, clip_name, make_folder(pictures))
    clip_records = put_in(split, clip_records) if split else held_out(clip_records, settings["window"])
    final = domain.folder / "frames" / clip_name
    remove_folder(final)
    pictures.replace(final)
    sync_folder(final.parent)
    domain.clips.insert(place, _described(source, digest, settings, clip_name, clip_records, analysis))
    order = {clip.clip: number for number, clip in enumerate(domain.clips)}
    records[:] = sorted([*records, *clip_records], key=lambda record: order[record.clip])
    if analysis.identity is not None:
        domain.identity = analysis.identity.to_json()
    domain.save(records)
    if len(domain.clips) > 1:
        say(f"{source.path}: put beside the other clips of {domain.folder}; give another --name for another domain")
    remove_folder(partial)


def _settings(source: Source, split: str | None, domain: Domain, options: ExtractOptions) -> dict[str, Any]:
    """All that decides what a source's pictures and records become."""
    window = _window(source, options)
    settings = {"align": domain.aligner, "size": domain.size, "face": options.face, "window": window}
    if source.kind == "video":
        return settings
    single = "single" if source.kind == "strips" and source.frames_each == 1 else None
    chosen = {"strips": options.strips, "frames": single, "half": source.part, "split": split}
    return settings | {name: value for name, value in chosen.items() if value is not None}


def _free_name(name: str, taken: set[str]) -> str:
    candidates = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _require_face(analysis: Analysis, source: Source) -> None:
    if analysis.faceless:
        raise NoFaceError(
            f"{source.path}: no face found in any of {analysis.frames} frames; try --align none to take the whole frame"
        )


def _write_pictures(
    source: Source, analysis: Analysis, backend: Backend | None, size: int, clip: str, folder: Path
) -> list[Record]:
    """The second pass: a picture and a record for each frame."""
    cropper = None if backend is None else Cropper(backend, analysis, source.info, size)
    records = []
    bar = tqdm(source.frames(), total=analysis.frames, desc=f"extracting {clip}", unit="frame", disable=None)
    for frame in bar:
        record, picture = _prepared(frame, source, analysis, cropper, size, clip)
        if picture is not None:
            write_picture(folder / Path(record.picture).name, picture)
        records.append(record)
    return records


def _prepared(
    frame: Frame, source: Source, analysis: Analysis, cropper: Cropper | None, size: int, clip: str
) -> tuple[Record, np.ndarray | None]:
    """The record of one frame, and its picture where it is kept."""
    record = Record(clip, frame.number, frame.pts, str(frame.time_base), analysis.shot_of(frame.number), "train")
    if cropper is None:
        square = square_pixels(frame.rgb, source.info)
        height, width = square.shape[:2]
        scale = size / min(height, width)
        picture = resize(square, (max(size, round(width * scale)), max(size, round(height * scale))))
        return dataclasses.replace(record, sharpness=round(sharpness(picture), 1)), picture
    place = cropper.place(frame)
    if place is None:
        assert analysis.reasons is not None
        return dataclasses.replace(record, split="excluded", reason=analysis.reasons[frame.number]), None
    picture = cropper.crop(frame, place)
    found = dataclasses.replace(
        record,
        track=place.track,
        landmarks=np.round(place.landmarks, 2).tolist(),
        transform=np.round(place.transform, 6).tolist(),
        sharpness=round(sharpness(picture), 1),
    )
    return found, picture


def _described(
    source: Source, digest: str, settings: dict[str, Any], name: str, records: list[Record], analysis: Analysis
) -> Clip:
    return Clip(
        clip=name,
        path=str(source.path.resolve()),
        sha256=digest,
        kind=source.kind,
        settings=settings,
        frames=len(records),
        kept=sum(record.split != "excluded" for record in records),
        shots=len(analysis.shot_starts) + 1,
        rate=str(source.info.rate),
        size=[source.info.width, source.info.height],
        rotation=source.info.rotation,
        colour=source.info.colour,
        excluded=dict(Counter(record.reason for record in records if record.reason)),
    )
