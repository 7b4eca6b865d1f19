"""What every address of the studio answers from."""

from dataclasses import dataclass

from pipelines.keeping.shelf import Shelf
from pipelines.studio.crops import Grids
from pipelines.studio.guard import Pass
from pipelines.studio.jobs import Jobs
from pipelines.studio.machine import Machine
from pipelines.studio.warm import Warm


@dataclass(frozen=True)
class Studio:
    """What the addresses answer from. upload_bytes: at most, of one file."""

    shelf: Shelf
    jobs: Jobs
    machine: Machine
    grids: Grids
    entry: Pass
    upload_bytes: int
    warm: Warm
