"""The options of every command: a dataclass a command, a field an option. The command line is made from these.

Imports nothing heavy, so that `--help` answers at once.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from data.writing.codecs import DEFAULT_QUALITY
from pipelines.option_groups import (
    METHODS_HELP,
    DomainsFolder,
    Forced,
    Marking,
    MethodName,
    ModelsFolder,
    RunsFolder,
    Sharded,
    Timed,
    TimeRange,
    TranslatingOptions,
    WhatToTell,
    WhichCheckpoint,
    WhichFace,
    WhichRun,
)
from recycle.config import MethodConfig, PresetName, TrainingConfig
from recycle.methods import DEFAULT


@dataclass(frozen=True, kw_only=True)
class ExtractOptions(Forced, Timed, DomainsFolder, ModelsFolder, Sharded, TimeRange, WhichFace):
    """Turn videos, web addresses, or folders of pictures into a domain: pictures to train on."""

    videos: tyro.conf.Positional[tuple[str, ...]]
    """Video files, http(s) addresses, folders of pictures, or folders of strips (three frames side by side). Or one
    published set, of which two domains are made, NAME-A and NAME-B: a folder that holds trainA and trainB (testA and
    testB as well) or train (val and test as well) with pairs side by side, A on the left."""
    name: str | None = None
    """The domain's name. By default the first file's name without its suffix."""
    consent: Path | None = None
    """File of what the person agreed to (who, uses, until, record; docs/provenance.md), which the domain keeps."""
    align: Literal["auto", "fan", "yunet", "haar", "none"] = "auto"
    """How a frame becomes a picture: around a followed face by 68 landmarks (fan), 5 points (yunet) or a box (haar);
    the first of these that works (auto; of a published set: none); or the whole frame (none)."""
    size: int | None = None
    """Side of a face's picture, or shorter side of a whole frame's, in pixels. None: for faces 288, which is what
    training at 256 px makes crops from; for whole frames 256."""
    window: int | None = None
    """Consecutive frames a training window will need: sets the gap before the held-out part. None: 3, and 1 for single
    pictures."""
    frames: Literal["auto", "sequence", "single"] = "auto"
    """Whether a folder's pictures follow each other in time, or are single and no window spans two. auto: single where
    the folder or its set is named as published ones are (trainA, testB), else a sequence."""
    hidden: Literal["drop", "keep"] = "drop"
    """Frames in which a hand, a microphone or hair seems to hide the face: left out, or kept."""
    people: bool = False
    """Stop after looking who is in the clip: people.jpg in the domain's folder shows everybody with their numbers."""
    strips: Literal["auto", "yes", "no"] = "auto"
    """Whether a folder's pictures are strips of three frames. auto: where they are three times as wide as high."""
    background: str = "#ffffff"
    """What lies under transparent pictures, as #rrggbb."""
    range: Literal["auto", "8", "10", "12", "14", "16"] = "auto"
    """Bits that a folder's pictures stored in 16 bits use: full scale. auto: as many as the largest value needs."""
    most_megapixels: int = 256
    """Pictures with more are refused before memory is taken for them."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Forced, DomainsFolder):
    """Train translators between two domains, or more. The same command again goes on where it stopped."""

    a: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="A")] = None
    """Domain A: its name or its folder."""
    b: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="B")] = None
    """Domain B."""
    more: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="C ...")] = ()
    """More domains, for stargan and combogan."""
    add: str | None = None
    """Add this domain to the run that --run names (combogan): a new run, RUN-DOMAIN, whose other domains stay as they
    are."""
    method: Annotated[MethodName, tyro.conf.arg(help=METHODS_HELP)] = DEFAULT
    preset: PresetName = "paper"
    """paper: 256 px as published. small: 128 px. tiny: 64 px, a CPU in minutes."""
    config: MethodConfig = field(default_factory=MethodConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    crop_jitter: bool = True
    """Crop at random from pictures loaded 286/256 larger, as published."""
    vgg_weights: Path | None = None
    """File of VGG-19 weights for the content term. By default where torchvision keeps them, fetched if need be."""
    guard: Path | None = None
    """Labeller of A's pictures for the semantic term, as `retarget adapt` leaves it (labeller.safetensors)."""
    flip: bool = False
    """Flip half of the windows left to right."""
    workers: int | None = None
    """Processes that load windows while a step is made, each with memory of its own. None: 4 on a GPU, none on a
    CPU."""
    run: Path | None = None
    """Folder of this run, or of the one that --add adds to. By default runs/A-B."""
    source: Annotated[Path | None, tyro.conf.arg(name="from", metavar="RUN")] = None
    """Begin with the weights of another run's best checkpoint, or an imported one's, whatever its domains: of those
    networks that are built alike. What was taken and what not is said."""
    take: Literal["both", "generators", "discriminators"] = "both"
    """Which networks of --from."""
    measure: bool = False
    """Only say what 1,000 such steps take on this machine, in minutes and memory: about ten seconds, on random
    pictures, without domains. What a method takes with a preset's own settings is kept, and the studio shows it."""


