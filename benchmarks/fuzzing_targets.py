"""What `fuzzing.py` gives its inputs to: files as this program writes them to begin with, and what reads them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from data.domain.clipfile import Clip
from data.domain.consent import read_consent
from data.domain.domain import Domain
from data.domain.palette import read_palette
from data.domain.record import Record
from data.errors import RetargetError
from pipelines.pages.answers import FORMAT, Key, read_answers, read_key, seal, write_key
from recycle.config import TrainingConfig, to_json
from recycle.methods import METHODS
from recycle.runs.checkpoint import CheckpointError, load_newest, save
from recycle.runs.runfolder import read_settings, write_settings

Seeds = dict[str, bytes]
Read = Callable[[bytes], object]


def expected() -> tuple[type[Exception], ...]:
    """What may come of a file that is no good: the command line prints it in one line."""
    return RetargetError, CheckpointError


def _domain(folder: Path) -> Domain:
    records = [Record("c", n, n, "1/25", 0, "train", 0, [[1.5, 2.0]], [[1, 0, 0], [0, 1, 0]], 3.0) for n in range(6)]
    clip = Clip("c", "/films/c.mp4", "0" * 64, "video", {"window": 3}, 6, 6, 1, "25", [64, 48], 0, {"range": "tv"})
    domain = Domain(folder / "d", "yunet", 64, [clip], {"looks": [[0.5]], "others": []}, {"av": "18"})
    domain.save(records)
    domain.places(["/films/other.mp4"])  # those of clips that are there are not noted
    return domain


def _of_domain(name: str) -> Callable[[Path], tuple[Seeds, Read]]:
    """One file of a domain; its records' digest is made to fit, so that what lies behind it is reached."""

    def target(folder: Path) -> tuple[Seeds, Read]:
        domain = _domain(folder)
        path = domain.folder / name

        def read(content: bytes) -> None:
            path.write_bytes(_digested(content) if path.parent.name == "clips" else content)
            notes: list[str] = []
            found = Domain.load(domain.folder, notes.append)
            list(found.records())
            found.promised()
            assert not [note for note in notes if "\n" in note]

        return {"written": path.read_bytes()}, read

    return target


def _digested(content: bytes) -> bytes:
    """A clip's file whose first line names the digest of the others, where it is JSON."""
    first, _, lines = content.partition(b"\n")
    try:
        said = json.loads(first)
        said["records_sha256"] = hashlib.sha256(lines).hexdigest()
        return json.dumps(said).encode() + b"\n" + lines
    except (ValueError, TypeError, RecursionError):
        return content


def _run(folder: Path) -> tuple[Seeds, Read]:
    config, _ = METHODS["recyclegan"].defaults("tiny")
    settings = {"method": "recyclegan", "a": "domains/a", "b": "domains/b", "config": to_json(config)}
    write_settings(folder, settings, TrainingConfig(), "float32")

    def read(content: bytes) -> None:
        (folder / "config.json").write_bytes(content)
        read_settings(folder)

    return {"written": (folder / "config.json").read_bytes()}, read


def _checkpoint(name: str) -> Callable[[Path], tuple[Seeds, Read]]:
    def target(folder: Path) -> tuple[Seeds, Read]:
        tensors = {"weights": {"one.weight": torch.zeros(2, 3), "two.bias": torch.zeros(4, dtype=torch.int64)}}
        step = save(folder, 1, tensors, {"seconds": 1.0}, 2)
        path = step / name

        def read(content: bytes) -> None:
            path.write_bytes(content)
            if name != "manifest.json":  # so that the content itself is read
                manifest = json.loads((step / "manifest.json").read_bytes())
                manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                (step / "manifest.json").write_text(json.dumps(manifest))
            notes: list[str] = []
            try:
                load_newest(folder, ("weights",), notes.append)
            finally:
                assert not [note for note in notes if "\n" in note]

        return {"written": path.read_bytes()}, read

    return target


def _palette(suffix: str, written: bytes) -> Callable[[Path], tuple[Seeds, Read]]:
    return _file(f"palette{suffix}", {"written": written}, read_palette)


def _file(name: str, seeds: Seeds, use: Callable[[Path], Any]) -> Callable[[Path], tuple[Seeds, Read]]:
    def target(folder: Path) -> tuple[Seeds, Read]:
        def read(content: bytes) -> None:
            (folder / name).write_bytes(content)
            use(folder / name)

        return seeds, read

    return target


def _study(name: str) -> Callable[[Path], tuple[Seeds, Read]]:
    def target(folder: Path) -> tuple[Seeds, Read]:
        key = Key("real", [("real", "runs/one"), ("runs/one", "real")], "salt")
        write_key(folder / "key.json", key)
        answers = [{"pair": n, "chosen": "left", "milliseconds": 900 + n} for n in range(2)]
        content: dict[str, Any] = {"format": f"retarget answers {FORMAT}", "study": key.study, "person": "x"}
        content["answers"] = answers
        content["seal"] = seal(content)
        (folder / "answers.json").write_text(json.dumps(content))
        seed = (folder / name).read_bytes()

        def read(content: bytes) -> None:
            (folder / name).write_bytes(content)
            read_answers((folder / "answers.json",), read_key(folder / "key.json"))

        return {"written": seed}, read

    return target


_CONSENT = b'who = "A"\nuses = ["research", "film"]\nforbidden = ["ads"]\nuntil = 2027-12-31\nrecord = "folder 7"\n'
TARGETS: dict[str, Callable[[Path], tuple[Seeds, Read]]] = {
    "clip": _of_domain("clips/c.jsonl"),
    "domain": _of_domain("domain.json"),
    "names": _of_domain("names.jsonl"),
    "identity": _of_domain("identity.json"),
    "run": _run,
    "tensors": _checkpoint("weights.safetensors"),
    "manifest": _checkpoint("manifest.json"),
    "palette-json": _palette(".json", b'{"road": [128, 64, 128], "void": [0, 0, 0]}'),
    "palette-csv": _palette(".csv", b"road,128,64,128\nvoid,0,0,0\n"),
    "answers": _study("answers.json"),
    "key": _study("key.json"),
    "consent": _file("consent.toml", {"written": _CONSENT}, read_consent),
}
