"""`retarget adapt`: what a translation is worth to recognition.

A network that labels pixels learns from labelled pictures of domain A and is tested on B: as they are (source only),
translated to B by a run (adapted), and, as the most there is to be had, from B's own labels (oracle).
"""

import statistics
from typing import Any

import numpy as np

from data.disk import make_folder, write_bytes, write_json
from data.domain.labelled import Labelled, read_labelled
from data.domain.palette import Palette, read_palette
from data.errors import MissingInputError, MissingModelError, SettingsError
from pipelines.places import newest_run, say
from pipelines.world_options import AdaptOptions
from recycle.measures.labels import class_accuracy, class_iou, pixel_accuracy
from recycle.methods.base import Method
from recycle.networks.pretrained import WeightsError
from recycle.networks.tiling import translate_any_size
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.labellers import labeller_file
from recycle.runs.runfolder import load_for_rendering
from recycle.training.labeller import VOID, labelled, shown, train_labeller

TEST_PART = 1 / 3
"""Of B's labelled pictures, the last: to test on."""
SCORES = {"mean IoU": class_iou, "per-pixel accuracy": pixel_accuracy, "per-class accuracy": class_accuracy}
_BATCH = 8


def adapt(options: AdaptOptions) -> None:
    """Trains and tests, and writes adapt.md, adapt.json and labeller.safetensors. Raises RetargetError."""
    if not options.seeds or len(set(options.seeds)) < len(options.seeds):
        raise SettingsError("--seeds: give at least one, and none twice")
    if options.steps < 1:
        raise SettingsError(f"--steps {options.steps}: at least 1")
    run = options.run or newest_run(options.runs)
    try:
        settings, method, step, _ = load_for_rendering(run, options.weights, options.checkpoint, on_note=say)
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    palette = read_palette(options.labels)
    side = settings["config"]["networks"]["size"]
    source, target = (read_labelled(folder, palette, side) for folder in (options.source, options.target))
    own, test = target.parts(TEST_PART)
    if not len(own.pictures) or not len(test.pictures):
        raise SettingsError(f"{options.target}: {len(target.pictures)} pictures are too few to learn from and test on")
    say(f"run {run}, step {step}: {len(source.pictures)} labelled pictures of A, {len(test.pictures)} of B to test on")
    learned_from = {
        "source only": source,
        "adapted": Labelled(_translated(method, source.pictures), source.labels),
        "oracle": own,
    }
    folder = make_folder(options.output or run / "adapt")
    found: dict[str, list[dict[str, float]]] = {}
    for kind, material in learned_from.items():
        for seed in options.seeds:
            try:
                labeller = train_labeller(
                    material.pictures,
                    material.labels,
                    len(palette.classes),
                    network=options.network,
                    steps=options.steps,
                    seed=seed,
                )
            except WeightsError as error:
                raise MissingModelError(str(error)) from error
            found.setdefault(kind, []).append(_scores(labelled(labeller, test.pictures), test.labels, palette))
            say(f"{kind}, seed {seed}: mean IoU {100 * found[kind][-1]['mean IoU']:.1f}")
            if kind == "source only" and seed == options.seeds[0]:
                content = labeller_file(labeller, options.network, palette.classes)
                write_bytes(folder / "labeller.safetensors", content)
    document: dict[str, Any] = {"run": str(run), "step": step, "network": options.network, "steps": options.steps}
    write_json(folder / "adapt.json", document | {"seeds": list(options.seeds), "results": found})
    table = _table(found)
    write_bytes(folder / "adapt.md", table.encode())
    say(f"{table}\n{folder / 'adapt.md'}; labeller.safetensors beside it guards a training: --semantic 1 --guard FILE")


def _translated(method: Method, pictures: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 of A to the like of B."""
    made = []
    for part in np.array_split(pictures, -(-len(pictures) // _BATCH)):
        result = translate_any_size(
            lambda frames: method.translate(frames, "a_to_b"), shown(part), smallest_px=method.smallest_px
        )
        made.append(result.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(made)


def _scores(result: np.ndarray, truth: np.ndarray, palette: Palette) -> dict[str, float]:
    size = len(palette.classes)
    known = truth != VOID
    pairs = truth[known].astype(np.int64) * size + result[known]
    counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
    return {name: score(counts) or 0.0 for name, score in SCORES.items()}


def _table(found: dict[str, list[dict[str, float]]]) -> str:
    """In per cent, mean and standard deviation over the seeds."""
    lines = [f"| learned from | {', % | '.join(SCORES)}, % |", "| --- " * (1 + len(SCORES)) + "|"]
    for kind, scores in found.items():
        cells = []
        for name in SCORES:
            values = [100 * each[name] for each in scores]
            spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
            cells.append(f"{statistics.fmean(values):.1f}{spread}")
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
