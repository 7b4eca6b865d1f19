"""A process that trains every method on a fake GPU and on the CPU, and says what came of each in a line of JSON.

python -m tests.recycle.training.on_fake_gpu FOLDER
"""

import json
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import METHODS
from recycle.networks.features import ContentFeatures
from recycle.training import learner
from recycle.training.growth import Growth
from recycle.training.learner import Learner
from recycle.training.randomness import seed_everything
from recycle.training.readings import Readings
from recycle.training.trainer import train
from tests.fake_gpu import Device, fabric_of_the_device, untouched
from tests.recycle.training.tiny_runs import SETTINGS, SHORT, TINY, batches_of, final_bytes, held_out, windows

CONFIG = replace(SHORT, steps=3, save_every=2, log_every=3, sample_every=3, accelerator="cpu")


def small(name: str) -> MethodConfig:
    """A method's own settings on the smallest networks."""
    config, _ = METHODS[name].defaults("tiny")
    sizes = {
        key: value for key, value in vars(TINY.networks).items() if key == "size" or key.endswith(("filters", "layers"))
    }
    if config.networks.generator != "unet":
        sizes["generator"] = TINY.networks.generator
    phase = {"initial_steps": 1} if config.initial_steps else {}
    return replace(config, networks=replace(config.networks, **sizes), pool_size=3, **phase)


ALL = {name: small(name) for name in METHODS}
ATTENDING, RECOMPUTING = "attention, spectral norm, dropout and hinge", "growing, recomputing"
SPECIAL = {
    ATTENDING: replace(
        ALL["recyclegan"],
        networks=replace(TINY.networks, attention=True, spectral_norm="both", dropout=True),
        adversarial_loss="hinge",
    ),
    RECOMPUTING: replace(ALL["recyclegan"], networks=replace(TINY.networks, grow=16)),
}
CASES = {name: (name, config) for name, config in ALL.items()}
CASES |= {case: ("recyclegan", config) for case, config in SPECIAL.items()}


def bytes_of_pixels(start: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows as they come from disk, uint8."""
    for a, b in batches_of()(start):
        yield tuple(x.add(1).mul(127.5).byte() for x in (a, b))


def one_run(run: Path, fabric: Fabric, case: str) -> None:
    name, config = CASES[case]
    seed_everything(0)
    method = METHODS[name](config)
    if config.weights.content:
        method.content = ContentFeatures(nn.Sequential(nn.Conv2d(3, 4, 3, stride=2))).on(fabric.device)
    train(
        method,
        bytes_of_pixels,
        replace(CONFIG, recompute=case == RECOMPUTING),
        run,
        fabric=fabric,
        settings=SETTINGS | {"method": case},
        sample_windows=windows(),
        held_out=held_out() if case == "recyclegan" else {},
        on_samples=lambda step, samples: None,
        on_note=lambda line: None,
    )


def what_is_wrong(root: Path, device: Fabric, case: str) -> str:
    """Of a run from start to end and one from its first checkpoint: other bytes than each other's or the CPU's."""
    place = root / case
    one_run(place / "cpu", Fabric(accelerator="cpu", devices=1), case)
    with Device():
        one_run(place / "gpu", device, case)
        straight = final_bytes(place / "gpu")
        shutil.rmtree(place / "gpu" / "checkpoints" / "step-00000003")
        one_run(place / "gpu", device, case)
    expected, resumed = final_bytes(place / "cpu"), final_bytes(place / "gpu")
    wrong = [f"{name} is another after a resume" for name in straight if resumed[name] != straight[name]]
    if case != ATTENDING:  # for which a CPU has a kernel of its own
        wrong += [f"{name} is another than on the CPU" for name in expected if straight[name] != expected[name]]
    return "; ".join(wrong)


def watched() -> None:
    """Between the windows' arrival on the device and the reading of losses nothing may wait."""
    for kind, name in ((Learner, "step"), (Readings, "add"), (Growth, "fit")):
        inner = getattr(kind, name)

        def outer(*args, inner=inner, **kwargs):
            with untouched():
                return inner(*args, **kwargs)

        setattr(kind, name, outer)


def faults(device: torch.device) -> dict[str, Callable[[], object]]:
    """What a step must not do."""
    here, host = torch.ones(2, device=device), torch.ones(2)
    return {
        "item": lambda: here[0].item(),
        "bool": lambda: bool(here.sum() > 1),
        "copy there": lambda: host.to(device),
        "copy back": lambda: here.cpu(),
        "two devices": lambda: here + host,
    }


def raised(do: Callable[[], object]) -> str:
    """The name of what it raises."""
    try:
        with untouched():
            do()
    except AssertionError as error:
        return type(error).__name__
    return "nothing"


def main(root: Path) -> None:
    torch.set_num_threads(1)
    learner.BY_PIXELS.clear()  # the layout of GPUs, so that rounding is the same
    device = fabric_of_the_device()
    watched()
    for case in CASES:
        try:
            wrong = what_is_wrong(root, device, case)
        except Exception:
            wrong = traceback.format_exc()
        print(json.dumps([case, wrong]), flush=True)
    with Device():
        for fault, do in faults(device.device).items():
            print(json.dumps([f"fault: {fault}", raised(do)]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
