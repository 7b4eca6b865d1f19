"""`retarget render`: a clip goes through a trained run and comes out translated, frame for frame, with its sound."""

import dataclasses
import hashlib
import json
from contextlib import ExitStack
from importlib.metadata import version
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.disk import make_folder, name_from, remove_folder
from data.errors import SettingsError
from data.faces.cropper import Cropper
from data.faces.placing import Placing
from data.video.reader import read_metadata
from data.writing.encode import SegmentWriter
from data.writing.join import join_segments, muxer_of
from data.writing.tracks import plan_tracks
from pipelines.options import RenderOptions
from pipelines.places import say
from pipelines.translating.paint import Faces, Painter, WholeFrames
from pipelines.translating.translation import Translation, decide, placed

KEY = "retarget_key"
"""Metadata of a result: what it was made from and how, so that the same command knows it is done."""
IPTC_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def render(options: RenderOptions) -> None:
    """Renders one clip. Goes on where it stopped, segment by segment. Raises RetargetError."""
    job = decide(options)
    output = _output(job, options)
    key = _key(job, options)
    if output.exists() and read_metadata(output).get(KEY) == key:
        say(f"{output}: already rendered")
        return
    tracks = plan_tracks(job.source.sound, muxer_of(output)) if job.source.sound else None
    for note in tracks.notes if tracks else ():
        say(note)
    parts = make_folder(output.parent / f".{output.stem}-{key[:12]}.parts")
    placing, backend = placed(job, options)
    if backend is None:
        painter: Painter = WholeFrames(job.method, job.direction)
    else:
        cropper = Cropper(placing, job.source.info, job.face_px)
        painter = Faces(job.method, job.direction, cropper, blend=options.blend, colour_match=options.colour_match)

    segments, notes = _render_segments(job, options, placing, painter, parts)
    metadata = _metadata(job, key)
    notes += join_segments(segments["result"], output, tracks=tracks, start=job.start, metadata=metadata)
    if options.compare:
        beside = compare_path(output)
        join_segments(segments["compare"], beside, tracks=tracks, start=job.start, metadata=metadata)
    for note in dict.fromkeys(notes):
        say(note)
    remove_folder(parts)
    say(f"{output}: {painter.translated} of {painter.seen} frames translated")
    if options.compare:
        say(f"{beside}: source and result side by side")


def compare_path(output: Path) -> Path:
    """Where `--compare` writes."""
    return output.with_name(f"{output.stem}-compare{output.suffix}")


def _output(job: Translation, options: RenderOptions) -> Path:
    """The video to write, in a folder that is there. Raises RetargetError."""
    clip = job.source.path
    stem = job.names[0] if options.input is None else name_from(clip.resolve().stem)
    output = options.output or Path("renders") / f"{stem}-as-{job.names[1]}{_kind(job, options)}.mp4"
    muxer_of(output)
    if output.exists() and output.samefile(clip):
        raise SettingsError(f"{output}: is the clip to translate; give another --output")
    say(f"output {output}")
    make_folder(output.parent)
    return output


def _kind(job: Translation, options: RenderOptions) -> str:
    """What keeps renders of other runs, and of other checkpoints, of the same domains apart."""
    trained_as = "-".join(Path(job.settings[name]).name for name in ("a", "b"))
    run = job.run.resolve().name
    return ("" if run == trained_as else f"-{run}") + ("-newest" if options.checkpoint == "newest" else "")


def _key(job: Translation, options: RenderOptions) -> str:
    """Changes with everything that changes the result."""
    decided = [version("retarget"), str(job.run.resolve()), job.step, job.source.sha256(), str(job.start)]
    chosen = [options.reverse, options.blend, options.colour_match, options.face, options.weights, options.compare]
    return hashlib.sha256(json.dumps([*decided, *chosen]).encode()).hexdigest()


def _metadata(job: Translation, key: str) -> dict[str, str]:
    """Says to people and to machines that the result is synthetic."""
    ends = f"{job.names[0]} in the style of {job.names[1]}"
    return {
        "comment": f"Synthetic video: translated by retarget {version('retarget')} ({ends})",
        "digital_source_type": IPTC_SOURCE_TYPE,
        KEY: key,
    }


def _render_segments(
    job: Translation, options: RenderOptions, placing: Placing, painter: Painter, parts: Path
) -> tuple[dict[str, list[Path]], list[str]]:
    """Encodes what is not encoded yet. Gives the files of the result and of the comparison, and notes."""
    batch_size = options.batch_size or job.batch_size
    info = job.source.info
    files: dict[str, list[Path]] = {"result": [], "compare": []}
    notes: list[str] = []
    total = job.wanted(placing)
    frames = tqdm(job.source.frames(job.start), total=total, desc="rendering", unit="frame", disable=None)
    for number, (_, segment) in enumerate(groupby(frames, key=placing.segment_of)):
        result, compare = parts / f"{number:05d}.mp4", parts / f"{number:05d}-compare.mp4"
        files["result"].append(result)
        files["compare"].append(compare)
        if painter.restore(result.with_suffix(".json")):
            continue
        with ExitStack() as stack:
            writer = stack.enter_context(SegmentWriter(result, source=info))
            if options.compare:
                double = (2 * info.width, info.height)
                beside = stack.enter_context(SegmentWriter(compare, source=info, size=double))
            while batch := list(islice(segment, batch_size)):
                for frame, rgb in zip(batch, painter.paint(batch), strict=True):
                    writer.write(dataclasses.replace(frame, rgb=rgb))
                    if options.compare:
                        both = np.concatenate([frame.rgb, rgb], axis=1)
                        beside.write(dataclasses.replace(frame, rgb=both))
        painter.keep(result.with_suffix(".json"))
        notes += writer.notes
    return files, notes
