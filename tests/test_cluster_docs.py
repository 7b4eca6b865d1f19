"""The examples of docs/cluster.md are what shells, Kubernetes and the program itself can read."""

import dataclasses
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tyro
import yaml

from pipelines.cli import COMMANDS
from pipelines.shards import shard_of

TEXT = (Path(__file__).parents[1] / "docs/cluster.md").read_text()


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def options_of(words: list[str]) -> Any:
    """What the program reads from these words."""
    return tyro.cli(COMMANDS[words[0]], args=words[1:], config=(tyro.conf.OmitArgPrefixes,))


@pytest.mark.parametrize("script", examples("sbatch"))
def test_batch_scripts_are_read_by_shells_and_their_commands_by_us(script: str) -> None:
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    for line in re.findall(r"^#SBATCH (.*)$", script, re.MULTILINE):
        assert re.fullmatch(r"--[a-z-]+(=[\w@:-]+)?", line), line
    (command,) = re.findall(r"^srun retarget (.*)$", script, re.MULTILINE)
    options_of(shlex.split(command))


@pytest.mark.parametrize("manifest", examples("yaml"))
def test_manifests_say_all_that_a_shard_has_to_know(manifest: str) -> None:
    job = yaml.safe_load(manifest)
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {item["name"]: item["value"] for item in container["env"]} | {"JOB_COMPLETION_INDEX": "0"}
    assert shard_of(None, environment).of == job["spec"]["completions"]
    assert dataclasses.is_dataclass(options_of(container["args"]))
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("script", examples("sh"))
def test_what_is_typed_for_ray_is_read_by_shells_and_by_us(script: str) -> None:
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    commands = re.findall(r"^retarget (.*)$", script, re.MULTILINE)
    assert [options_of(shlex.split(command)).ray for command in commands] == ["auto", "10.0.0.1:6379"]


def test_there_are_examples() -> None:
    assert [len(examples(kind)) for kind in ("sbatch", "yaml", "sh")] == [2, 1, 1]
