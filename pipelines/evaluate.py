"""`retarget evaluate`: how good a run is, in figures and on videos to look at."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data.disk import make_folder, put_in_place, remove_folder, write_json
from data.domain.palette import Palette, read_palette
from data.domain.pictures import write_sheet
from data.domain.sources import Source, open_source
from data.errors import MissingInputError, MissingModelError, SettingsError
from data.faces.colour_match import ColourMatch
from data.faces.cropper import Cropper
from data.faces.detection import Backend
from data.faces.masks import SharedMask
from data.faces.placing import Placing
from pipelines.advice import advised
from pipelines.judging.domain import Resemblance, domain_pictures
from pipelines.judging.judge import Judge, ThereAndBack, Unable
from pipelines.judging.measures import MEASURES, PER_FRAME_DIGITS, entries, line, number, worst
from pipelines.judging.moments import Moments, Players, judged
from pipelines.judging.motion import FaceMotion, Steadiness
from pipelines.judging.place import OwnPlace, TruePlace
from pipelines.judging.truth import HiddenParameters, LabelScores, Likeness, hidden_poses
from pipelines.option_groups import TranslatingOptions
from pipelines.options import EvaluateOptions
from pipelines.places import find_domain, say
from pipelines.translating.following import placed
from pipelines.translating.paint import Faces, Painter, WholeFrames
from pipelines.translating.scale import refuse_for_faces, whole_frames
from pipelines.translating.translation import Translation, decide, load
from recycle.measures.optical_flow import Dis, FlowFinder, load_raft
from recycle.networks.inception import Inception, load_inception
from recycle.networks.pretrained import WeightsError

FORMAT = 1
DOCUMENT = "evaluation.json"
VIDEOS = {"source": "source.mp4", "result": "result.mp4", "truth": "truth.mp4"}
CONFUSION = "confusion.png"
_BESIDE = (*VIDEOS.values(), CONFUSION)


@dataclass(frozen=True)
class _Tools:
    """What the judges work with. inception: the network, or why there is none."""

    flow: FlowFinder
    inception: Inception | str
    palette: Palette | None


def evaluate(options: EvaluateOptions) -> None:
    """Judges one clip, and writes evaluation.json and the videos beside it, over those of before.

    Raises RetargetError; what was there before is then as it was.
    """
    loaded = load(options, clip_is_named=options.input is not None)
    job = decide(loaded, options.input, options.domains, judging=True)
    if job.learned_from:
        say("the run learned from this footage: figures tend to be worse on clips that it never saw")
    tools = _Tools(_flow(options, job), _inception(options, job), _palette(options))
    folder = make_folder(options.output or job.run / "evaluation")
    for clip in (job.source.path, options.truth, options.result):
        if clip is not None and clip.resolve().parent == folder.resolve() and clip.name in _BESIDE:
            raise SettingsError(f"{clip}: would be replaced by what is written; give another --output")
    partial = folder / ".partial"
    remove_folder(partial)
    try:
        document = _judged(job, options, tools, make_folder(partial))
        (folder / DOCUMENT).unlink(missing_ok=True)  # it must never describe other videos
        for name in _BESIDE:
            (folder / name).unlink(missing_ok=True)
            if (partial / name).exists():
                put_in_place(partial / name, folder / name)
        write_json(folder / DOCUMENT, document)
    finally:
        remove_folder(partial)
    following = "" if options.output else f" Next: retarget report --run {job.run}"
    say(f"{folder / DOCUMENT}: {document['frames']} frames.{following}")


def _palette(options: EvaluateOptions) -> Palette | None:
    """Raises MissingInputError, SettingsError."""
    if options.labels is None:
        return None
    if options.truth is None:
        raise SettingsError(f"--labels {options.labels}: classes are compared with a truth; give --truth")
    return read_palette(options.labels)


def _flow(options: EvaluateOptions, job: Translation) -> FlowFinder:
    """Raises MissingModelError, SettingsError."""
    if options.flow == "dis":
        if options.flow_weights is not None:
            raise SettingsError(f"--flow-weights {options.flow_weights}: only --flow raft has weights")
        return Dis()
    try:
        return load_raft(options.flow_weights, job.device)
    except WeightsError as error:
        raise MissingModelError(f"--flow raft: {error}") from error


def _inception(options: EvaluateOptions, job: Translation) -> Inception | str:
    """The network, or why there is none. Raises MissingModelError where the user named a file for it."""
    try:
        return load_inception(options.inception_weights, job.device)
    except WeightsError as error:
        if options.inception_weights is not None:
            raise MissingModelError(f"--inception-weights: {error}") from error
        return str(error)


def _judged(job: Translation, options: EvaluateOptions, tools: _Tools, folder: Path) -> dict[str, Any]:
    """Goes through the clip once. Writes the videos into `folder`; gives what evaluation.json says."""
    placing, backend = placed(job, options)
    painter, cropper = _painter(job, options.scale, placing, backend)
    truth = open_source(options.truth) if options.truth else None
    moments = Moments(
        job,
        placing,
        painter=None if options.result else painter,
        cropper=cropper,
        result=open_source(options.result) if options.result else None,
        truth=truth,
        batch_size=options.batch_size,
    )
    hidden, labels = _hidden(truth, moments.frames), LabelScores(tools.palette) if tools.palette else None
    knowing: list[Judge | None] = [*((Likeness(), TruePlace()) if truth else ()), hidden, labels]
    judges = [judge for judge in knowing if judge] + _judges(job, options, backend, tools)
    with Players(folder, job) as players:
        per_frame, seconds = judged(moments, judges, players)
    values = {name: value for judge in judges for name, value in judge.values().items()}
    for name in MEASURES:
        if name in values:
            say(line(name, values[name]))

    document = _about(job, options, moments.frames) | {
        "measures": entries(values),
        "per_frame": {name: [number(v, PER_FRAME_DIGITS) for v in series] for name, series in per_frame.items()},
        "worst": {name: worst(name, series, seconds) for name, series in per_frame.items()},
    }
    parameters = hidden.table() if isinstance(hidden, HiddenParameters) else None
    if parameters:
        document["parameters"] = parameters
    if labels:
        write_sheet(folder / CONFUSION, labels.picture())
        document |= {"labels": labels.table(), "confusion_picture": CONFUSION}
    return document


def _painter(job: Translation, scale: str, placing: Placing, backend: Backend | None) -> tuple[Painter, Cropper | None]:
    """What translates, as rendering does by default; and where faces are translated, what cuts them out."""
    if backend is None:
        return whole_frames(job, scale), None
    refuse_for_faces(scale, TranslatingOptions.scale)
    cropper = Cropper(placing, job.source.info, job.face_px, cut_px=job.picture_px)
    painter = Faces(job.method, job.direction, cropper, blend="feather", mask=SharedMask(), colours=ColourMatch())
    return painter, cropper


def _hidden(truth: Source | None, frames: int) -> HiddenParameters | Unable | None:
    """The judge of the hidden parameters, where they lie beside the truth."""
    poses = hidden_poses(truth.path) if truth else None
    if poses is None:
        return None
    if len(poses) != frames:
        return Unable("parameters", why=f"beside the truth are {len(poses)} poses, the clip has {frames} frames")
    return HiddenParameters(poses)


def _judges(job: Translation, options: EvaluateOptions, backend: Backend | None, tools: _Tools) -> list[Judge]:
    """Those that need no truth."""
    judges: list[Judge] = [Steadiness(tools.flow)]
    if backend is None:
        judges.append(Unable("motion", why="whole frames are translated, there are no landmarks"))
    else:
        judges.append(FaceMotion(backend, job.source.info))
    if options.result is None:
        judges.append(OwnPlace(WholeFrames(job.method, job.direction)))
    else:
        judges.append(Unable("offset", why="the result was there before, so no network can be shown mirrored frames"))
    judges.append(_there_and_back(job, options, backend))
    try:
        domain = find_domain(job.settings[job.direction[-1]], options.domains)
        whole_px = min(job.source.info.width, job.source.info.height)
        side_px = min(domain.size, whole_px if backend is None else job.face_px)
        pictures = domain_pictures(domain)
        judges.append(Resemblance(pictures, side_px, tools.inception))
    except MissingInputError as error:
        judges.append(Unable("kernel_distance", "fid", "kid", "sharpness", why=advised(error)))
    return judges


def _there_and_back(job: Translation, options: EvaluateOptions, backend: Backend | None) -> Judge:
    way_back = f"{job.direction[-1]}_to_{job.direction[0]}"
    why = ""
    if options.result is not None:
        why = "the result was there before, so its way back is not known"
    elif way_back not in job.method.ways:
        why = f"{job.settings['method']} has no way back"
    elif "sample" in job.method.asks:
        why = f"{job.settings['method']} goes back by a code that it reads from source and result together"
    if why:
        return Unable("cycle_l1", "cycle_psnr", why=why)
    there = None if backend is None else WholeFrames(job.method, job.direction)
    back = whole_frames(job, options.scale, way_back) if backend is None else WholeFrames(job.method, way_back)
    return ThereAndBack(there, back)


def _about(job: Translation, options: EvaluateOptions, frames: int) -> dict[str, Any]:
    """What was judged."""
    info = job.source.info
    shown = dict(VIDEOS) if options.truth else {name: file for name, file in VIDEOS.items() if name != "truth"}
    return {
        "format": FORMAT,
        "retarget": version("retarget"),
        "run": str(job.run),
        "method": job.settings["method"],
        "step": job.step,
        "checkpoint": job.checkpoint,
        "weights": options.weights,
        "direction": job.direction,
        "names": list(job.names),
        "input": str(job.source.path),
        "part": job.part,
        "truth": str(options.truth) if options.truth else None,
        "result": str(options.result) if options.result else VIDEOS["result"],
        "videos": shown,
        "frames": frames,
        "rate": f"{info.rate.numerator}/{info.rate.denominator}",
        "size": [info.width, info.height],
    }
