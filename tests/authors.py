"""What the Recycle-GAN authors' own code gave: where its cases begin, and its losses, gradients and outputs."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from recycle.config import LossWeights, MethodConfig, NetworkConfig
from recycle.methods import METHODS
from recycle.methods.base import Method
from tests.literal import FIRST

PARITY = Path(__file__).parents[2] / "shared" / "parity"
with_their_numbers = pytest.mark.skipif(not PARITY.exists(), reason=f"no {PARITY}: numbers of the authors' code")

THEIR_NETWORKS = NetworkConfig(size=128, generator_filters=4, predictor_filters=4, discriminator_filters=4)
CASES = {
    "recyclegan": ("recyclegan", LossWeights(recurrent=10.0, recycle=10.0)),
    "recyclegan_predictor_adversarial": (
        "recyclegan",
        LossWeights(recurrent=10.0, recycle=10.0, predictor_adversarial=1.0),
    ),
    "recyclegan_cycle_identity": (
        "recyclegan",
        LossWeights(recurrent=10.0, recycle=10.0, cycle=10.0, identity=5.0),
    ),
    "cyclegan_identity": ("cyclegan", LossWeights(cycle=10.0, identity=5.0)),
}
AUTHORS_NETWORKS = {
    "G_A": "generator_ab",
    "G_B": "generator_ba",
    "P_A": "predictor_a",
    "P_B": "predictor_b",
    "D_A": "discriminator_b",
    "D_B": "discriminator_a",
}
AUTHORS_LOSSES = {
    "loss_idt_A": "identity_b",  # their G_A on B's frames
    "loss_idt_B": "identity_a",
    "loss_G_A": "adversarial_ab",
    "loss_G_B": "adversarial_ba",
    "loss_pred_A": "recurrent_a",
    "loss_pred_B": "recurrent_b",
    "loss_pred_A_adversarial": "predictor_adversarial_a",
    "loss_pred_B_adversarial": "predictor_adversarial_b",
    "loss_recycle_A": "recycle_a",
    "loss_recycle_B": "recycle_b",
    "loss_cycle_A": "cycle_a",
    "loss_cycle_B": "cycle_b",
    "loss_D_A": "discriminator_b",
    "loss_D_B": "discriminator_a",
}


def our_name(field: str, case: str) -> str:
    """The authors' `recycle_gan` calls its recycle term cycle."""
    if case in ("recyclegan", "recyclegan_predictor_adversarial"):
        field = field.replace("cycle", "recycle")
    return AUTHORS_LOSSES[field]


@dataclass
class Start:
    """Where a case begins: a method with its weights, and windows (1, T, 3, H, W)."""

    name: str
    config: MethodConfig
    method: Method
    a: Tensor
    b: Tensor


def their_start(case: str, dtype: torch.dtype) -> Start:
    name, weights = CASES[case]
    config = MethodConfig(THEIR_NETWORKS, weights)
    method = METHODS[name](config).to(dtype)
    tensors = load_file(PARITY / f"{case}.safetensors")
    for theirs, ours in AUTHORS_NETWORKS.items():
        state = {key.split(".", 1)[1]: value for key, value in tensors.items() if key.startswith(f"{theirs}.")}
        if hasattr(method, ours):
            getattr(method, ours).load_state_dict(state, strict=True)
        else:
            assert not state
    a, b = (tensors[domain][None, : method.window].to(dtype) for domain in "ab")
    return Start(name, config, method, a, b)


@dataclass
class Run:
    """Losses of three optimisation steps, and the norms of the first step's gradients by network."""

    losses: list[dict[str, float]]
    norms: dict[str, float]


def their_run(case: str) -> Run:
    steps = json.loads((PARITY / f"{case}.json").read_text())["steps"]
    return Run(
        [{our_name(field, case): loss for field, loss in step["losses"].items() if loss} for step in steps],
        {AUTHORS_NETWORKS[key]: norm for key, norm in steps[0]["gradient_norm"].items()},
    )


def their_outputs(case: str) -> dict[str, Tensor]:
    tensors = load_file(PARITY / f"{case}.safetensors")
    return {key.removeprefix("first_step."): value for key, value in tensors.items() if key.startswith("first_step.")}


@torch.no_grad()
def first_outputs(start: Start) -> dict[str, Tensor]:
    """By the authors' names, every fourth pixel."""
    fakes, _ = start.method.generator_losses(start.a, start.b, FIRST)
    found = {}
    for domain, letter in (("a", "A"), ("b", "B")):
        names = ("fake_{}0", "fake_{}1", "fake_{}2", "pred_{}2") if start.method.window == 3 else ("fake_{}",)
        found |= {name.format(letter): p for name, p in zip(names, fakes[domain].split(1), strict=True)}
    last_a, last_b = (found.get(f"fake_{letter}2", found.get(f"fake_{letter}")) for letter in "AB")
    found |= {"rec_A": start.method.translate(last_b, "b_to_a"), "rec_B": start.method.translate(last_a, "a_to_b")}
    return {name: picture[..., ::4, ::4] for name, picture in found.items()}
