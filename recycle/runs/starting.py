"""Beginning with the weights of another run: whichever of its networks fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from torch import Tensor

from recycle.methods.base import Method
from recycle.runs.checkpoint import CheckpointError, load
from recycle.runs.runfolder import checkpoints_folder, read_settings

Take = Literal["both", "generators", "discriminators"]


def begin_from(method: Method, run: Path, take: Take, on_note: Callable[[str], None]) -> None:
    """Gives `method` the weights of the best checkpoint of `run`, an imported one too: the running mean of the
    generators where it is kept. Says which networks were taken and why the others were not.

    A network is taken whole or not at all, by its name (generator_ab translates from A to B), whatever method and
    domains the run has. take: generators with what else the first half of a step trains, discriminators, or both.
    Raises CheckpointError where nothing fits.
    """
    read_settings(run)
    loaded = load(checkpoints_folder(run), "best", groups=("weights", "ema"), on_note=on_note)
    if loaded is None:
        raise CheckpointError(f"{run}: no checkpoint yet to begin from")
    checkpoint = loaded[0]
    weights = checkpoint.tensors["weights"] | checkpoint.tensors.get("ema", {})
    taken, left = [], []
    for name, network in method.named_children():
        judges = name in method.discriminators
        if take != "both" and judges != (take == "discriminators"):
            continue
        of_name = {key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")}
        why = _misfit(network.state_dict(), of_name)
        if why:
            left.append(f"{name} ({why})")
        else:
            network.load_state_dict(of_name)
            taken.append(name)
    if not taken:
        raise CheckpointError(f"{run}: nothing of it fits to begin from: {', '.join(left) or f'it has no {take}'}")
    rest = f"; begun anew: {', '.join(left)}" if left else ""
    on_note(f"begins with {', '.join(taken)} of {run} at step {checkpoint.step}{rest}")


def _misfit(own: dict[str, Tensor], given: dict[str, Tensor]) -> str:
    """Why a network does not take these weights; "" where it does."""
    if not given:
        return "not in it"
    if own.keys() != given.keys():
        return "built otherwise"
    differing = [name for name, value in own.items() if value.shape != given[name].shape]
    return f"another size: {differing[0]}" if differing else ""
