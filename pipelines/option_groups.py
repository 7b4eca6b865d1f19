"""Options that several commands have: each stands once, with its default and its help.

A command's options inherit the groups that it has; the last of its bases comes first in `--help`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from recycle.methods import METHODS

if TYPE_CHECKING:
    MethodName = str
else:
    MethodName = tyro.extras.literal_type_from_choices(METHODS)
METHODS_HELP = "What to train:\n" + "\n".join(f"{row.name}: {row.title}; {row.line}." for row in METHODS.values())


@dataclass(frozen=True, kw_only=True)
class DomainsFolder:
    domains: Path = Path("domains")
    """Folder that domains are kept in."""


@dataclass(frozen=True, kw_only=True)
class RunsFolder:
    runs: Path = Path("runs")
    """Folder that runs are kept in."""


@dataclass(frozen=True, kw_only=True)
class ModelsFolder:
    models: Path | None = None
    """Folder of model files. By default the environment variable RETARGET_MODELS, else the user's cache."""


@dataclass(frozen=True, kw_only=True)
class WhichRun(RunsFolder):
    run: Path | None = None
    """The run's folder. By default the one of runs/ that was trained last."""


@dataclass(frozen=True, kw_only=True)
class WhichCheckpoint:
    checkpoint: Literal["best", "newest"] = "best"
    """The checkpoint that did best on held-out windows while it was trained (the newest where none is known), or the
    newest."""
    weights: Literal["ema", "raw"] = "ema"
    """The running mean of the generators' weights, or those of their last step."""


@dataclass(frozen=True, kw_only=True)
class WhichFace:
    face: str = "largest"
    """Whose face where several people are in the clip: largest (over the whole clip), their number (1 is the most seen;
    retarget extract --people shows them), or a picture of the person. extract also takes all: a domain of each."""


@dataclass(frozen=True, kw_only=True)
class WhatToTell(ModelsFolder):
    into: str | None = None
    """Domain to translate to, by its name or letter, where a run has more than two. By default B."""
    out_of: str | None = None
    """Domain that the clip is of, likewise. By default A."""
    sample: int | None = None
    """Number of the answer, where the method has many (augmented): the same code for the whole clip."""
    reference: Path | None = None
    """Picture of the style to put on, where the method takes one (pairedcycle)."""


@dataclass(frozen=True, kw_only=True)
class TimeRange:
    start: Annotated[str | None, tyro.conf.arg(name="from", metavar="TIME")] = None
    """Take the clip from there on: seconds, m:ss or h:mm:ss from its first frame."""
    stop: Annotated[str | None, tyro.conf.arg(name="to", metavar="TIME")] = None
    """Take the clip up to there."""


@dataclass(frozen=True, kw_only=True)
class Sharded:
    shard: Annotated[str | None, tyro.conf.arg(metavar="I/N")] = None
    """Do part I of N, counted from 0, while others do the other parts on other machines; the last to end puts all
    together. None: what SLURM (job arrays), Kubernetes (indexed jobs) or torchrun says, else everything."""
    ray: Annotated[str | None, tyro.conf.arg(metavar="auto|ADDRESS")] = None
    """Have it done by a Ray cluster whose machines see the same folders (extra cluster): the one that this machine is
    part of, or the one at an address."""


@dataclass(frozen=True, kw_only=True)
class Marking:
    use: str | None = None
    """What the result is for, in the words of the consents that the run's domains keep; wanted where they name uses."""
    mark: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = None
    """Write this on every frame, such as "AI-made"."""
    mark_font: Path | None = None
    """Font file (TrueType, OpenType) for --mark in signs that the built-in one lacks."""
    sign: Annotated[Path | None, tyro.conf.arg(metavar="CHAIN.pem")] = None
    """Sign what is written with C2PA content credentials: your certificate, then those that vouch for it, in PEM.
    .mp4, .m4v, .mov and PNG. Nothing is sent anywhere. Needs the extra provenance."""
    sign_key: Annotated[Path | None, tyro.conf.arg(metavar="KEY.pem")] = None
    """The certificate's private key, in PEM, not encrypted. By default in the file that --sign names."""


@dataclass(frozen=True, kw_only=True)
class Forced:
    force: bool = False
    """Go on where a forecast says that the disk is too small."""


@dataclass(frozen=True, kw_only=True)
class Timed:
    timing: bool = False
    """Say at the end how many frames a second each stage makes by itself (decode, look, crop and so on overlap)."""


@dataclass(frozen=True, kw_only=True)
class Hardware:
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Hardware to compute on."""


@dataclass(frozen=True, kw_only=True)
class TranslatingOptions(Timed, WhatToTell, DomainsFolder, Hardware, WhichFace, WhichCheckpoint, WhichRun):
    scale: str = "native"
    """How large whole frames are when they are translated: native, training (as large as they were learned from, and
    enlarged again), or their shorter side in pixels."""
    batch_size: int | None = None
    """Pictures translated at once; memory grows with them. None: 8 on a GPU, 2 on a CPU."""
