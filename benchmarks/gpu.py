"""What the program does on a GPU, in one table: steps, memory, rendering, the demo, precision. Started by gpu.sh.

    python benchmarks/gpu.py [--minutes 9] [--quick]

Needs torch, NumPy, OpenCV, Lightning Fabric, safetensors, TensorBoard and tqdm: no video, no network. --quick shrinks
everything until it runs on a CPU in a minute or two, to see that it runs.
"""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.gpu_demo import demo_minutes, loss_curves
from recycle.config import TrainingConfig
from recycle.methods import METHODS
from recycle.methods.base import Moment
from recycle.networks.networks import build_generator
from recycle.networks.tiling import translate_any_size
from recycle.training.learner import Learner
from tests.literal import literal_step, with_torch_norm

METHODS_TIMED = ("recyclegan", "cyclegan")
PRESET_OF = {32: "tiny", 128: "small", 256: "paper", 512: "paper"}
FIRST = Moment(step=1, progress=0.0)


class Card:
    """The device, its clock and its memory."""

    def __init__(self, quick: bool) -> None:
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.cuda else "cpu")
        self.name = torch.cuda.get_device_name() if self.cuda else "no GPU: CPU"
        self.seconds = 0.2 if quick else 3.0

    def wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def rate(self, work: Callable[[], object], warm_up: int = 3) -> float:
        """Times a second, over `seconds` after some times that are not counted."""
        for _ in range(warm_up):
            work()
        self.wait()
        began, times = time.perf_counter(), 0
        while times < 2 or time.perf_counter() - began < self.seconds:
            work()
            times += 1
            if times % 4 == 0:
                self.wait()
        self.wait()
        return times / (time.perf_counter() - began)

    def peak_gib(self) -> float:
        """Of memory since the last call."""
        if not self.cuda:
            return float("nan")
        peak = torch.cuda.max_memory_allocated() / 2**30
        torch.cuda.reset_peak_memory_stats()
        return peak

    def matrix_flops(self) -> float:
        """Floating point operations a second of a large bfloat16 matrix product."""
        side = 8192 if self.cuda else 512
        a, b = torch.randn(2, side, side, device=self.device, dtype=torch.bfloat16)
        return 2 * side**3 * self.rate(lambda: a @ b)


@contextmanager
def tf32(allowed: bool):
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def steps_table(card: Card, sides: tuple[int, ...], batches: tuple[int, ...], deadline: float) -> None:
    """Ours as it trains (bfloat16, Adam, running mean), and the formulas picture by picture in float32."""
    whole = card.matrix_flops()
    print(f"bfloat16 matrix product: {whole / 1e12:.1f} TFLOP/s\n", flush=True)
    print(
        "| method | side | batch | ours, steps/s | peak, GiB | of the matrix rate | literal | literal, TF32 | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in METHODS_TIMED:
        for side in sides:
            for batch in batches:
                if time.monotonic() > deadline:
                    print(f"| {name} | {side} | {batch} | no time left | | | | | |", flush=True)
                    continue
                try:
                    print(f"| {name} | {side} | {batch} | {_row(card, name, side, batch, whole)} |", flush=True)
                except torch.OutOfMemoryError:
                    print(f"| {name} | {side} | {batch} | out of memory | | | | | |", flush=True)
                    torch.cuda.empty_cache()


def _row(card: Card, name: str, side: int, batch: int, whole: float) -> str:
    config, _ = METHODS[name].defaults(PRESET_OF[side])
    config = replace(config, networks=replace(config.networks, size=side))
    fabric = Fabric(accelerator="cuda" if card.cuda else "cpu", devices=1, precision="bf16-mixed")
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    learner = Learner(METHODS[name](config), TrainingConfig(steps=1000), fabric)
    shape = (2, batch, learner.method.window, 3, side, side)
    a, b = (torch.rand(shape, device=card.device) * 2 - 1).unbind()

    def step() -> None:
        learner.step(FIRST, 2e-4, a, b)

    card.peak_gib()
    rate, peak = card.rate(step), card.peak_gib()
    with FlopCounterMode(display=False) as counter:
        step()
    part = f"{100 * rate * counter.get_total_flops() / whole:.0f} %"
    if batch > 1:
        return f"{rate:.2f} | {peak:.2f} | {part} | | | "
    literal = []
    for allowed in (False, True):
        with tf32(allowed):
            literal.append(card.rate(_literal(name, config, a, b, card.device), warm_up=2))
    return f"{rate:.2f} | {peak:.2f} | {part} | {literal[0]:.2f} | {literal[1]:.2f} | {rate / literal[1]:.2f}"


def _literal(name: str, config, a: torch.Tensor, b: torch.Tensor, device: torch.device) -> Callable[[], None]:
    """A step as published code makes it: picture by picture, torch's InstanceNorm2d, plain Adam, float32."""
    method = METHODS[name](config).to(device)
    with_torch_norm(method)
    halves = method.generator_parameters(), method.discriminator_parameters()
    optimizers = [torch.optim.Adam(half, 2e-4, (0.5, 0.999)) for half in halves]

    def step() -> None:
        for losses, optimizer in zip(literal_step(name, method, config, a, b, method.pools), optimizers, strict=True):
            optimizer.zero_grad()
            sum(losses.values()).backward()
            optimizer.step()

    return step


def render_table(card: Card, quick: bool) -> None:
    """What a frame costs in the generator of preset paper: the face's crop, and whole frames."""
    config, _ = METHODS["recyclegan"].defaults("tiny" if quick else "paper")
    generator = build_generator(config.networks).to(card.device).eval()
    sizes = {"crops of 256 px": (256, 256), "720p whole": (720, 1280), "1080p whole": (1080, 1920)}
    print("\n| generator of preset paper, batch 8, whole frames 1 | float32, frames/s | bfloat16, frames/s |")
    print("|---|---|---|")
    for name, (height, width) in list(sizes.items())[: 1 if quick else 3]:
        count = 8 if height == width else 1
        frames = torch.rand(count, 3, height, width, device=card.device) * 2 - 1
        cells = []
        for dtype in (torch.float32, torch.bfloat16):
            with torch.inference_mode(), torch.autocast(card.device.type, dtype, enabled=dtype != torch.float32):
                cells.append(f"{count * card.rate(lambda frames=frames: translate_any_size(generator, frames)):.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    card = Card(options.quick)
    print(f"{card.name}, torch {torch.__version__}, Python {sys.version.split()[0]}\n")
    sides, batches = ((32,), (1,)) if options.quick else ((128, 256, 512), (1, 8))
    steps_table(card, sides, batches, end - 60 * options.minutes / 2)
    render_table(card, options.quick)
    left = end - time.monotonic()
    demo_minutes(seconds=4 if options.quick else 0.5 * left, quick=options.quick)
    loss_curves(steps=10 if options.quick else 500, seconds=end - time.monotonic(), quick=options.quick)


if __name__ == "__main__":
    main()
