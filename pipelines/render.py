"""`retarget render`: a clip goes through a trained run and comes out translated, frame for frame, with its sound."""

import dataclasses
import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from data.analysis import Analysis, Cropper, analyse
from data.disk import make_folder, name_from, remove_folder
from data.domain import Domain
from data.encode import SegmentWriter
from data.errors import MissingInputError, SettingsError
from data.faces import open_aligner
from data.follow import Identity
from data.join import join_segments, muxer_of
from data.sources import Source, open_source
from data.video import read_metadata
from data.web import fetch, is_url
from data.windows import load_size_of
from pipelines.options import RenderOptions
from pipelines.paint import Faces, Painter, WholeFrames
from pipelines.places import find_domain, newest_run, say
from recycle.checkpoint import CheckpointError
from recycle.methods.base import Direction, Method
from recycle.parallel import best_accelerator
from recycle.runfolder import load_for_rendering

KEY = "retarget_key"
"""Metadata of a result: what it was made from and how, so that the same command knows it is done."""
IPTC_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@dataclass
class _Job:
    """All that was decided before the first frame."""

    run: Path
    settings: dict[str, Any]
    method: Method
    direction: Direction
    source: Source
    start: Fraction
    domain: Domain | None
    aligner: str
    names: tuple[str, str]
    output: Path


def render(options: RenderOptions) -> None:
    """Renders one clip. Goes on where it stopped, segment by segment. Raises RetargetError."""
    job = _decide(options)
    key = _key(job, options)
    if job.output.exists() and read_metadata(job.output).get(KEY) == key:
        say(f"{job.output}: already rendered")
        return
    parts = make_folder(job.output.parent / f".{job.output.stem}-{key[:12]}.parts")
    backend = None if job.aligner == "none" else open_aligner(job.aligner, options.models, say)
    identity = _known_person(job)
    analysis = analyse(job.source, backend, parts / "looked.jsonl", face=options.face, identity=identity)
    if backend is None:
        painter: Painter = WholeFrames(job.method, job.direction)
    else:
        size = load_size_of(job.settings["config"]["networks"]["size"], job.settings["crop_jitter"])
        cropper = Cropper(backend, analysis, job.source.info, size)
        painter = Faces(job.method, job.direction, cropper, blend=options.blend, colour_match=options.colour_match)

    segments, notes = _render_segments(job, options, analysis, painter, parts)
    sound = job.source.path if job.source.kind == "video" else None
    metadata = _metadata(job, key)
    notes += join_segments(segments["result"], job.output, audio_from=sound, start=job.start, metadata=metadata)
    if options.compare:
        beside = compare_path(job.output)
        join_segments(segments["compare"], beside, audio_from=sound, start=job.start, metadata=metadata)
    for note in dict.fromkeys(notes):
        say(note)
    remove_folder(parts)
    say(f"{job.output}: {painter.translated} of {painter.seen} frames translated")
    if options.compare:
        say(f"{beside}: source and result side by side")


def compare_path(output: Path) -> Path:
    """Where `--compare` writes."""
    return output.with_name(f"{output.stem}-compare{output.suffix}")


def _decide(options: RenderOptions) -> _Job:
    """Fills in what the user left open, and says every choice. Raises RetargetError."""
    run = options.run or newest_run(options.runs)
    try:
        settings, method = load_for_rendering(run, options.weights, on_note=say)
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    direction: Direction = "b_to_a" if options.reverse else "a_to_b"
    here, there = ("b", "a") if options.reverse else ("a", "b")
    names = Path(settings[here]).name, Path(settings[there]).name
    domain, start = None, Fraction(0)
    if options.input is None or (Path(settings[here]) / "domain.json").exists():
        domain = find_domain(settings[here], options.domains)
    if options.input is None:
        assert domain is not None
        path, start = _held_out_end(domain)
    else:
        path = fetch(options.input, options.domains / ".web") if is_url(options.input) else Path(options.input)
    source = open_source(path)
    stem = names[0] if options.input is None else name_from(path.resolve().stem)
    output = options.output or Path("renders") / f"{stem}-as-{names[1]}.mp4"
    muxer_of(output)
    if output.exists() and output.samefile(path):
        raise SettingsError(f"{output}: is the clip to translate; give another --output")
    make_folder(output.parent)
    accelerator = options.accelerator if options.accelerator != "auto" else best_accelerator()
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise SettingsError("--accelerator cuda: no CUDA device here; leave it away, or give cpu")
    method.to(accelerator)
    part = f" from {float(start):.2f} s on (its held-out end)" if start else ""
    say(f"run {run} ({settings['method']}, {options.weights} weights), {names[0]} to {names[1]}, on {accelerator}")
    say(f"input {path}{part}; output {output}")
    aligner = settings[f"aligner_{here}"]
    return _Job(run, settings, method, direction, source, start, domain, aligner, names, output)


def _held_out_end(domain: Domain) -> tuple[Path, Fraction]:
    """The domain's first clip that has a held-out part, and where that begins; the whole clip where none has."""
    videos = [clip for clip in domain.clips if clip.kind == "video"]
    if not videos:
        raise MissingInputError(f"{domain.folder}: was not made from a video; give --input VIDEO")
    held_out = next((record for record in domain.records() if record.split == "test"), None)
    clip = domain.clip(held_out.clip) if held_out else videos[0]
    path = Path(clip.path)
    if not path.exists():
        raise MissingInputError(f"{path}: the clip that {domain.folder} was made from is gone; give --input VIDEO")
    return path, held_out.seconds if held_out else Fraction(0)


def _known_person(job: _Job) -> Identity | None:
    """Whom the domain followed, where the input is one of the clips that it was made from."""
    if job.domain is None or job.domain.identity is None:
        return None
    own = str(job.source.path.resolve()) in {clip.path for clip in job.domain.clips}
    return Identity.from_json(job.domain.identity) if own else None


def _key(job: _Job, options: RenderOptions) -> str:
    """Changes with everything that changes the result."""
    checkpoint = max(path.name for path in (job.run / "checkpoints").glob("step-*"))
    decided = [version("retarget"), str(job.run.resolve()), checkpoint, job.source.sha256(), str(job.start)]
    chosen = [options.reverse, options.blend, options.colour_match, options.face, options.weights, options.compare]
    return hashlib.sha256(json.dumps([*decided, *chosen]).encode()).hexdigest()


def _metadata(job: _Job, key: str) -> dict[str, str]:
    """Says to people and to machines that the result is synthetic."""
    ends = f"{job.names[0]} in the style of {job.names[1]}"
    return {
        "comment": f"Synthetic video: translated by retarget {version('retarget')} ({ends})",
        "digital_source_type": IPTC_SOURCE_TYPE,
        KEY: key,
    }


def _render_segments(
    job: _Job, options: RenderOptions, analysis: Analysis, painter: Painter, parts: Path
) -> tuple[dict[str, list[Path]], list[str]]:
    """Encodes what is not encoded yet. Gives the files of the result and of the comparison, and notes."""
    batch_size = options.batch_size or (8 if next(job.method.parameters()).device.type == "cuda" else 2)
    info = job.source.info
    files: dict[str, list[Path]] = {"result": [], "compare": []}
    notes: list[str] = []
    total = sum(time >= job.start for time in analysis.times)
    frames = tqdm(job.source.frames(job.start), total=total, desc="rendering", unit="frame", disable=None)
    for number, (_, segment) in enumerate(groupby(frames, key=analysis.segment_of)):
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
