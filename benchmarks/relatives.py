"""Whether each relative does what it is for, on the drawn world.

    python benchmarks/relatives.py [--steps 2000] [--only step stargan combogan pairedcycle augmented adapt]
        [--folder DIR]

step: computing time of a training step and weights beside CycleGAN's, steps of all alternating. stargan, combogan:
frames that a classifier of real frames takes for the domain asked for; a domain added to combogan. pairedcycle: frames
nearest to the drawn look of their reference, of ten. augmented: how far answers differ where ten drawn looks differ,
and where they do not. adapt: mean IoU of source only, adapted, oracle. 64 px, preset tiny, --steps of training for
each run. What is there in --folder is not done again.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.video.reader import read_frames
from recycle.measures.distribution import describe
from recycle.methods import METHODS
from recycle.methods.base import Method, Moment
from recycle.runs.runfolder import load_for_rendering
from recycle.training.labeller import shown
from recycle.training.learner import frozen

PARTS = ("step", "stargan", "combogan", "pairedcycle", "augmented", "adapt")
LOOKS = (0, 3, 6)
"""Of the ten, those that are domains beside the first character."""
ADDED = 8
FREE_LEVELS = 8.0
"""Standard deviation over the ten drawn looks, in grey levels, from which a pixel is free."""
ANSWERS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--folder", type=Path, default=Path("relatives"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for part in options.only:
        for line in globals()[f"{part}_"](Place(options.folder, options.steps)):
            print(line, flush=True)


class Place:
    """The world, its domains, and trainings, each made once."""

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder, self.steps = folder, steps
        self.world = folder / "worlds" / "plain"
        if not (self.world / "world.json").exists():
            self.retarget("world", "--labelled", "--looks", 10, "--frames", 300, "--output", folder / "worlds")

    def retarget(self, *words: object) -> None:
        subprocess.run([sys.executable, "-m", "pipelines.cli", *map(str, words)], check=True, stdout=sys.stderr)

    def domain(self, name: str, *clips: str) -> None:
        if not (self.folder / "domains" / name / "domain.json").exists():
            files = [self.world / f"{clip}.mp4" for clip in clips or (name,)]
            where = ("--domains", self.folder / "domains")
            self.retarget("extract", *files, "--name", name, "--align", "none", "--size", 64, *where)

    def train(self, run: str, *words: object) -> Path:
        where = ("--domains", self.folder / "domains", "--run", self.folder / "runs" / run)
        self.retarget("train", *words, *where, "--preset", "tiny", "--no-crop-jitter", "--steps", self.steps)
        return self.folder / "runs" / run

    def frames(self, clip: str) -> np.ndarray:
        return np.stack([frame.rgb for frame in read_frames(self.world / f"{clip}.mp4")])


def translated(method: Method, way: str, frames: np.ndarray) -> np.ndarray:
    made = torch.cat([method.translate(shown(part), way) for part in np.array_split(frames, -(-len(frames) // 8))])
    return made.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def step_(place: Place) -> Iterator[str]:
    """Alternating steps of the methods, float32, batch 1, one thread."""
    size, names = 64, ("cyclegan", "cut", "fastcut", "augmented", "pairedcycle", "stargan", "combogan")
    steps, weights = {}, {}
    for name in names:
        config, _ = METHODS[name].defaults("tiny")
        config = replace(config, own=config.own | ({"critic_steps": 1.0} if "critic_steps" in config.own else {}))
        method = METHODS[name](config)
        weights[name] = sum(parameter.numel() for parameter in method.parameters())
        steps[name] = one_step(method, torch.rand(2, 1, 1, 3, size, size) * 2 - 1)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(9):
        for name in names:
            began = time.process_time()
            steps[name]()
            taken[name].append(time.process_time() - began)
    base = statistics.median(taken["cyclegan"][2:])
    yield "| method | computing time of a step, of CycleGAN's | weights, of CycleGAN's |\n| --- | --- | --- |"
    for name in names:
        ratio = statistics.median(taken[name][2:]) / base
        yield f"| {name} | {ratio:.2f} | {weights[name] / weights['cyclegan']:.2f} |"


def one_step(method: Method, windows: torch.Tensor):
    halves = (method.generator_parameters(), method.discriminator_parameters())
    adams = [torch.optim.Adam(half, 1e-4, fused=True) for half in halves]
    moment = Moment(1, 0.0)

    def step() -> None:
        with frozen(halves[1]):
            fakes, losses = method.generator_losses(*windows, moment)
            adams[0].zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            adams[0].step()
        adams[1].zero_grad()
        torch.stack(list(method.discriminator_losses(*windows, fakes, moment).values())).sum().backward()
        adams[1].step()

    return step


def reached(place: Place, method: Method, clips: dict[str, str]) -> Iterator[str]:
    """Per way, the part of frames that the nearest mean description of real frames says are of the target."""
    means = {}
    for letter, clip in clips.items():
        means[letter] = np.mean([describe(frame) for frame in place.frames(clip)[::5]], axis=0)

    def named(frame: np.ndarray) -> str:
        seen = describe(frame)
        return min(means, key=lambda letter: float(np.square(means[letter] - seen).sum()))

    real = [named(frame) == letter for letter, clip in clips.items() for frame in place.frames(clip)[1::10]]
    yield f"real frames named right: {100 * np.mean(real):.1f} %"
    right = []
    for way in method.ways:
        frames = place.frames(clips[way[0]])[2::15]
        found = [named(frame) == way[-1] for frame in translated(method, way, frames)]
        right += found
        yield f"{clips[way[0]]} to {clips[way[-1]]}: {100 * np.mean(found):.0f} %"
    yield f"all ways: {100 * np.mean(right):.1f} % of {len(right)} frames"


def four_domains(place: Place) -> dict[str, str]:
    names = ["anna", *(f"look-{look}" for look in LOOKS)]
    for name in names:
        place.domain(name)
    return dict(zip("abcd", names, strict=True))


def stargan_(place: Place) -> Iterator[str]:
    clips = four_domains(place)
    run = place.train("stargan", *clips.values(), "--method", "stargan", "--critic-steps", 1)
    yield f"\nstargan, step {load_for_rendering(run).step}"
    yield from reached(place, load_for_rendering(run).method, clips)


def combogan_(place: Place) -> Iterator[str]:
    clips = four_domains(place)
    run = place.train("combogan", *clips.values(), "--method", "combogan")
    trained = load_for_rendering(run)
    yield f"\ncombogan, step {trained.step}"
    yield from reached(place, trained.method, clips)
    place.domain(f"look-{ADDED}")
    place.train("combogan", "--add", f"look-{ADDED}")
    added = load_for_rendering(run.with_name(f"combogan-look-{ADDED}")).method
    before, after = trained.method.state_dict(), added.state_dict()
    same = all(torch.equal(after[name], value) for name, value in before.items() if "discriminator" not in name)
    yield f"look-{ADDED} added; generators of the old domains the same bytes: {same}"
    yield from reached(place, added, clips | {"e": f"look-{ADDED}"})


def pairedcycle_(place: Place) -> Iterator[str]:
    looks = [f"look-{number}" for number in range(10)]
    place.domain("anna")
    place.domain("looks", *looks)
    run = place.train("pairedcycle", "anna", "looks", "--method", "pairedcycle")
    method = load_for_rendering(run).method
    frames = place.frames("test")[::15]
    truths = [place.frames(f"truth-{look}")[::15].astype(float) for look in looks]
    right, decibels = [], []
    for number, look in enumerate(looks):
        method.hold(reference=shown(place.frames(look)[-1:])[0])
        made = translated(method, "a_to_b", frames).astype(float)
        errors = np.array([np.square(made - truth).mean((1, 2, 3)) for truth in truths])
        right += list(errors.argmin(0) == number)
        decibels.append(10 * np.log10(255**2 / errors[number].mean()))
    yield f"\npairedcycle, step {load_for_rendering(run).step}"
    yield f"nearest to the look of the reference, of ten: {100 * np.mean(right):.1f} % of {len(right)} frames"
    yield f"PSNR against the drawn answer: {np.mean(decibels):.1f} dB"


def augmented_(place: Place) -> Iterator[str]:
    looks = [f"look-{number}" for number in range(10)]
    place.domain("anna")
    place.domain("looks", *looks)
    run = place.train("augmented", "anna", "looks", "--method", "augmented")
    method = load_for_rendering(run).method
    frames = place.frames("test")[::15]
    free = np.std([place.frames(f"truth-{look}")[::15] for look in looks], axis=0).mean(-1) > FREE_LEVELS
    answers = []
    for number in range(ANSWERS):
        method.hold(sample=number)
        answers.append(translated(method, "a_to_b", frames))
    spread = np.std(answers, axis=0).mean(-1)
    yield f"\naugmented, step {load_for_rendering(run).step}: standard deviation over {ANSWERS} answers, grey levels"
    yield f"where ten looks differ ({100 * free.mean():.0f} % of pixels): {spread[free].mean():.1f}"
    yield f"where they do not: {spread[~free].mean():.1f}"


def adapt_(place: Place) -> Iterator[str]:
    place.domain("anna")
    place.domain("ben")
    run = place.train("adapt", "anna", "ben")
    sets = ("--source", place.world / "anna-labelled", "--target", place.world / "ben-labelled")
    if not (run / "adapt" / "adapt.json").exists():
        palette = place.world / "anna-labelled" / "palette.json"
        place.retarget("adapt", "--run", run, *sets, "--labels", palette, "--steps", 300)
    yield f"\nadapt, step {json.loads((run / 'adapt' / 'adapt.json').read_text())['step']}"
    yield (run / "adapt" / "adapt.md").read_text()


if __name__ == "__main__":
    main()
