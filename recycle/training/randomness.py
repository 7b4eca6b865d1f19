"""Everything that is drawn at random comes from the run's seed, and goes on after an interruption where it was."""

import random
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch

_Item = TypeVar("_Item")


def seed_everything(seed: int) -> None:
    """Seeds the generators of torch (on every device), NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def random_states() -> dict[str, Any]:
    """States of the generators: tensors, lists and numbers."""
    name, keys, *rest = np.random.get_state(legacy=True)
    states: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": [str(name), [int(key) for key in keys], *rest],
    }
    if torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_states(states: dict[str, Any]) -> None:
    """Puts back what `random_states` gave."""
    torch.set_rng_state(states["torch"])
    random.setstate(states["python"])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    if "cuda" in states and torch.cuda.is_initialized():
        torch.cuda.set_rng_state(states["cuda"])


def undisturbed(start: Callable[[], Iterator[_Item]]) -> Iterator[_Item]:
    """What the iterator gives that `start` makes, fetched without touching torch's random state.

    A DataLoader draws a seed from it whenever it starts, which a run that goes on does at another place.
    """
    with torch.random.fork_rng(devices=[]):
        stream = start()
    while True:
        with torch.random.fork_rng(devices=[]):
            item = next(stream)
        yield item
