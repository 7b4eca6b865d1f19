"""Training that runs out of memory: what would fit is said instead."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lightning_fabric import Fabric

from data.errors import TrainingError
from pipelines.advice import lacks_memory
from pipelines.places import say
from recycle.methods import METHODS
from recycle.training.memory import Fitting, fitting, memory_there
from recycle.training.parallel import resolve_precision

if TYPE_CHECKING:  # training itself needs no command line
    from pipelines.options import TrainOptions


@contextmanager
def shortages_told(options: "TrainOptions", fabric: Fabric, domains: int) -> Iterator[None]:
    """Raises TrainingError where memory runs out inside, or a process that loads windows dies. What was saved stays."""
    there = memory_there(fabric.device)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if "DataLoader worker" in str(error):
            words = " ".join(str(error).split())
            raise TrainingError(
                f"a process that loads windows died ({words}); the same command goes on; --workers 0 needs none"
            ) from error
        if not lacks_memory(error):
            raise
        error.__traceback__ = None  # which holds what was computed last
        raise TrainingError(_told(options, fabric, domains, there)) from error


def _told(options: "TrainOptions", fabric: Fabric, domains: int, there: int) -> str:
    """A line on what was too much, and what would not be."""
    size, batch = options.config.networks.size, options.training.batch_size
    say("out of memory: what would fit is being computed")
    bfloat16 = resolve_precision(options.training.precision, fabric.device.type) == "bfloat16"
    try:
        found = fitting(
            lambda: METHODS[options.method](options.config, domains),
            size=size, batch=batch, bfloat16=bfloat16, domains=domains, there=there,
        )  # fmt: skip
    except Exception:  # a method whose shapes alone do not tell
        return (
            f"out of memory at {size} px in batches of {batch}; give a smaller --batch-size or --size, or --recompute"
        )
    took = f"out of memory: {size} px in batches of {batch} take about {_size(found.needed)}"
    return f"{took}, and {_size(found.there)} are there; {_advice(found, options)}"


def _advice(found: Fitting, options: "TrainOptions") -> str:
    ways = [f"--batch-size {found.batch}"] if found.batch is not None else []
    ways += [f"--size {found.size}"] if found.size is not None else []
    ways += ["--recompute"] if found.recompute and not options.training.recompute else []
    if not ways:
        return "no smaller batch or picture of these networks fits; give them fewer filters, such as --preset tiny"
    return f"{' or '.join(ways)} would fit (a run that has saved goes on only under its own size and batch)"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
