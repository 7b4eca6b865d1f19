"""`retarget extract`: videos, web addresses or folders of pictures become a domain on disk."""

import dataclasses
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from data.analysis import Analysis, Cropper, analyse, square_pixels
from data.disk import check_name, make_folder, name_from, remove_folder, sync_folder
from data.domain import Clip, Domain, Record, held_out, require_window
from data.errors import MissingInputError, NoFaceError, SettingsError, TooFewFramesError
from data.faces import Backend, open_aligner
from data.follow import Identity
from data.frame import Frame
from data.pictures import captioned, read_picture, resize, sharpness, sheet, write_picture, write_sheet
from data.sources import Source, open_source
from data.web import fetch, is_url
from pipelines.options import ExtractOptions
from pipelines.places import say

OWN_NAMES = {"frames", "frames.jsonl", "identity.json"}
"""What may stand in a domain's folder before its domain.json does."""
SHEET_PICTURES = 40
SHEET_COLUMNS = 10
SHEET_CELL_PX = 128


def extract(options: ExtractOptions) -> None:
    """Makes or completes a domain: each clip is done once, and appears whole or not at all.

    Raises RetargetError.
    """
    if not options.videos:
        raise MissingInputError("nothing to extract: give a video, a web address, or a folder of pictures")
    if options.size < 32 or options.size % 4:
        raise SettingsError(f"--size {options.size}: has to be a multiple of 4 from 32 up")
    if options.window < 1:
        raise SettingsError(f"--window {options.window}: has to be at least 1")
    paths = [fetch(text, options.domains / ".web") if is_url(text) else Path(text) for text in options.videos]
    sources = [open_source(path, options.strips) for path in paths]
    name = check_name(options.name, "--name") if options.name is not None else name_from(paths[0].resolve().stem)

    domain, records = _opened(options.domains / name, options)
    is_new = not domain.clips
    backend = None if domain.aligner == "none" else open_aligner(domain.aligner, options.models, say)
    domain.aligner = "none" if backend is None else backend.name
    make_folder(domain.folder / "frames")
    try:
        for source in sources:
            _add(source, domain, records, backend, options)
        require_window(records, options.window, str(domain.folder))
    except TooFewFramesError:
        if is_new:
            remove_folder(domain.folder)
        raise
    except Exception:  # clips that are done stay, and so does everything at Ctrl-C: the next start goes on from there
        if not domain.clips:
            remove_folder(domain.folder)
        raise
    _contact_sheet(domain, records)
    _summarise(domain, records)


def _opened(folder: Path, options: ExtractOptions) -> tuple[Domain, list[Record]]:
    """The domain of that name with its records: as it is on disk, or new. Raises SettingsError for other settings."""
    if not (folder / "domain.json").exists():
        # What an interrupted start left is ours; anything else is not, and a failure here must not remove it.
        if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - OWN_NAMES):
            raise SettingsError(f"{folder}: is there and is no domain; give another --name or --domains")
        return Domain(folder, aligner=options.align, size=options.size, versions=_versions()), []
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
    source: Source, domain: Domain, records: list[Record], backend: Backend | None, options: ExtractOptions
) -> None:
    """Extracts one clip into the domain, unless it is there under the same hash and settings."""
    digest = source.sha256()
    settings = {"align": domain.aligner, "size": domain.size, "face": options.face, "window": options.window}
    settings |= {"strips": options.strips} if source.kind != "video" else {}
    same_name = [clip for clip in domain.clips if Path(clip.path) == source.path.resolve()]
    if any(clip.sha256 == digest and clip.settings == settings for clip in domain.clips):
        say(f"{source.path}: already in {domain.folder}")
        return
    for clip in same_name:  # the file or the settings changed: made anew
        domain.clips.remove(clip)
        records[:] = [record for record in records if record.clip != clip.clip]
    clip_name = _free_name(name_from(source.path.resolve().stem), {clip.clip for clip in domain.clips})
    partial = make_folder(domain.folder / "frames" / f".{clip_name}")
    spool = partial / f"{digest[:16]}-{domain.aligner}.jsonl"
    identity = Identity.from_json(domain.identity) if domain.identity is not None else None
    analysis = analyse(source, backend, spool, face=options.face, identity=identity)
    _require_face(analysis, source)

    pictures = partial / "pictures"
    remove_folder(pictures)
    clip_records = _write_pictures(source, analysis, backend, domain.size, clip_name, make_folder(pictures))
    clip_records = held_out(clip_records, options.window)
    final = domain.folder / "frames" / clip_name
    remove_folder(final)
    pictures.replace(final)
    sync_folder(final.parent)
    records += clip_records
    domain.clips.append(_described(source, digest, settings, clip_name, clip_records, analysis))
    if analysis.identity is not None:
        domain.identity = analysis.identity.to_json()
    domain.save(records)
    remove_folder(partial)


def _free_name(name: str, taken: set[str]) -> str:
    candidates = (name if count == 1 else f"{name}-{count}" for count in range(1, len(taken) + 2))
    return next(candidate for candidate in candidates if candidate not in taken)


def _require_face(analysis: Analysis, source: Source) -> None:
    if analysis.choices is not None and not any(analysis.choices):
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


def _contact_sheet(domain: Domain, records: list[Record]) -> None:
    """Pictures spread evenly over the domain, with clip and number, to look at before training."""
    kept = [record for record in records if (domain.folder / record.picture).is_file()]
    chosen = [kept[round(i)] for i in np.linspace(0, len(kept) - 1, min(SHEET_PICTURES, len(kept)))]
    cells = []
    for record in chosen:
        picture = read_picture(domain.folder / record.picture)
        scale = SHEET_CELL_PX / max(picture.shape[:2])
        small = resize(picture, (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))))
        cells.append(captioned(small, f"{record.number + 1} {record.clip}"))
    rows = [cells[i : i + SHEET_COLUMNS] for i in range(0, len(cells), SHEET_COLUMNS)]
    write_sheet(domain.folder / "contact-sheet.jpg", sheet(rows))


def _summarise(domain: Domain, records: list[Record]) -> None:
    splits = Counter(record.split for record in records)
    reasons = Counter(record.reason for record in records if record.reason)
    excluded = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
    faces = "" if domain.aligner == "none" else f", {sum(r.track is not None for r in records)} with the face"
    say(
        f"{domain.folder}: {len(records)} frames of {len(domain.clips)} clip{'s' * (len(domain.clips) != 1)}, "
        f"{sum(clip.shots for clip in domain.clips)} shots{faces}, excluded: {excluded}; "
        f"{splits['train']} to train on, {splits['test']} held out ({domain.aligner}, {domain.size} px). "
        f"Look at {domain.folder / 'contact-sheet.jpg'}"
    )
