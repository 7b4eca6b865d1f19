"""What training would take here, found out in seconds and told."""

import time
from typing import TYPE_CHECKING

import torch
from lightning_fabric import Fabric

from data.errors import OutputError
from pipelines.keeping.paces import remember
from pipelines.places import say
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.training.measuring import Taken, measure
from recycle.training.parallel import resolve_precision

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions

SECONDS = 10.0


def tell_pace(options: "TrainOptions", method: Method, fabric: Fabric, domains: int) -> None:
    """Says what a thousand steps take, and keeps it where the settings are a preset's own."""
    side = options.config.networks.size
    taken = measure(method, options.training, fabric, side=side, domains=domains, seconds=SECONDS)
    if fabric.global_rank:
        return
    kind = fabric.device.type
    arithmetic = resolve_precision(options.training.precision, kind)
    hardware = f"{torch.get_num_threads()} threads" if kind == "cpu" else torch.cuda.get_device_name(fabric.device)
    on = ", ".join((kind, arithmetic, hardware.replace("1 threads", "1 thread")))
    say(f"{options.method}, {side} px, batch {options.training.batch_size}: {_told(taken)} ({on})")
    steps = options.training.steps
    if steps:
        say(f"{steps:,} steps take {_span(steps * taken.seconds)}, and samples and checkpoints on top")
    config, training = METHODS[options.method].defaults(options.preset)
    own = options.config == config and options.training.batch_size == training.batch_size
    if own and domains == 2:
        try:
            numbers = {"seconds": taken.seconds, "bytes": taken.bytes}
            remember(options.method, options.preset, numbers | {"on": on, "at": time.time()})
        except OutputError as error:
            say(f"not kept for the studio: {error}")


def _told(taken: Taken) -> str:
    steps = "1 step" if taken.steps == 1 else f"{taken.steps} steps"
    return f"{_span(1000 * taken.seconds)} per 1,000 steps and {taken.bytes / 1e9:.1f} GB of memory, by {steps} here"


def _span(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
