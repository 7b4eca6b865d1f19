"""A GPU that is none: a device of its own whose tensors lie on the CPU, and that keeps the rules of a real one.

An operation on tensors of both devices fails. Inside `untouched` so does whatever makes a real GPU wait for its host or
its host for it: reading a value, or copying from one to the other.

The device has to be known to PyTorch before its first backward pass: for processes of their own.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.accelerators import Accelerator
from lightning_fabric.strategies import SingleDeviceStrategy
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

KIND = "fakegpu"
aten = torch.ops.aten

READING = {
    aten._local_scalar_dense,  # .item(), bool(), tolist() and what prints
    aten.equal,
    aten.is_nonzero,
    aten.masked_select,
    aten.nonzero,
    aten._unique2,
    aten.unique_dim,
    aten.repeat_interleave,
}
"""Operations whose result, or whose size, a host has to wait for."""
COPYING = {aten._to_copy, aten.copy_, aten._pin_memory}
_state = threading.local()


class HostWaitError(AssertionError):
    """A device was made to wait where it should not."""


class DeviceMismatchError(AssertionError):
    """One operation, tensors of two devices."""


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


class OnDevice(torch.Tensor):
    """A tensor of the device. `inner`: where its values are."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> "OnDevice":
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device(KIND, 0),
        )
        made.inner = inner
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class Device(TorchDispatchMode):
    """Inside, tensors can be made on the device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    here = [tensor for tensor in tensors if isinstance(tensor, OnDevice)]
    asked = kwargs.get("device")
    to_device = bool(here) if asked is None else torch.device(asked).type == KIND
    _check(func, here, [tensor for tensor in tensors if not isinstance(tensor, OnDevice)], to_device)
    if to_device and asked is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    inner_args, inner_kwargs = tree_map(lambda x: x.inner if isinstance(x, OnDevice) else x, (args, kwargs))
    result = func(*inner_args, **inner_kwargs)
    if func.overloadpacket is aten.copy_:
        return args[0]
    if not to_device:
        return result
    wrapped = tree_map(lambda x: OnDevice(x) if isinstance(x, torch.Tensor) else x, result)
    return return_and_correct_aliasing(func, args, kwargs, wrapped) if here else wrapped


def _check(func: Any, here: list[torch.Tensor], host: list[torch.Tensor], to_device: bool) -> None:
    """Raises HostWaitError, DeviceMismatchError."""
    kind = func.overloadpacket
    if kind in COPYING:
        if getattr(_state, "untouched", False) and (
            (here and host) or (here and not to_device) or (host and to_device)
        ):
            raise HostWaitError(f"{func} copies between host and device")
        return
    if here and any(tensor.dim() for tensor in host):
        raise DeviceMismatchError(f"{func} is given tensors of host and device")
    if here and kind in READING and getattr(_state, "untouched", False):
        raise HostWaitError(f"{func} makes the host wait for the device")


@contextmanager
def untouched() -> Iterator[None]:
    """Inside, on this thread, host and device leave each other alone."""
    _state.untouched = True
    try:
        yield
    finally:
        _state.untouched = False


class _Accelerator(Accelerator):
    def setup_device(self, device: torch.device) -> None: ...
    def teardown(self) -> None: ...

    @staticmethod
    def parse_devices(devices: Any) -> Any:
        return devices

    @staticmethod
    def get_parallel_devices(devices: Any) -> Any:
        return devices

    @staticmethod
    def auto_device_count() -> int:
        return 1

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return KIND


def fabric_of_the_device() -> Fabric:
    """What trains on it. To be called once a process."""
    _setup_privateuseone_for_python_backend(KIND, backend_module=_Backend())
    strategy = SingleDeviceStrategy(torch.device(KIND, 0), accelerator=_Accelerator())
    fabric = Fabric(strategy=strategy)
    fabric.launch()
    return fabric
