"""`retarget render`: clips go through a trained run and come out translated, frame for frame, with their sound."""

import dataclasses
import glob
import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

from data.disk import make_folder, name_from, output_errors, remove_folder
from data.domain.sources import open_source
from data.domain.web import is_url
from data.errors import OutputError, RetargetError, SettingsError
from data.faces.placing import Placing
from durable.locks import is_held, locked
from pipelines.options import RenderOptions
from pipelines.places import say
from pipelines.progress import Progress
from pipelines.ray_cluster import shard_for
from pipelines.rendering.answers import check_answers, write_answers
from pipelines.rendering.forecast import room_for
from pipelines.rendering.inputs import BatchError, clips_of, folder_for, stems_of
from pipelines.rendering.leaving import KEY, Leaving, encoding_of, leaving_for
from pipelines.rendering.painting import how_laid_in, label_for, painter_for
from pipelines.rendering.preview import preview
from pipelines.rendering.segments import paint_segments
from pipelines.rendering.stating import Stating, credentials_of, digest_of_font, stating_of
from pipelines.room import require_room
from pipelines.shards import Shard
from pipelines.span import seconds_of, span_of
from pipelines.translating.following import person_of, placed
from pipelines.translating.telling import kind_told, reference_digest
from pipelines.translating.translation import LoadedRun, Span, Translation, decide, load
from recycle.runs.runfolder import letters

LISTED = 10
"""Missing parts that are named."""
_WHERE = {
    "domains",
    "models",
    "runs",
    "run",
    "input",
    "output",
    "shard",
    "ray",
    "answers",
    "sign_key",
    "force",
    "timing",
}
"""Options that say where something is or who does it, and not what becomes of it."""


def render(options: RenderOptions) -> None:
    """Renders every clip that is named. Goes on where it stopped, segment by segment. Raises RetargetError."""
    named, span = clips_of(options.input), span_of(options.start, options.stop)
    at = seconds_of(options.preview, "--preview")
    if at is not None and (span != (None, None) or options.ray is not None):
        raise SettingsError("--preview: is one moment of the clip; leave --from, --to and --ray away")
    encoding_of(options)
    how_laid_in(options)
    credentials = credentials_of(options)
    folder = folder_for(options.output, named.several)
    loaded = load(options, clip_is_named=named.clips != [None])
    stating = stating_of(options, credentials, loaded)
    check_answers(options, loaded.method.asks, loaded.settings["method"])
    shard = shard_for("render", options, units=None, on_gpu=options.accelerator in ("auto", "cuda"))
    failures: dict[str, RetargetError] = {}
    stems = stems_of(named.clips, loaded.names[0])
    with Progress("rendering", _expected(named.clips, span) if named.several else [None]) as progress:
        for clip, stem in zip(named.clips, stems, strict=True):
            progress.clip(stem if named.several else "")
            try:
                job = decide(loaded, clip, options.domains, span=span)
                if not named.several and clip is not None:
                    stem = name_from(job.source.path.resolve().stem)
                output = None if folder is not None or named.several else options.output
                place = (folder or Path("renders")) / f"{stem}-as-{job.names[1]}{_kind(loaded, options)}"
                if at is not None:
                    shown = place.with_name(f"{place.name}-at-{float(at):g}.png")
                    preview(job, options, at, output or shown, stating)
                else:
                    _render(job, options, output, place, shard, stating)
            except (RetargetError, OSError) as error:
                if not named.several:
                    raise
                failures[str(clip)] = _typed(error)
                say(f"{clip}: not done: {failures[str(clip)]}")
    if failures:
        raise BatchError(failures, len(named.clips))


def _typed(error: RetargetError | OSError) -> RetargetError:
    if isinstance(error, RetargetError):
        return error
    return OutputError(f"{error.filename or 'the system'}: {error.strerror or error}")


def _expected(clips: Sequence[str | None], span: Span) -> list[int | None]:
    """Frames of each clip by its header, for the bar."""
    counts: list[int | None] = []
    for clip in clips:
        try:
            info = None if clip is None or is_url(clip) else open_source(Path(clip)).info
        except RetargetError:
            counts.append(0)  # it will fail
            continue
        frames = None if info is None else info.frames
        if info is not None and frames is not None and info.rate:
            first, end = span[0] or Fraction(0), span[1]
            seconds = max(Fraction(0), min(Fraction(frames) / info.rate, end or frames) - first)
            frames = round(seconds * info.rate)
        counts.append(frames)
    return counts


