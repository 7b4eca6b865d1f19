"""`retarget extract`: videos, web addresses or folders of pictures become a domain on disk; a published set, two."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from data.disk import check_name, make_folder, name_from, remove_folder
from data.domain.consent import keep_consent
from data.domain.domain import Domain, key_of
from data.domain.part import part_of
from data.domain.published import is_published, is_single, read_published
from data.domain.reading import Reading
from data.domain.sources import Source, open_source
from data.domain.splits import require_window
from data.domain.web import fetch, is_url
from data.errors import MissingInputError, RetargetError, SettingsError, TooFewFramesError
from data.faces.placing import LOOKS, everybody
from durable.files import partial_path
from pipelines.extracting.clip import Eyes, Wanted, eyes_of, make_clip
from pipelines.extracting.forecast import room_for
from pipelines.extracting.mending import clear_up, mend
from pipelines.extracting.opening import opened
from pipelines.extracting.people import show_people
from pipelines.options import ExtractOptions
from pipelines.pages.overview import summarise, write_contact_sheet
from pipelines.places import say
from pipelines.progress import Progress
from pipelines.provenance.consents import check_consent
from pipelines.ray_cluster import shard_for
from pipelines.room import require_room
from pipelines.shards import Shard
from pipelines.span import span_of

WINDOW = 3
"""Frames of a window unless something else is known: what Recycle-GAN trains on."""
LISTED = 10
"""Missing clips that are named."""
Input = tuple[Source, str | None]
"""A source, and the part of the domain that all of it is; None: one is to be held out."""


def extract(options: ExtractOptions) -> None:
    """Makes or completes a domain, or the two of a published set: each clip is done once, and is there whole or not.

    Raises RetargetError.
    """
    if not options.videos:
        raise MissingInputError("nothing to extract: give a video, a web address, or a folder of pictures")
    if options.size is not None and (options.size < 32 or options.size % 4):
        raise SettingsError(f"--size {options.size}: has to be a multiple of 4 from 32 up")
    if options.window is not None and options.window < 1:
        raise SettingsError(f"--window {options.window}: has to be at least 1")
    if options.consent is not None:
        check_consent(options.consent, options.face)
    if options.face == "all" and not options.people:
        return _everybody(options)
    planned, aligner = _planned(options)
    if options.people:
        for name, inputs in planned.items():
            show_people(opened(options.domains / name, options, aligner), [source for source, _ in inputs], options)
        return None
    domains = [opened(options.domains / name, options, aligner) for name in planned]
    new = [domain for domain in domains if not domain.clips]
    shard = shard_for(
        "extract",
        options,
        units=max(map(len, planned.values())),
        on_gpu=aligner in ("auto", "fan"),
        first=any(domain.aligner != "none" and domain.identity is None for domain in domains),
    )
    try:
        for domain, inputs in zip(domains, planned.values(), strict=True):
            _complete(domain, inputs, options, shard)
    except Exception as error:
        # A domain with no window is none, and half a set is none where its pictures are at fault. Else clips that are
        # done stay, and so does everything at Ctrl-C: the next start goes on from there.
        at_fault = isinstance(error, RetargetError) and error.exit_code == RetargetError.exit_code
        for domain in new:
            none_left = not domain.clips or isinstance(error, TooFewFramesError) or (at_fault and len(domains) > 1)
            if none_left and shard.is_all and not domain.others_at_work():
                remove_folder(domain.folder)
        raise


def _everybody(options: ExtractOptions) -> None:
    """A domain of each person of a clip, NAME-1, NAME-2 and so on; those seen too briefly have none.

    Raises RetargetError.
    """
    planned, aligner = _planned(options)
    if len(planned) > 1 or len(next(iter(planned.values()))) > 1 or aligner == "none":
        raise SettingsError("--face all: takes one clip, and follows faces in it; give one video, without --align none")
    ((name, ((source, _),)),) = planned.items()
    eyes = eyes_of(aligner, None, options)
    found = everybody(source, eyes.aligner, eyes.recogniser, options.domains / LOOKS)
    for number in range(1, len(found) + 1):
        try:
            extract(dataclasses.replace(options, face=str(number), name=f"{name}-{number}"))
        except TooFewFramesError as error:
            say(f"{source.path}: no domain of person {number}: {error}")


def _planned(options: ExtractOptions) -> tuple[dict[str, list[Input]], str]:
    """The inputs of each domain by its name, and the aligner of new ones. Raises RetargetError."""
    paths = [fetch(text, options.domains / ".web") if is_url(text) else Path(text) for text in options.videos]
    name = check_name(options.name, "--name") if options.name is not None else name_from(paths[0].resolve().stem)
    published = next((path for path in paths if is_published(path)), None)
    reading, bits = _reading(options)
    span = span_of(options.start, options.stop)
    if published is None:
        singles = [is_single(path, options.frames) for path in paths]
        sources = [
            part_of(open_source(path, options.strips, single=single, fit=False, reading=reading, bits=bits), *span)
            for path, single in zip(paths, singles, strict=True)
        ]
        return {name: [(source, None) for source in sources]}, options.align
    if len(paths) > 1:
        raise SettingsError(f"{published}: holds two domains of its own; extract it alone")
    if span != (None, None):
        raise SettingsError(f"{published}: its pictures have no times; leave --from and --to away")
    inputs = read_published(published, options.strips, options.frames, reading, bits)
    for letter, sources_of in inputs.items():
        folders = ", ".join(source.label for source, _ in sources_of)
        say(f"{published}: domain {name}-{letter} from {folders}")
    # Its authors framed it, and what belongs together has to be cropped together.
    aligner = "none" if options.align == "auto" else options.align
    return {check_name(f"{name}-{letter}", "--name"): sources_of for letter, sources_of in inputs.items()}, aligner


def _reading(options: ExtractOptions) -> tuple[Reading, int | None]:
    """How pictures are read, and the bits that they use of 16; None: as found. Raises SettingsError."""
    colour = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", options.background)
    if colour is None:
        raise SettingsError(f"--background {options.background}: give a colour as #rrggbb, such as #ffffff")
    if options.most_megapixels < 1:
        raise SettingsError(f"--most-megapixels {options.most_megapixels}: has to be at least 1")
    red, green, blue = (int(part, 16) for part in colour.groups())
    reading = Reading(background=(red, green, blue), most_megapixels=options.most_megapixels)
    return reading, None if options.range == "auto" else int(options.range)


def _complete(domain: Domain, inputs: list[Input], options: ExtractOptions, shard: Shard) -> None:
    """Adds to a domain what is not in it yet and is this shard's. Raises RetargetError."""
    eyes = None
    if shard.joins:
        domain = Domain.load(domain.folder, say)
    else:
        eyes = None if domain.aligner == "none" else eyes_of(domain.aligner, domain.identity, options)
        domain.aligner = "none" if eyes is None else eyes.aligner.name
        domain.begin()
        if options.consent is not None:
            keep_consent(options.consent, domain.folder)
    settings = [_settings(source, split, domain, options) for source, split in inputs]
    places = domain.places([key_of(source.path, own) for (source, _), own in zip(inputs, settings, strict=True)])
    clips = list(zip(inputs, settings, places, strict=True))
    # Whom a domain follows is who its first clip shows: that one comes first for everybody.
    first = eyes is not None and domain.identity is None
    clips = [clip for number, clip in enumerate(clips) if shard.takes(clip[2][1]) or (first and number == 0)]
    there = {clip.clip for clip in domain.clips}
    new = [source for (source, _), _, (name, _) in clips if name not in there]
    require_room([room_for(new, domain.folder, domain.size, faces=eyes is not None)], force=options.force)
    with Progress("extracting", [source.info.frames for (source, _), _, _ in clips]) as progress:
        for (source, split), own, (name, place) in clips:
            progress.clip(source.label)
            made = _add(Wanted(source, split, source.sha256(), own, name, place), domain, eyes)
            if made and not shard.is_all:
                say(f"{source.path}: is extracted")
    domain.refresh()
    clear_up(domain)
    there = {clip.clip for clip in domain.clips}
    missing = [name for name, _ in places if name not in there]
    if missing:
        more = ", ..." if len(missing) > LISTED else ""
        listed = f"{len(missing)} ({', '.join(missing[:LISTED])}{more})"
        shard.leaves(f"{domain.folder}: {listed} of {len(places)} clips are")
        return
    records = list(domain.records(landmarks=False))
    require_window(records, min(_window(source, options) for source, _ in inputs), str(domain.folder))
    write_contact_sheet(domain, records)
    summarise(domain, records)


