"""How much room a training will take."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.domain.domain import Domain
from data.domain.windows import load_size_of
from pipelines.room import Need
from recycle.methods.base import Method
from recycle.runs.checkpoint import WHOLE
from recycle.runs.runfolder import checkpoints_folder

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions


def room_for(options: "TrainOptions", domains: Sequence[Domain], method: Method, run: Path) -> Iterator[Need]:
    """Checkpoints, as many as are kept and the one that is being written, and the pictures of every domain decoded.

    What is there already counts nothing.
    """
    own = sum(parameter.nbytes for parameter in method.parameters())
    light = own + sum(p.nbytes for network in method.generators.values() for p in network.parameters())
    whole = light + 2 * own  # both means of Adam
    count = min(options.training.keep, _checkpoints(options))
    many = min(count, WHOLE) * whole + max(0, count - WHOLE) * light  # the best one may be one more
    there = sum(path.stat().st_size for path in checkpoints_folder(run).glob("step-*/*"))
    yield Need(run, 0.9 * max(0, many - there), max(0, many + whole + light - there))
    side = load_size_of(options.config.networks.size, options.crop_jitter)
    for domain in domains:
        pixels = sum(clip.kept * _pixels(clip.size, side, domain) for clip in domain.clips)
        decoded = sum(path.stat().st_size for path in (domain.folder / ".cache").glob(f"{side}-*/pixels.rgb"))
        yield Need(domain.folder, 0.9 * max(0, 3 * pixels - decoded), max(0, 3 * pixels - decoded))


def _checkpoints(options: "TrainOptions") -> int:
    """How many will be written at most; without an end in steps, as many as are kept."""
    config = options.training
    return config.keep if config.steps is None else max(1, -(-config.steps // config.save_every))


def _pixels(size: Sequence[int], side: int, domain: Domain) -> float:
    """Of a decoded picture: square around a face, else of the clip's shape."""
    longer, shorter = max(size, default=1), max(1, min(size, default=1))
    return side * side * (1 if domain.aligner != "none" else longer / shorter)