def _render(
    job: Translation,
    options: RenderOptions,
    output: Path | None,
    place: Path,
    shard: Shard,
    stating: Stating,
) -> None:
    """Renders one clip, or this shard's part of it, to `output` or else to `place` with the suffix of its kind."""
    label_for(job, options)
    key = _key(job, options, stating)
    metadata = stating.metadata(job) | {KEY: key}
    leaving = leaving_for(job, options, output, place, metadata)
    finish = stating.finish(job, metadata, output := leaving.output)
    say(f"output {output}")
    answers = output.with_name(f"{output.stem}-answers.png")
    if leaving.key() == key and (answers.exists() or not options.answers):
        _clear(_folder_of(output, key))  # a kill after the last step but that
        say(f"{output}: already rendered")
        return
    for note in leaving.notes:
        say(note)
    parts = _parts_of(output, key, shard)
    placing, at_once = _placed(job, options, leaving, parts), options.batch_size or job.batch_size
    results = {"result": leaving} | ({"compare": leaving.beside()} if options.compare else {})
    painter = painter_for(job, options, placing)
    try:
        done = paint_segments(job, placing, painter, parts, results, batch_size=at_once, shard=shard)
        if done.missing and leaving.key() == key:
            raise OutputError(f"{parts}: is gone")
        if done.missing:
            shard.leaves(f"{output}: {_listed(done.missing)} of {len(done.files['result'])} parts are")
            return
        with output_errors(output), locked(_lock_of(parts), lambda holder: say(f"{output}: {holder} joins it")):
            # The result itself last: where that is there, all is.
            for name, result in reversed(results.items()) if leaving.key() != key else ():
                done.notes += result.join(done.files[name], job, metadata, finish)
            remove_folder(parts)
    except RetargetError:
        if leaving.key() != key:
            raise
        say(f"{output}: rendered by another process meanwhile")
        return
    if options.answers:
        write_answers(job, options, placing, answers, stating.metadata(job, signed=False))
    for note in dict.fromkeys(done.notes):
        say(note)
    say(f"{output}: {done.translated} of {done.seen} frames translated")
    for beside in list(results.values())[1:]:
        say(f"{beside.output}: source and result side by side")


def _folder_of(output: Path, key: str) -> Path:
    return output.parent / f".{output.stem}-{key[:12]}.parts"


def _parts_of(output: Path, key: str, shard: Shard) -> Path:
    """The folder of its parts, which who only joins does not make."""
    parts = _folder_of(output, key)
    if not shard.joins:
        make_folder(parts)
        _clear_others(parts, output)
    return parts


def _placed(job: Translation, options: RenderOptions, leaving: Leaving, parts: Path) -> Placing:
    """Where the face is; where none is to be found, or there is no room, no empty folder of parts is left.

    Raises RetargetError.
    """
    try:
        if parts.exists():  # not where they are only joined and there are none
            require_room([room_for(job, options, leaving, parts)], force=options.force)
        return placed(job, options)[0]
    except RetargetError:
        if parts.exists() and not list(parts.iterdir()):
            remove_folder(parts)
        raise


def _listed(parts: list[int]) -> str:
    """How many, and which."""
    more = ", ..." if len(parts) > LISTED else ""
    return f"{len(parts)} ({', '.join(map(str, parts[:LISTED]))}{more})"


def _lock_of(parts: Path) -> Path:
    return parts.with_name(f"{parts.name}.lock")


def _clear_others(parts: Path, output: Path) -> None:
    """Removes the parts of the same output under other settings, where nobody is painting them."""
    for other in output.parent.glob(f".{glob.escape(output.stem)}-{'[0-9a-f]' * 12}.parts"):
        if other != parts and _clear(other):
            say(f"{output}: parts of it under other settings are removed")


def _clear(parts: Path) -> bool:
    """Removes a folder of parts and its lock where nobody is at work in it: whether nobody is."""
    if any(map(is_held, [_lock_of(parts), *parts.glob("*.lock")])):  # one that is not held goes by being asked
        return False
    remove_folder(parts)
    return True


def _kind(loaded: LoadedRun, options: RenderOptions) -> str:
    """What keeps renders of other runs, and of other checkpoints, of the same domains apart."""
    trained_as = "-".join(Path(loaded.settings[letter]).name for letter in letters(loaded.settings))
    run = loaded.run.resolve().name
    kinds = ["" if run == trained_as else run, "newest" if options.checkpoint == "newest" else "", *kind_told(options)]
    return "".join(f"-{kind}" for kind in kinds if kind)


def _key(job: Translation, options: RenderOptions, stating: Stating) -> str:
    """Changes with everything that changes the result: weights, clip, person, options, version of the program."""
    decided = [version("retarget"), job.weights_sha256(), job.source.content(), person_of(job, options)]
    chosen = {name: value for name, value in dataclasses.asdict(options).items() if name not in _WHERE}
    chosen |= {"start": str(job.start), "stop": str(job.stop), "reference": reference_digest(options)}
    chosen |= {"sign": stating.signer, "mark_font": digest_of_font(options)}
    return hashlib.sha256(json.dumps([*decided, chosen], sort_keys=True).encode()).hexdigest()