@dataclass(frozen=True, kw_only=True)
class RenderOptions(Forced, Marking, Sharded, TimeRange, TranslatingOptions):
    """Translate a clip with a trained run and merge it back into its frames, with its sound."""

    input: Annotated[tuple[tuple[str, ...], ...], tyro.conf.UseAppendAction] = ()
    """Videos to translate, web addresses, folders of videos, or folders of pictures that are a clip. By default the
    held-out end of the domain's own source. Of several, each is done whole; what fails is named at the end."""
    reverse: bool = False
    """Translate from B to A."""
    output: Path | None = None
    """The video to write, or the folder for several. By default renders/INPUT-as-DOMAIN.mp4, with the run's name where
    that is not its domains'."""
    preview: Annotated[str | None, tyro.conf.arg(metavar="TIME")] = None
    """Translate only the frame that is shown then (from the first frame on), and write it as PNG."""
    codec: Literal["auto", "h264", "hevc", "av1", "prores", "ffv1", "png"] = "auto"
    """How pictures are encoded. png: a folder of pictures with their times in times.csv. auto: h264, or hevc for HDR
    that is kept."""
    quality: int = DEFAULT_QUALITY
    """0 to 100: higher is better and larger."""
    hardware: bool = False
    """Encode on a device (h264, hevc, av1): the first of NVENC, QSV, VideoToolbox, AMF that works. Quality and bytes
    are then its own."""
    hdr: Literal["sdr", "keep"] = "sdr"
    """What becomes of HDR sources: SDR that every player shows, or 10 bits with the source's transfer and primaries."""
    answers: int = 0
    """Also write a sheet of so many answers to a few moments (augmented): samples 0, 1, 2 ..."""
    compare: bool = False
    """Also write source and result side by side."""
    blend: Literal["feather", "none"] = "feather"
    """How a face goes back into its frame: what is face in the source and in the translation, behind a soft mask that
    follows both, or the whole square."""
    feather: float | None = None
    """Part of a face's picture over which that mask goes from nothing to all: 0.01 to 0.5. None: 0.08."""
    colour_match: bool = True
    """Match the colours of a translated face to its frame."""
    match_strength: float = 1.0
    """How far: from 0, not at all, to 1."""


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(TranslatingOptions):
    """Say how good a run is: translate a clip and measure it, against the truth where that is known."""

    input: str | None = None
    """Video to translate (or a web address, or a folder of pictures). By default the held-out end of the domain's own
    source."""
    truth: Path | None = None
    """The right answer, frame for frame: a video or a folder of pictures. Hidden parameters that `retarget demo` left
    beside it (truth.json for truth.mp4) are read back from the result."""
    result: Path | None = None
    """Judge this clip, frame for frame with the input, instead of translating."""
    labels: Path | None = None
    """The truth is a label map: score classes by the nearest colour of this palette, a JSON file
    {"road": [128, 64, 128]} or a CSV file of lines road,128,64,128. What is nearest to the colour called void is left
    out."""
    flow: Literal["dis", "raft"] = "dis"
    """Optical flow: OpenCV's dense inverse search, or RAFT where its weights are."""
    flow_weights: Path | None = None
    """File of weights for --flow raft. By default where torchvision keeps them; they are not fetched."""
    inception_weights: Path | None = None
    """File of Inception-v3 weights for FID and KID. By default where torchvision keeps them; they are not fetched."""
    reverse: bool = False
    """Judge the way from B to A."""
    output: Path | None = None
    """Folder to write into, over what an evaluation left there. By default evaluation/ in the run's folder."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions(RunsFolder):
    """Make a run of generators that were trained with the authors' CycleGAN, pix2pix or Recycle-GAN, to render with."""

    weights: tyro.conf.Positional[tuple[Path, ...]]
    """Their weight files (.pth, .safetensors): A to B, as latest_net_G_A.pth, then, where there is one, B to A."""
    name: str
    """The run's name."""
    a: str = "a"
    """Name of domain A. Where it is that of an extracted domain, render finds its clip."""
    b: str = "b"
    """Name of domain B."""
    align: Literal["none", "haar", "yunet", "fan"] = "none"
    """What the generators translate: whole frames, or the face that this follows (as --align of extract)."""
    size: int | None = None
    """Side in pixels of the pictures that they were trained on. None: 256, or what a U-Net is deep for."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions(WhatToTell, DomainsFolder, WhichCheckpoint, WhichRun):
    """Write the generators of a run as files that other programs read."""

    to: Literal["onnx", "torch", "strips"]
    """onnx: G_A.onnx (A to B) and G_B.onnx, for any number of pictures of any height and width that are multiples of 4
    from 8 up, with a U-Net of its depth's power of two (256 for one of 256 px); checked against PyTorch. torch:
    latest_net_G_A.pth and latest_net_G_B.pth, which the authors' programs load under PyTorch 1.6 or newer. strips: the
    run's domains instead, as trainA, trainB, testA, testB for Recycle-GAN's program."""
    output: Path | None = None
    """Folder to write into, over files of the same names. By default exports/RUN. Strips take an empty one."""


@dataclass(frozen=True, kw_only=True)
class ReportOptions(DomainsFolder, WhichRun):
    """Write one page of a run that opens from disk with no network: players, measures, curves, samples, settings."""

    output: Path | None = None
    """The page to write. By default report.html in the run's folder."""


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(DomainsFolder):
    """Look at two domains before training: what they share and lack, what to film, which frames to drop; one page."""

    a: tyro.conf.Positional[str]
    """Domain A: its name or its folder."""
    b: tyro.conf.Positional[str]
    """Domain B."""
    drop: bool = False
    """Move the frames that the page lists out of both domains, into dropped/ in their folders."""
    undo: bool = False
    """Move everything back that was dropped from both."""
    output: Path = Path("doctor.html")
    """The page to write."""


@dataclass(frozen=True, kw_only=True)
class StudyOptions(DomainsFolder):
    """Ask people: a page of blinded, randomised pairs to send around, or the percentages of what they answered."""

    runs: tuple[Path, ...] = ()
    """Runs to judge, after `retarget evaluate` of each: their folders."""
    real: bool = False
    """Real clips against translated ones: which is real? Without it the runs against each other: which is better?"""
    pairs: int = 20
    """Pairs that a person judges, spread evenly over the runs; practice pairs of --real come on top."""
    seed: int = 0
    """Decides moments, order and sides."""
    score: tuple[Path, ...] = ()
    """Files of answers to count, instead of making a page."""
    output: Path = Path("study.html")
    """The page. Its key, which says what was what, lies beside it (study-key.json) and is needed to score."""
