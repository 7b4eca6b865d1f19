"""Many processes that train one set of weights, by Lightning Fabric.

Methods are called through their losses, twice a step, and not through `forward`, which is where DistributedDataParallel
hooks in. So gradients are averaged here, in one exchange an optimiser step.
"""

import os
import platform
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from torch import Tensor, nn

from recycle.config import TrainingConfig
from recycle.training.randomness import seed_everything

Precision = Literal["float32", "tf32", "bfloat16"]


class DeviceError(ValueError):
    """The hardware asked for is not there. One line."""


class ProcessLost(ValueError):  # noqa: N818 (an outcome, not a programming error)
    """One of the processes that train together has ended before the others. One line."""


def make_fabric(config: TrainingConfig) -> Fabric:
    """Joins the processes of this run, or starts them, and seeds them alike: build the method after this call.

    Under torchrun and SLURM their settings say how many processes there are. Otherwise `devices` on each of `nodes`
    machines: by default one process for each GPU, or one on a CPU. Raises DeviceError.
    """
    accelerator = config.accelerator if config.accelerator != "auto" else best_accelerator()
    devices, nodes = _processes(config, accelerator)
    precision = resolve_precision(config.precision, accelerator)
    if precision == "tf32" and accelerator != "cuda":
        raise DeviceError(f"--precision tf32: arithmetic of GPUs, and this is to run on {accelerator}")
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy="ddp" if devices * nodes > 1 else "auto",
            precision="bf16-mixed" if precision == "bfloat16" else "32-true",
        )
        _join_anew(accelerator)
        fabric.launch()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DeviceError(f"--accelerator {accelerator}, {devices} x {nodes} processes: {reason}") from error
    # Shapes stay the same, so the time to try every convolution pays. Same bytes are promised on a CPU only.
    torch.backends.cudnn.benchmark = True
    # PyTorch's defaults take TF32 in convolutions and not in matrix products, whatever was asked for.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision != "float32"
    seed_everything(config.seed)
    return fabric


def resolve_precision(precision: str, device: str) -> Precision:
    """What `auto` means on a kind of device: bfloat16 where the hardware computes in it and does not imitate it."""
    if precision != "auto":
        return cast(Precision, precision)
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device == "cpu" and platform.machine() in ("aarch64", "arm64"):
        fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    elif device == "cpu":  # oneDNN also says yes to AVX512 without bfloat16, where it imitates
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    else:
        fast = False
    return "bfloat16" if fast else "float32"


def share_weights(module: nn.Module) -> None:
    """Gives every process the weights and buffers of the first."""
    if _alone():
        return
    with torch.no_grad(), _together():
        for tensor in (*module.parameters(), *module.buffers()):
            dist.broadcast(tensor, src=0)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces each gradient by its mean over all processes. Which parameters have one is the same on all."""
    if _alone():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    with _together():
        dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def mean_over_processes(values: Tensor) -> Tensor:
    """The mean of a tensor over all processes."""
    if not _alone():
        with _together():
            dist.all_reduce(values)
        values /= dist.get_world_size()
    return values


def largest_over_processes(values: list[float], device: torch.device) -> list[float]:
    """Element by element the largest of all processes, so that all of them decide alike."""
    if _alone():
        return values
    tensor = torch.tensor(values, dtype=torch.float64, device=device)
    with _together():
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return tensor.tolist()


def gather_to_first(item: Any) -> list[Any]:
    """What every process gives, in their order, on the first; an empty list on the others."""
    if _alone():
        return [item]
    items: list[Any] = [None] * dist.get_world_size() if dist.get_rank() == 0 else []
    with _together():
        dist.gather_object(item, items or None, dst=0)
    return items


def from_first(fabric: Fabric, item: Any) -> Any:
    """What the first process gives, on every one. Raises ProcessLost."""
    if _alone():
        return item
    with _together():
        return fabric.broadcast(item)


@contextmanager
def first_of_machine(fabric: Fabric) -> Iterator[None]:
    """What is inside is done by one process of each machine before the others do it. Raises ProcessLost."""
    if _alone():
        yield
        return
    with _together(), fabric.rank_zero_first(local=True):
        yield


def leave_group() -> None:
    """Ends what connects the processes. One that exits without it can abort, after all its work is done."""
    if not _alone():
        dist.destroy_process_group()


@contextmanager
def _together() -> Iterator[None]:
    """What every process takes part in. Raises ProcessLost where one has ended, which its neighbours see at once."""
    try:
        yield
    except RuntimeError as error:
        said = re.sub(r"^\[\S*\] ", "", " ".join(str(error).split())).partition(". ")[0][:160]
        raise ProcessLost(
            f"another process of this training has ended, and says why itself ({said}); the same command on all of "
            "them goes on from the newest checkpoint"
        ) from error


def _alone() -> bool:
    return not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1


def _join_anew(accelerator: str) -> None:
    """Under `torchrun --max-restarts`, keeps what this start writes into torchrun's store from what the one before it
    left there: the addresses of processes that are no more (torch 2.13 shares one store between all starts)."""
    start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if start == "0" or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True" or dist.is_initialized():
        return
    store = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    device = torch.device(accelerator, int(os.environ["LOCAL_RANK"])) if accelerator == "cuda" else None
    if device is not None:
        torch.cuda.set_device(device)
    dist.init_process_group(
        dist.Backend.default_device_backend_map.get(accelerator, "gloo"),
        store=dist.PrefixStore(f"start-{start}", store),
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
        device_id=device,
    )


def best_accelerator() -> str:
    """The fastest hardware there is: cuda, mps or cpu."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _processes(config: TrainingConfig, accelerator: str) -> tuple[int, int]:
    """Processes on a machine, and machines."""
    environ = os.environ
    if TorchElasticEnvironment.detect():
        here = int(environ["LOCAL_WORLD_SIZE"])
        return here, int(environ["WORLD_SIZE"]) // here
    if SLURMEnvironment.detect():
        nodes = int(environ.get("SLURM_NNODES", 1))
        return int(environ["SLURM_NTASKS"]) // nodes, nodes
    return config.devices or (torch.cuda.device_count() if accelerator == "cuda" else 1), config.nodes
