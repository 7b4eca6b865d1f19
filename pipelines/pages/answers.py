"""What people answered in a study: the key to its pairs, the files they saved, and the percentages.

A file of answers carries a seal over its content, which finds what was damaged or changed by hand. It is no proof
against somebody who computes a new seal: nothing that works offline in a browser can be.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from scipy.stats import binomtest

from data.disk import write_json
from data.errors import MissingInputError, RetargetError, SettingsError

FORMAT = 1
REAL = "real"
Kind = Literal["real", "methods"]
Side = Literal["left", "right"]


@dataclass(frozen=True)
class Key:
    """What was what. pairs: (left, right) of each pair: a run's folder as it was named, or "real". salt: what nobody
    can guess who has the page alone."""

    kind: Kind
    pairs: list[tuple[str, str]]
    salt: str

    @property
    def study(self) -> str:
        """Names the study, in its page too; changes with anything in the key, and tells none of it."""
        return hashlib.sha256(json.dumps([FORMAT, self.kind, self.pairs, self.salt]).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Share:
    """How often `what` was chosen, with the 95 % interval of Wilson 1927, as parts of 1. Counts answers as independent,
    though several of one person are less than that."""

    what: str
    chosen: int
    asked: int

    @property
    def interval(self) -> tuple[float, float]:
        found = binomtest(self.chosen, self.asked).proportion_ci(0.95, method="wilson")
        return found.low, found.high

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.what}: {100 * self.chosen / self.asked:.1f} % ({self.chosen} of {self.asked}), "
            f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"
        )


def key_path(page: Path) -> Path:
    """Where the key of a study's page lies."""
    return page.with_name(f"{page.stem}-key.json")


def write_key(path: Path, key: Key) -> None:
    """Raises OutputError."""
    write_json(path, {"format": FORMAT, "study": key.study, "kind": key.kind, "pairs": key.pairs, "salt": key.salt})


def read_key(path: Path) -> Key:
    """Raises MissingInputError, SettingsError."""
    try:
        content = json.loads(path.read_bytes())
        key = Key(content["kind"], [(str(left), str(right)) for left, right in content["pairs"]], content["salt"])
        if content["format"] != FORMAT or key.study != content["study"]:
            raise ValueError
        return key
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no key there; say with --output where the study's page lies") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SettingsError(f"{path}: damaged, or no study's key; without it nothing can be scored") from error


def read_answers(paths: tuple[Path, ...], key: Key) -> list[tuple[int, Side]]:
    """All answers as (pair, side). Raises MissingInputError, SettingsError for a file that is not what a person saved
    at the end of this study."""
    answers: list[tuple[int, Side]] = []
    people: dict[str, Path] = {}
    for path in paths:
        content = _read_session(path)
        if content["study"] != key.study:
            raise SettingsError(f"{path}: answers to another study; leave it out, or name its page with --output")
        found = content["answers"]
        whole = sorted(answer["pair"] for answer in found) == list(range(len(key.pairs)))
        if content["seal"] != seal(content) or not whole:
            raise SettingsError(f"{path}: not as it was saved: changed or damaged; leave it out")
        if content["person"] in people:
            raise SettingsError(f"{path}: the same session as {people[content['person']]}; give each once")
        people[content["person"]] = path
        answers += [(answer["pair"], answer["chosen"]) for answer in found]
    return answers


def _read_session(path: Path) -> dict[str, Any]:
    """A file in the shape of answers. Raises MissingInputError, SettingsError."""
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != f"retarget answers {FORMAT}":
            raise ValueError
        kinds = {"study": str, "person": str, "seal": str, "answers": list}
        shaped = all(isinstance(content[name], kind) for name, kind in kinds.items())
        for answer in content["answers"]:
            whole = all(type(answer[name]) is int for name in ("pair", "milliseconds"))
            shaped &= whole and answer["chosen"] in ("left", "right")
        if not shaped:
            raise ValueError
        return content
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no such file of answers") from None
    except RetargetError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SettingsError(f"{path}: not a file that a study's page saved; leave it out") from error


def seal(content: dict[str, Any]) -> str:
    """SHA-256 of the lines "study", "person" and "pair chosen milliseconds" of each answer, as the page computes it."""
    lines = [f"{answer['pair']} {answer['chosen']} {answer['milliseconds']}" for answer in content["answers"]]
    return hashlib.sha256("\n".join([content["study"], content["person"], *lines]).encode()).hexdigest()


def shares(key: Key, answers: list[tuple[int, Side]]) -> list[Share]:
    """How often each run was taken for real, or each of two runs was preferred to the other."""
    counts: dict[str, list[int]] = {}
    for pair, side in answers:
        left, right = key.pairs[pair]
        chosen = left if side == "left" else right
        if key.kind == "real":
            (run,) = {left, right} - {REAL}
            name, hit = f"{run} taken for real", chosen == run
        else:
            first, second = sorted((left, right))
            name, hit = f"{first} preferred to {second}", chosen == first
        count = counts.setdefault(name, [0, 0])
        count[0] += hit
        count[1] += 1
    return [Share(name, chosen, asked) for name, (chosen, asked) in sorted(counts.items())]
