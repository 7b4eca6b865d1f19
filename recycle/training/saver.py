"""Checkpoints are written from a thread of their own while training goes on."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recycle.runs.checkpoint import save

Groups = dict[str, dict[str, Tensor]]

LASTING = ("weights", "ema")
"""What older checkpoints keep: all that rendering reads."""


class Saver:
    """One save at a time. What went wrong in it, a full disk for one, is raised where the next one is asked for, or
    waited for."""

    def __init__(self, folder: Path, keep: int) -> None:
        """folder, keep: as of `recycle.runs.checkpoint.save`."""
        self._folder, self._keep = folder, keep
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="save")
        self._running: Future[None] | None = None

    def save(self, step: int, groups: Groups, state: dict[str, Any], best: dict[str, Any] | None) -> None:
        """Copies the tensors, which training goes on to change, and has them written.

        Copied on their own device, where that takes next to no time; from there they leave beside training's work.
        Raises OSError of the save before.
        """
        self.wait()
        copies = {
            group: {name: value.detach().clone() for name, value in named.items()} for group, named in groups.items()
        }
        ready = torch.cuda.current_stream().record_event() if torch.cuda.is_initialized() else None
        self._running = self._thread.submit(self._save, step, copies, state, best, ready)

    def wait(self) -> None:
        """Until nothing is being written. Raises OSError of the last save."""
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def close(self) -> None:
        """Ends the thread after what it is doing; what went wrong in it has no say any more."""
        self._thread.shutdown()

    def _save(
        self,
        step: int,
        groups: Groups,
        state: dict[str, Any],
        best: dict[str, Any] | None,
        ready: "torch.cuda.Event | None",
    ) -> None:
        with _beside_training(ready):
            on_host = {group: {name: value.cpu() for name, value in named.items()} for group, named in groups.items()}
        groups.clear()  # a GPU has them back at once
        save(self._folder, step, on_host, state, self._keep, best, LASTING)


def _beside_training(ready: "torch.cuda.Event | None") -> AbstractContextManager[Any]:
    """A queue of a GPU's work apart from that of training, which begins once the copies are made."""
    if ready is None:
        return nullcontext()
    stream = torch.cuda.Stream()
    stream.wait_event(ready)
    return torch.cuda.stream(stream)
