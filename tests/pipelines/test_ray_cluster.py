"""A real Ray cluster of two nodes on this machine, of which one is killed while it works."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import run
from tests.pipelines.runs import draw, one_error, train_drawn
from tests.pipelines.shells import ROOT, content, start

NODE = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1"}
WORDS = ("--name", "d", "--align", "none", "--size", "32")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head with one core, on this machine's own address alone."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # A cluster on this machine alone: else Ray looks for it at the outer address.
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="no Ray here: pip install -e '.[cluster]'")
    head = NODE | {"include_dashboard": False}
    made = _begun(lambda: cluster_utils.Cluster(initialize_head=True, head_node_args=head))
    yield made
    made.shutdown()


def _begun(begin: Callable[[], Any]) -> Any:
    """What `begin` gives; Ray waits for its own processes for half a minute alone, which a busy machine needs."""
    for _ in range(3):
        with contextlib.suppress(Exception):
            return begin()
    return begin()


@pytest.mark.slow
def test_one_of_two_nodes_is_killed_and_the_bytes_are_the_same(place: Path, cluster: Any) -> None:
    clips = [draw(place / f"{name}.mp4", frames=9, seed=ord(name)).name for name in "pqrst"]
    assert run(["extract", *clips, *WORDS, "--domains", "one"]) == 0
    node = _begun(lambda: cluster.add_node(**NODE))
    process = start("extract", *clips, *WORDS, "--domains", "many", "--ray", cluster.address)
    deadline = time.monotonic() + 240
    while not list(place.glob("many/d/clips/?.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.01)
    cluster.remove_node(node, allow_graceful=False)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    assert "5 parts, 1 CPU and 0 GPU each; 2 places" in said
    assert content(place / "many/d") == content(place / "one/d")

    train_drawn(place, steps=3)
    words = ["render", "--input", "p.mp4", "q.mp4", "--output"]
    assert run([*words, "one"]) == 0
    process = start(*words, "many", "--ray", cluster.address)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0 and said.count("is painted") == 2, said
    assert all((place / "many" / path.name).read_bytes() == path.read_bytes() for path in place.glob("one/*.mp4"))


def test_no_cluster_is_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray", reason="no Ray here: pip install -e '.[cluster]'")
    draw(place / "a.mp4", frames=9)
    assert "leave --shard" in one_error(capsys, "extract", "a.mp4", *WORDS, "--ray", "auto", "--shard", "0/2")
    assert "leave --shard" in one_error(capsys, "join", "extract", "a.mp4", *WORDS, "--ray", "auto")
    nobody = one_error(capsys, "extract", "a.mp4", *WORDS, "--ray", "127.0.0.1:1")
    assert "--ray 127.0.0.1:1: no cluster there (Connection refused)" in nobody
    if not os.environ.get("RAY_ADDRESS"):
        assert "--ray auto: no cluster there" in one_error(capsys, "extract", "a.mp4", *WORDS, "--ray", "auto")
