"""How many steps a minute each contender makes on this machine, so that equal minutes can be given in steps."""

import json
import os
import resource
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from data.disk import make_folder, remove_folder, write_json
from data.errors import SettingsError
from pipelines.comparing.setting import Setting
from pipelines.judging.results import processor
from pipelines.places import say
from pipelines.world_options import Contender

ROUNDS = 3
SHORT, LONG = 10, 50
"""Steps of the two trainings of a trial; what both need to start and to end cancels out."""


def steps_in(setting: Setting, contenders: Mapping[Contender, tuple[str, ...]], minutes: float) -> dict[Contender, int]:
    """Steps that each contender makes in so many minutes on one thread that nothing else disturbs.

    A contender is measured once, in seconds of computing, and kept in pace.json with the machine's name. In each of
    three rounds every contender makes a short and a longer training, one after the other, so that what else the machine
    does falls on all alike: its pace is that of the first contender times the median over the rounds of the ratio of
    the two. The first one's is its median. Raises TrainingError, SettingsError.
    """
    path = setting.options.folder / "pace.json"
    known = _read(path)
    missing = [name for name in contenders if name not in known["steps_per_minute"]]
    if missing:
        known = _measured(setting, contenders, missing, known)
        write_json(path, known)
    return {name: max(1, round(known["steps_per_minute"][name] * minutes)) for name in contenders}


def _read(path: Path) -> dict[str, Any]:
    """Raises SettingsError."""
    try:
        known = json.loads(path.read_bytes())
        _ = known["reference"], known["rounds"] + [], {k: float(v) for k, v in known["steps_per_minute"].items()}
        return known
    except FileNotFoundError:
        machine = {"processor": processor(), "cores": os.cpu_count(), "torch": torch.__version__, "threads": 1}
        return {"machine": machine, "reference": None, "steps_per_minute": {}, "rounds": []}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: damaged; remove it, and the paces are measured anew") from error


def _measured(
    setting: Setting,
    contenders: Mapping[Contender, tuple[str, ...]],
    missing: Iterable[Contender],
    known: dict[str, Any],
) -> dict[str, Any]:
    reference = known["reference"] or next(iter(missing))
    if reference not in contenders:
        raise SettingsError(f"--methods: {reference} has to be among them, which the others' pace is measured against")
    names = list(dict.fromkeys([reference, *missing]))
    say(f"measuring steps a minute of {', '.join(names)}: {ROUNDS} rounds, one after the other")
    rounds = [{name: _trial(setting, name, contenders[name]) for name in names} for _ in range(ROUNDS)]
    base = known["steps_per_minute"].get(reference)
    base = base or statistics.median(paces[reference] for paces in rounds)
    found = {name: base * statistics.median(paces[name] / paces[reference] for paces in rounds) for name in names}
    return known | {
        "reference": reference,
        "steps_per_minute": known["steps_per_minute"] | {name: round(pace, 2) for name, pace in found.items()},
        "rounds": [*known["rounds"], *rounds],
    }


def _trial(setting: Setting, name: Contender, words: tuple[str, ...]) -> float:
    """Steps a minute of one short training."""
    run = make_folder(setting.options.folder / "pace") / name
    seconds = []
    for steps in (SHORT, LONG):
        remove_folder(run)
        before = _computed()
        setting.train((setting.worlds[0], name, 0), run, words, steps, run.with_name(f"{name}.log"))
        seconds.append(_computed() - before)
    remove_folder(run)
    return 60 * (LONG - SHORT) / max(seconds[1] - seconds[0], 1e-6)


def _computed() -> float:
    """Seconds that processes started here have computed: not the clock's, which runs on while others compute."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
