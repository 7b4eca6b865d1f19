"""The generator of preset paper on a CPU: torch in bfloat16 as rendering uses it, ONNX Runtime, OpenVINO.

    python benchmarks/engines.py [--sides 128 256] [--times 4]

Engines alternate on one thread; figures are medians of `process_time`, in ms a picture. Decibels are of each engine's
8-bit pictures against torch's in float32, for random weights and noise. OpenVINO only where it is installed.
"""

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from recycle.methods import METHODS
from recycle.networks.networks import build_generator
from recycle.runs.onnx_export import export_onnx

Engine = Callable[[torch.Tensor], torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--times", type=int, default=4)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    networks = METHODS["cyclegan"].defaults("paper")[0].networks
    generator = build_generator(networks).eval()
    content = export_onnx(generator, networks, {}).content
    engines = engines_of(generator, content)
    print("| engine | side | ms a picture | torch is x times as fast | dB against float32 |\n|---|---|---|---|---|")
    for side in asked.sides:
        picture = torch.rand(1, 3, side, side) * 2 - 1
        seconds: dict[str, list[float]] = {name: [] for name in engines}
        made = {}
        with torch.inference_mode():
            for _ in range(asked.times + 1):
                for name, engine in engines.items():
                    began = time.process_time()
                    made[name] = engine(picture)
                    seconds[name].append(time.process_time() - began)
        truth, first = levels(made["torch, float32"]), statistics.median(seconds["torch, bfloat16"][1:])
        for name, taken in seconds.items():
            own, error = statistics.median(taken[1:]), np.mean((levels(made[name]) - truth) ** 2)
            decibels = 10 * np.log10(255**2 / error) if error else float("inf")
            print(f"| {name} | {side} | {1000 * own:.0f} | {own / first:.2f} | {decibels:.1f} |", flush=True)


def levels(values: torch.Tensor) -> np.ndarray:
    return ((values.float() + 1) * 127.5).round().clamp(0, 255).numpy().astype(float)


def engines_of(generator: torch.nn.Module, content: bytes) -> dict[str, Engine]:
    def halved(picture: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return generator(picture)

    def by_pixels(picture: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return side_by_side(picture.to(memory_format=torch.channels_last))

    side_by_side = copy.deepcopy(generator).to(memory_format=torch.channels_last)
    engines: dict[str, Engine] = {
        "torch, bfloat16": halved,
        "torch, bfloat16, channels_last": by_pixels,
        "torch, float32": generator,
        "ONNX Runtime": onnx(content),
    }
    try:
        engines |= openvino(content)
    except ImportError:
        print("OpenVINO is not here")
    return engines


def onnx(content: bytes) -> Engine:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda picture: torch.from_numpy(session.run(None, {"picture": picture.numpy()})[0])


def openvino(content: bytes) -> dict[str, Engine]:
    import openvino

    core = openvino.Core()
    model = core.read_model(content)
    found: dict[str, Engine] = {}
    for hint in ("bf16", "f32"):
        settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": 1}
        compiled = core.compile_model(model, "CPU", settings)
        found[f"OpenVINO, {hint}"] = lambda picture, run=compiled: torch.from_numpy(run([picture.numpy()])[0].copy())
    return found


if __name__ == "__main__":
    main()
