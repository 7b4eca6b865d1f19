"""What a training step keeps in memory, computed from shapes alone: nothing is executed, so any size can be asked."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

from recycle.methods.base import Method, Moment
from recycle.networks.networks import ResidualBlock
from recycle.training.learner import frozen

MOMENTARY = 1.3
"""What kernels take for a moment comes on top of what is kept: about so much in all."""
LEAST_PX = 64
"""Side of pictures that is worth a try."""


def weights_bytes(method: Method) -> int:
    """Weights with their gradient and both means of Adam, and of generators the running mean."""
    of_generators = sum(p.nbytes for network in method.generators.values() for p in network.parameters())
    return 4 * sum(p.nbytes for p in method.parameters()) + of_generators


def kept_bytes(method: Method, size: int, batch: int, *, bfloat16: bool, domains: int = 2) -> int:
    """What the forward of the generators' half, the larger one, saves for its backward. method: built inside a
    FakeTensorMode, in which this is called. size: side of pictures in pixels. batch: windows of each domain."""
    weights = {parameter.untyped_storage()._cdata for parameter in method.parameters()}
    found: dict[int, torch.UntypedStorage] = {}  # held, so that no place is used twice

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            found[storage._cdata] = storage
        return tensor

    blocks = [module for module in method.modules() if isinstance(module, ResidualBlock) and module.recompute]
    for block in blocks:  # what they are computed from anew
        block.register_forward_pre_hook(lambda _, inputs: (keep(inputs[0]),))
    lengths = [method.window * (2 if place and method.companions else 1) for place in range(domains)]
    windows = [torch.rand(batch, length, 3, size, size) for length in lengths]
    with (
        frozen(method.discriminator_parameters()),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=bfloat16),
        _Drawn(),
    ):
        _, losses = method.generator_losses(*windows, Moment(step=1, progress=0.5))
    del losses
    return sum(storage.nbytes() for storage in found.values())


class _Drawn(TorchFunctionMode):
    """Choices that a method draws as numbers are all the first: shapes have no numbers."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (Tensor.__int__, Tensor.item, Tensor.__index__):
            return 0
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Fitting:
    """needed, there: bytes. batch, size: the largest that fit in the place of what was asked for, each with the other
    as it was; None where none does. recompute: whether that alone would do."""

    needed: int
    there: int
    batch: int | None
    size: int | None
    recompute: bool


def fitting(
    method: Callable[[], Method], *, size: int, batch: int, bfloat16: bool, domains: int, there: int
) -> Fitting:
    """What would fit into `there` bytes, about: what is kept grows with the pictures' area. method: makes it.

    Raises whatever a method does that shapes alone cannot tell.
    """
    with FakeTensorMode():
        made = method()
        weights = weights_bytes(made)
        each = MOMENTARY * kept_bytes(made, size, 1, bfloat16=bfloat16, domains=domains)
        made.recompute_blocks(True)
        again = MOMENTARY * kept_bytes(made, size, 1, bfloat16=bfloat16, domains=domains)
    most = int((there - weights) // each)
    sides = [side for side in (size // 2, size // 4, size // 8) if side >= LEAST_PX and side % 4 == 0]
    return Fitting(
        needed=int(weights + batch * each),
        there=there,
        batch=most if 1 <= most < batch else None,
        size=next((side for side in sides if weights + batch * each * (side / size) ** 2 <= there), None),
        recompute=weights + batch * again <= there,
    )


def memory_there(device: torch.device) -> int:
    """Bytes that this process has and may have more: of a GPU, or of the machine within the limits that are set."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    own = _status("VmRSS")
    found = [own + _meminfo()] if _meminfo() else []
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if Path(path).is_file() and (text := Path(path).read_text().strip()).isdecimal():
            found.append(int(text))
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            found.append(max(0, limit - _status("VmSize") + own))
    except ImportError:  # Windows
        pass
    return min(found) if found else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _status(name: str) -> int:
    return _number(Path("/proc/self/status"), name)


def _meminfo() -> int:
    return _number(Path("/proc/meminfo"), "MemAvailable")


def _number(path: Path, name: str) -> int:
    """Of a file of lines "NAME: NUMBER kB", in bytes; 0 where it is not there."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