def _window(source: Source, options: ExtractOptions) -> int:
    """Frames that a window over this source has."""
    if options.window is not None:
        return options.window
    return source.shot_frames or WINDOW


def _add(wanted: Wanted, domain: Domain, eyes: Eyes | None) -> bool:
    """Adds a clip, unless that is there under the same hash and settings: whether it did. Raises RetargetError."""
    path = wanted.source.path

    def waiting(holder: str) -> None:
        say(f"{path}: is being extracted by {holder}; waiting for it")

    if wanted.is_in(domain):
        say(f"{path}: already in {domain.folder}")
        mend(wanted, domain, eyes)
        return False
    with domain.working_on(wanted.name, waiting) as exclusive:
        if wanted.is_in(domain):
            say(f"{path}: already in {domain.folder}")
            return False
        if domain.has(wanted.name) is not None:
            say(f"{path}: its clip in {domain.folder} is damaged, or of other bytes or settings; it is made anew")
        for note in wanted.source.notes():
            say(note)
        workplace = domain.workplace(wanted.name)
        workplace = make_folder(workplace if exclusive else partial_path(workplace))
        domain.recall()
        known = domain.identity
        made = make_clip(wanted, domain, eyes, workplace)
        if known is None and made.identity is not None and not domain.know(made.identity.to_json()):
            made = make_clip(wanted, domain, eyes, workplace)  # another process has said meanwhile whom to follow
        domain.enter(made.clip, made.records, made.pictures)
        remove_folder(workplace)
    if len(domain.clips) > 1:
        say(f"{path}: put beside the other clips of {domain.folder}; give another --name for another domain")
    return True


def _settings(source: Source, split: str | None, domain: Domain, options: ExtractOptions) -> dict[str, Any]:
    """All that decides what a source's pictures and records become."""
    window = _window(source, options)
    settings = {"align": domain.aligner, "size": domain.size, "face": options.face, "window": window}
    kept = {} if options.hidden == "drop" else {"hidden": options.hidden}
    return settings | kept | source.settings(options.strips) | ({} if split is None else {"split": split})
