"""Which part a process does: as it is told, or as its cluster says."""

import pytest

from data.errors import SettingsError
from pipelines.shards import Shard, shard_of


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        (None, {}, Shard(0, 1)),
        ("3/4", {"RANK": "0", "WORLD_SIZE": "2"}, Shard(3, 4)),
        (None, {"RANK": "1", "WORLD_SIZE": "2"}, Shard(1, 2)),
        (None, {"JOB_COMPLETION_INDEX": "5", "JOB_COMPLETIONS": "8"}, Shard(5, 8)),
        (None, {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "3"}, Shard(2, 3)),
        (
            None,
            {
                "SLURM_ARRAY_TASK_ID": "14",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_STEP": "2",
                "SLURM_ARRAY_TASK_COUNT": "3",
            },
            Shard(2, 3),
        ),
    ],
)
def test_a_shard_is_what_is_asked_for_or_what_the_cluster_says(
    text: str | None, environment: dict[str, str], shard: Shard
) -> None:
    assert shard_of(text, environment) == shard


@pytest.mark.parametrize("text", ["4/4", "1", "a/b", "-1/2", "0/0", "1/2/3"])
def test_no_shard(text: str) -> None:
    with pytest.raises(SettingsError, match="--shard"):
        shard_of(text, {})


@pytest.mark.parametrize(
    "environment", [{"JOB_COMPLETION_INDEX": "1"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"RANK": "x"}]
)
def test_a_cluster_that_says_half_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="give --shard I/N"):
        shard_of(None, environment)


def test_every_unit_is_one_shards() -> None:
    for count in (1, 2, 3, 7):
        assert [sum(Shard(i, count).takes(unit) for i in range(count)) for unit in range(20)] == [1] * 20
