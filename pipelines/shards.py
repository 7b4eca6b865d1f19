"""Which part of the work this process does, where many processes share it by a folder and nothing else."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from data.errors import OutputError, SettingsError
from pipelines.places import say

JOIN = "join"
"""What `retarget join` says in the place of I/N."""
DONE = ("is painted", "is extracted")
"""Ends of the lines by which a shard says that it has done a unit."""


class UnfinishedError(OutputError):
    """What was to be put together is not all there yet. One line: what is missing."""


@dataclass(frozen=True)
class Shard:
    """number: from 0, of `of`. Units are numbered alike by every process; each is one shard's. of: 0 for the one that
    does none of them and puts together what there is."""

    number: int = 0
    of: int = 1

    @property
    def is_all(self) -> bool:
        """Whether there is no other."""
        return self.of == 1

    @property
    def joins(self) -> bool:
        """Whether it only puts together."""
        return self.of == 0

    def takes(self, unit: int) -> bool:
        """Whether the unit of that number is this shard's. They are dealt out in turn, so that shares are even."""
        return not self.joins and unit % self.of == self.number

    def leaves(self, what: str) -> None:
        """Says what others still have to do. Raises UnfinishedError where all of it should be there."""
        if self.joins:
            raise UnfinishedError(f"{what} missing; the same command for the shards again does them")
        say(f"{what} still to come from other shards; the last to end puts all together, and so does retarget join")


def shard_of(text: str | None, environment: Mapping[str, str] = os.environ) -> Shard:
    """What `--shard` says, or else the cluster that started this process; all of it where neither does.

    Raises SettingsError.
    """
    if text == JOIN:
        return Shard(0, 0)
    if text is not None:
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        shard = Shard(*map(int, found.groups())) if found else None
        if shard is None or not shard.number < shard.of:
            raise SettingsError(f"--shard {text}: give I/N, I from 0 to N-1, such as 0/4")
        return shard
    for name, read in _CLUSTERS.items():
        if name in environment:
            try:
                shard = read(environment)
            except (ValueError, KeyError, ZeroDivisionError) as error:
                raise SettingsError(
                    f"{name} is set, and not how many there are ({error}); give --shard I/N, or 0/1 for all of it"
                ) from error
            if not 0 <= shard.number < shard.of:
                raise SettingsError(f"{name}={environment[name]}: not one of {shard.of}; give --shard I/N")
            if not shard.is_all:
                say(f"shard {shard.number} of {shard.of}, by {name}; --shard 0/1 does all of it")
            return shard
    return Shard()


def _slurm(environment: Mapping[str, str]) -> Shard:
    """A task of `sbatch --array`, which may begin anywhere and take steps."""
    first, step = int(environment.get("SLURM_ARRAY_TASK_MIN", 0)), int(environment.get("SLURM_ARRAY_TASK_STEP", 1))
    number = (int(environment["SLURM_ARRAY_TASK_ID"]) - first) // step
    return Shard(number, int(environment["SLURM_ARRAY_TASK_COUNT"]))


_CLUSTERS = {
    "SLURM_ARRAY_TASK_ID": _slurm,
    # Kubernetes tells an indexed job its number alone; the manifest says how many there are (docs/cluster.md).
    "JOB_COMPLETION_INDEX": lambda e: Shard(int(e["JOB_COMPLETION_INDEX"]), int(e["JOB_COMPLETIONS"])),
    "RANK": lambda e: Shard(int(e["RANK"]), int(e["WORLD_SIZE"])),
}
"""Variable that says which one this is -> what it and its neighbours come to."""
