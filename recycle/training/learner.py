"""What one optimisation step changes, and how all of it goes into a checkpoint and comes back."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from recycle.config import TrainingConfig
from recycle.methods.base import Method, Moment
from recycle.runs.checkpoint import Checkpoint
from recycle.runs.packing import pack, unpack
from recycle.training.ema import EMA
from recycle.training.heldout import HeldOut
from recycle.training.parallel import average_gradients, gather_to_first, share_weights
from recycle.training.randomness import random_states, restore_random_states, seed_everything

BY_PIXELS = {"cpu"}
"""Devices that train faster with the channels of a pixel side by side (docs/performance.md)."""


class Learner:
    """Weights, their running mean, optimisers, history pools and random states of one process."""

    def __init__(self, method: Method, config: TrainingConfig, fabric: Fabric) -> None:
        fabric.to_device(method)
        if fabric.device.type in BY_PIXELS:
            method.lay_out_by_pixels()
        method.recompute_blocks(config.recompute)
        self.method, self.fabric = method, fabric
        self.ema = EMA(method.generators, config.ema_decay)
        self._config = config
        # One Adam for all generators and predictors, one for the discriminators, as published.
        self._generators = self._adam(method.generator_parameters())
        self._discriminators = self._adam(method.discriminator_parameters())
        share_weights(method)
        # Weights were drawn alike on all processes; what is drawn from here on is to differ.
        own_seed = config.seed * fabric.world_size + fabric.global_rank
        seed_everything(own_seed)
        method.seed_pools(own_seed)

    def _adam(self, parameters: list[nn.Parameter]) -> torch.optim.Adam:
        betas = (self._config.beta1, self._config.beta2)
        return torch.optim.Adam(parameters, lr=self._config.learning_rate, betas=betas, fused=True)

    def step(self, moment: Moment, rate: float, *windows: Tensor) -> dict[str, Tensor]:
        """A step at a learning rate: generators, against discriminators that are frozen, discriminators, running mean.

        windows: of every domain, on the device. Gives, as scalars there without waiting for it, what is to be logged:
        `generators` and `discriminators`, the sums that were minimised, every loss, and the norms of both gradients.
        """
        with frozen(self.method.discriminator_parameters()):
            with self.fabric.autocast():
                fakes, generator_losses = self.method.generator_losses(*windows, moment)
            generators, generator_gradient = self._descend(generator_losses, self._generators, rate)
        with self.fabric.autocast():
            discriminator_losses = self.method.discriminator_losses(*windows, fakes, moment)
        discriminators, discriminator_gradient = self._descend(discriminator_losses, self._discriminators, rate)
        self.ema.update(moment.step)
        losses = {name: loss.detach() for name, loss in (generator_losses | discriminator_losses).items()}
        return {
            "generators": generators,
            "discriminators": discriminators,
            **losses,
            "generator_gradient": generator_gradient,
            "discriminator_gradient": discriminator_gradient,
        }

    def _descend(self, losses: dict[str, Tensor], optimizer: torch.optim.Adam, rate: float) -> tuple[Tensor, Tensor]:
        """One step down the sum of `losses`, taken in float32. Gives the sum and the norm of its gradient.

        No step where nothing asks for a gradient.
        """
        nothing = torch.zeros((), device=self.fabric.device)
        total = torch.stack([loss.float() for loss in losses.values()]).sum() if losses else nothing
        if not total.requires_grad:
            return total, nothing
        (group,) = optimizer.param_groups
        group["lr"] = rate
        optimizer.zero_grad()
        total.backward()
        average_gradients(group["params"])
        norm = torch.nn.utils.get_total_norm([p.grad for p in group["params"] if p.grad is not None])
        optimizer.step()
        return total.detach(), norm

    def samples(self, *windows: Tensor) -> dict[str, Tensor]:
        """What the method shows of windows of every domain, by the running mean: float32 (B, 3, H, W) on the CPU."""
        device = self.fabric.device
        with self.ema.applied(), self.fabric.autocast():
            samples = self.method.samples(*(each.to(device) for each in windows))
        return {name: pictures.float().cpu() for name, pictures in samples.items()}

    def judged(self, held_out: HeldOut) -> dict[str, float]:
        """The parts of the score of the running mean, in float32 as rendering computes."""
        with self.ema.applied():
            return held_out.parts(self.fabric.device)

    def not_finite(self) -> str | None:
        """Name of a weight that holds an infinity or no number."""
        weights = self.method.state_dict()
        good = torch.stack([torch.isfinite(value).all() for value in weights.values()]).cpu()  # one wait
        return next((name for name, whole in zip(weights, good.tolist(), strict=True) if not whole), None)

    def snapshot(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
        """Groups of tensors and JSON for a checkpoint, complete on the first process. All processes have to call it."""
        own: dict[str, Tensor] = {}
        packed = pack({"random": random_states(), "pools": self.method.pool_state()}, own)
        processes = gather_to_first((packed, {name: tensor.cpu() for name, tensor in own.items()}))
        optimizers: dict[str, Tensor] = {}
        states = [self._generators.state_dict(), self._discriminators.state_dict()]
        state = {"optimizers": pack(states, optimizers), "processes": [packed for packed, _ in processes]}
        groups = {"weights": self.method.state_dict(), "ema": self.ema.weights, "optimizers": optimizers}
        groups |= {f"process-{rank:04d}": tensors for rank, (_, tensors) in enumerate(processes)}
        return groups, state

    def restore(self, checkpoint: Checkpoint) -> str | None:
        """Goes on where `snapshot` was taken. A line where it was taken of another number of processes."""
        state, tensors = checkpoint.state, checkpoint.tensors
        self.method.load_state_dict(tensors["weights"])
        self.ema.load(tensors["ema"])
        parts = unpack(state["optimizers"], tensors["optimizers"])
        for optimizer, part in zip((self._generators, self._discriminators), parts, strict=True):
            optimizer.load_state_dict(part)
            _lay_out_like_weights(optimizer)
        rank, count, before = self.fabric.global_rank, self.fabric.world_size, len(state["processes"])
        if rank < before:
            own = unpack(state["processes"][rank], tensors[f"process-{rank:04d}"])
            restore_random_states(own["random"])
            pictures, pool_states = own["pools"]
            on_device = {name: kept.to(self.fabric.device) for name, kept in pictures.items()}
            self.method.load_pool_state(on_device, pool_states)
        return None if before == count else f"{count} processes from here on, {before} until now"


def _lay_out_like_weights(optimizer: torch.optim.Optimizer) -> None:
    """Fused optimisers go through weights and what they keep of them as both lie in memory."""
    for weight, kept in optimizer.state.items():
        for name, value in kept.items():
            if value.shape == weight.shape and value.stride() != weight.stride():
                kept[name] = torch.empty_like(weight).copy_(value)


@contextmanager
def frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """What is computed inside leads gradients through the parameters' network but none into them, which saves time."""
    asking = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in asking:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in asking:
            parameter.requires_grad_(True)
