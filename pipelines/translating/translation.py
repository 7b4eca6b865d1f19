"""Which clip goes through which run: what rendering and evaluating decide alike before the first frame."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from data.domain.domain import Domain
from data.domain.part import Part, part_of
from data.domain.sources import Source, open_source
from data.domain.splits import halves
from data.domain.web import fetch, is_url
from data.domain.windows import load_size_of
from data.errors import MissingInputError, SettingsError
from data.faces.placing import Placing
from pipelines.options import EvaluateOptions, RenderOptions
from pipelines.places import find_domain, newest_run, say
from pipelines.translating.telling import tell, way_of
from recycle.methods.base import Direction, Method
from recycle.runs.checkpoint import CheckpointError, Choice
from recycle.runs.runfolder import load_for_rendering
from recycle.training.parallel import best_accelerator

FEW_FRAMES = 25
"""Of a held-out end: fewer are hardly worth looking at."""


@dataclass(frozen=True)
class LoadedRun:
    """A run, ready on its device.

    step: of the checkpoint that was loaded. checkpoint: which of the run's that is. domain: the one that is translated
    from, where it is there. names: of both domains, first that one's.
    """

    run: Path
    settings: dict[str, Any]
    method: Method
    step: int
    checkpoint: Choice
    direction: Direction
    domain: Domain | None
    names: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Translation(LoadedRun):
    """A run and the clip to translate with it.

    start, stop: seconds from which on, and up to which, the source is translated; None for all of it, whatever its
    clock says. part: what that is of the domain, in words; "" where it is the whole clip or what the user chose.
    """

    source: Source
    start: Fraction | None
    stop: Fraction | None = None
    part: str

    @property
    def learned_from(self) -> bool:
        """The source is a clip that its domain was made from, and not its held-out end alone."""
        return self.start is None and self.of_its_domain

    @property
    def of_its_domain(self) -> bool:
        """The source is a clip that its domain was made from."""
        domain = self.domain
        return domain is not None and str(self.source.path.resolve()) in {clip.path for clip in domain.clips}

    def wanted(self, placing: Placing) -> int:
        """How many of the frames that were looked at are translated."""
        return sum(self.start is None or time >= self.start for time in placing.times)

    @property
    def aligner(self) -> str:
        """What cuts faces out of frames; "none" where whole frames are translated."""
        return self.settings[f"aligner_{self.direction[0]}"]

    @property
    def device(self) -> str:
        """Where the run's networks are."""
        return str(next(self.method.parameters()).device)

    @property
    def batch_size(self) -> int:
        """Frames that are translated at once where the user does not say."""
        return 8 if self.device.startswith("cuda") else 2

    def weights_sha256(self) -> str:
        """Of the weights that translate, whatever run and step they are from."""
        digest = hashlib.sha256()
        for generator in self.method.generators.values():
            for name, values in sorted(generator.state_dict().items()):
                content = values.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
                digest.update(name.encode() + content.numpy().tobytes())
        return digest.hexdigest()

    @property
    def picture_px(self) -> int:
        """Side at which faces were cut for the domain, before training made them `face_px`; that where none is known:
        runs of before it was kept, and imported ones."""
        return self.settings.get(f"size_{self.direction[0]}") or self.face_px

    @property
    def face_px(self) -> int:
        """Side of a face's picture: the scale at which the networks have seen faces."""
        return load_size_of(self.settings["config"]["networks"]["size"], self.settings["crop_jitter"])


def load(options: RenderOptions | EvaluateOptions, *, clip_is_named: bool) -> LoadedRun:
    """The run that the user means, or the newest, and says which. clip_is_named: where not, its domain has to be there.

    Raises RetargetError.
    """
    run = options.run or newest_run(options.runs)
    try:
        settings, method, step, checkpoint = load_for_rendering(run, options.weights, options.checkpoint, on_note=say)
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    direction = way_of(settings, method, options, reverse=options.reverse)
    here, there = direction[0], direction[-1]
    tell(method, settings, options)
    names = Path(settings[here]).name, Path(settings[there]).name
    domain = None
    if not clip_is_named or (Path(settings[here]) / "domain.json").exists():
        domain = find_domain(settings[here], options.domains)
    accelerator = options.accelerator if options.accelerator != "auto" else best_accelerator()
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise SettingsError("--accelerator cuda: no CUDA device here; leave it away, or give cpu")
    method.to(accelerator)
    weights = f"{options.weights} weights of the {checkpoint} checkpoint, step {step}"
    say(f"run {run} ({settings['method']}, {weights}), {names[0]} to {names[1]}, on {accelerator}")
    return LoadedRun(run, settings, method, step, checkpoint, direction, domain, names)


Span = tuple[Fraction | None, Fraction | None]
"""Seconds from a clip's first frame on, from and to; None where it is open."""


def decide(
    loaded: LoadedRun, clip: str | None, domains: Path, *, span: Span = (None, None), judging: bool = False
) -> Translation:
    """What of which clip is translated: `clip`, or the held-out end of the domain's own, or a `span` of either's whole.

    judging: of a held-out end, takes only what chose no checkpoint. Says every choice. Raises RetargetError.
    """
    start, stop, part, extracted = None, None, "", None
    if clip is None:
        assert loaded.domain is not None
        path, start, part, extracted = _held_out_end(loaded.domain, judging)
    else:
        path = fetch(clip, domains / ".web") if is_url(clip) else Path(clip)
    source = open_source(path)
    if span != (None, None):
        source, part = part_of(source, *span), ""
        assert isinstance(source, Part)
        start, stop = source.start, source.stop
    elif extracted is not None:
        source, stop = Part(path, source.info, source, *extracted), extracted[1]
        start = source.start if start is None else start
    told = f" ({part})" if part else ""
    if start is not None:
        told = f" from {float(start):.2f} s {'on' if stop is None else f'to {float(stop):.2f} s'}{told}"
    say(f"input {path}{told}")
    for note in source.notes():
        say(note)
    return Translation(**vars(loaded), source=source, start=start, stop=stop, part=part)


def _held_out_end(
    domain: Domain, judging: bool
) -> tuple[Path, Fraction | None, str, tuple[Fraction, Fraction | None] | None]:
    """The domain's first clip that has a held-out part, where that begins, or the half of it that judges, what it is in
    words, and from when to when the domain took of the clip, if not all; the whole clip where none is held out."""
    videos = [clip for clip in domain.clips if clip.from_video]
    if not videos:
        raise MissingInputError(f"{domain.folder}: was not made from a video; give --input VIDEO")
    held_out = next((record for record in domain.records(landmarks=False) if record.split == "test"), None)
    clip = domain.clip(held_out.clip) if held_out else videos[0]
    path = Path(clip.path)
    if not path.exists():
        raise MissingInputError(f"{path}: the clip that {domain.folder} was made from is gone; give --input VIDEO")
    if open_source(path).sha256() != clip.sha256:
        raise SettingsError(
            f"{path}: has changed since {domain.folder} was made from it, so what was held out is not known; extract "
            "it again, or give --input"
        )
    extracted = None
    if "start" in clip.settings:
        stop = clip.settings["stop"]
        extracted = Fraction(clip.settings["start"]), None if stop is None else Fraction(stop)
    if held_out is None:
        return path, None, "", extracted
    window = domain.clip(held_out.clip).settings.get("window", 1)
    choosing, judges = (
        [record for record in half if record.clip == held_out.clip]
        for half in halves(domain.records(landmarks=False), window)
    )
    whole = choosing == judges
    if whole:
        part = "its held-out end, which also chose the checkpoint: too short to be divided"
    elif judging:
        part = "the second half of its held-out end, which chose no checkpoint"
    else:
        part = "its held-out end; the first half of that also chose the checkpoint"
    first = judges[0] if judging else held_out
    count = (
        len(judges)
        if judging
        else sum(r.split == "test" and r.clip == first.clip for r in domain.records(landmarks=False))
    )
    if count < FEW_FRAMES:
        say(f"only {count} frames of {path} are held out; give --input VIDEO for more than a blink")
    return path, first.seconds, part, extracted
