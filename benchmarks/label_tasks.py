"""Photos to labels and back on a folder of a published set: the rows of CycleGAN's Tables 2 to 5 (Zhu et al. 2017).

    python benchmarks/label_tasks.py --data FOLDER --minutes 30 [--size 64] [--rows cyclegan pix2pix] [--work FOLDER]

FOLDER is read as it comes: CamVid (701_StillsRaw_full, LabeledApproved_full, label_colors.txt), the CMP facades (base
with a .jpg and a .png of each name, or that folder itself), facades as pix2pix's authors lay them out (train, val, test
of photo and labels side by side), or images/, labels/ and palette.json. The minutes are shared evenly by the rows.
Every fifth picture is tested on, where the set does not say. Photos to labels: nearest colours of the palette (Tables 3
and 5). Labels to photos: a small network that learned on the photos of the training part labels what was made, the
score that the paper takes from an FCN (Tables 2 and 4). What is there in --work is not done again.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.domain.labelled import read_labelled
from data.domain.palette import Palette, read_palette
from data.domain.pictures import read_picture, resize, write_sheet
from recycle.measures.labels import Confusion, class_accuracy, class_iou, pixel_accuracy
from recycle.runs.runfolder import load_for_rendering
from recycle.training.labeller import labelled, shown, train_labeller

ROWS: dict[str, tuple[str, ...]] = {
    "cyclegan": ("--method", "cyclegan", "--identity", "0"),
    "cycle alone": ("--method", "cyclegan", "--identity", "0", "--adversarial", "0"),
    "GAN alone": ("--method", "cyclegan", "--identity", "0", "--cycle", "0"),
    "GAN + forward cycle": ("--method", "cyclegan", "--identity", "0", "--cycle-direction", "forward"),
    "GAN + backward cycle": ("--method", "cyclegan", "--identity", "0", "--cycle-direction", "backward"),
    "equivariant": ("--method", "equivariant"),
    "cut": ("--method", "cut"),
    "pix2pix": ("--method", "pix2pix"),
}
"""Row -> what `retarget train` is given. cut and pix2pix go one way: both are trained, in half the time each."""
ONE_WAY = ("cut", "pix2pix")
TEST_EVERY = 5
LABELLER_STEPS = 500
Pair = tuple[np.ndarray, np.ndarray]
"""A photo and its label map, (H, W, 3) uint8 RGB."""
FACADES = {
    "background": (0, 0, 170), "facade": (0, 0, 255), "window": (0, 85, 255), "door": (0, 170, 255),
    "cornice": (0, 255, 255), "sill": (85, 255, 170), "balcony": (170, 255, 85), "blind": (255, 255, 0),
    "deco": (255, 170, 0), "molding": (255, 85, 0), "pillar": (255, 0, 0), "shop": (170, 0, 0),
}  # fmt: skip
"""Of the CMP facades, in the colours of their label maps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--work", type=Path, default=Path("label-tasks"))
    options = parser.parse_args()
    palette = prepare(options.data, options.work, options.size)
    domains = options.work / "domains"
    if not (domains / "task-B").is_dir():
        retarget("extract", options.work / "set", "--name", "task", "--size", options.size, "--domains", domains)
    minutes = options.minutes / len(options.rows)
    found = {}
    for row in options.rows:
        ways = [("task-A", "task-B"), ("task-B", "task-A")] if row in ONE_WAY else [("task-A", "task-B")]
        runs = [options.work / "runs" / f"{row.replace(' ', '-')}-{a[-1]}{b[-1]}" for a, b in ways]
        for (a, b), run in zip(ways, runs, strict=True):
            shared = ("--preset", "tiny", "--size", options.size, "--domains", domains, "--run", run)
            retarget("train", a, b, *ROWS[row], *shared, "--minutes", minutes / len(ways))
        found[row] = scores(options.work, runs, palette, options.size)
    for title, place in (("Labels to photos (Tables 2 and 4)", 1), ("Photos to labels (Tables 3 and 5)", 0)):
        print(f"\n{title}, {options.size} px, {minutes:g} minutes a row\n")
        print("| row | per-pixel accuracy | per-class accuracy | class IoU |\n| --- | --- | --- | --- |")
        for row, both in found.items():
            print(f"| {row} | {' | '.join(f'{value:.3f}' for value in both[place])} |")


def retarget(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "pipelines.cli", *map(str, words)], check=True)


def prepare(data: Path, work: Path, size: int) -> Palette:
    """Writes set/trainA and so on, and train/images, train/labels, test/..., squares of `size`; gives the palette."""
    pairs, palette = read(data)
    if not (work / "palette.json").exists():
        for number, (test, (photo, label_map)) in enumerate(pairs):
            part = "test" if test else "train"
            for picture, letter, kind in ((photo, "A", "images"), (label_map, "B", "labels")):
                square = squared(picture, size, exact=kind == "labels")
                for folder in (work / "set" / f"{part}{letter}", work / part / kind):
                    folder.mkdir(parents=True, exist_ok=True)
                    write_sheet(folder / f"{number:05d}.png", square)
        (work / "palette.json").write_text(json.dumps({n: list(c) for n, c in palette.items()}))
    return read_palette(work / "palette.json")


def read(data: Path) -> tuple[Iterator[tuple[bool, Pair]], dict[str, tuple[int, ...]]]:
    """Whether a pair is tested on, and the pair; and the colours of the classes."""
    if (data / "label_colors.txt").is_file():
        lines = (data / "label_colors.txt").read_text().splitlines()
        rows = [re.split(r"\s+", line.strip()) for line in lines if line.strip()]
        colours = {row[3].lower(): tuple(map(int, row[:3])) for row in rows}
        photos = sorted((data / "701_StillsRaw_full").glob("*.png"))
        files = [(path, data / "LabeledApproved_full" / f"{path.stem}_L.png") for path in photos]
        return every_fifth([pair for pair in files if pair[1].is_file()]), colours
    if (data / "train").is_dir() and any((data / "train").glob("*.jpg")):
        return side_by_side(data), FACADES
    if (data / "images").is_dir():
        photos = sorted((data / "images").iterdir())
        labels = {path.stem: path for path in (data / "labels").iterdir()}
        palette = read_palette(data / "palette.json")
        colours = dict(zip(palette.names, (tuple(map(int, c)) for c in palette.colours), strict=True))
        return every_fifth([(path, labels[path.stem]) for path in photos]), colours
    base = data / "base" if (data / "base").is_dir() else data
    files = [(path, path.with_suffix(".png")) for path in sorted(base.glob("*.jpg"))]
    files = [pair for pair in files if pair[1].is_file()]
    if not files:
        sys.exit(f"{data}: neither CamVid nor facades, nor images/, labels/ and palette.json")
    return every_fifth(files), FACADES


def every_fifth(files: list[tuple[Path, Path]]) -> Iterator[tuple[bool, Pair]]:
    for number, (photo, label_map) in enumerate(files):
        yield number % TEST_EVERY == TEST_EVERY - 1, (read_picture(photo), read_picture(label_map))


def side_by_side(data: Path) -> Iterator[tuple[bool, Pair]]:
    for part in ("train", "val", "test"):
        for path in sorted((data / part).glob("*.jpg")):
            both = read_picture(path)
            middle = both.shape[1] // 2
            yield part != "train", (both[:, :middle], both[:, middle:])


def squared(picture: np.ndarray, size: int, exact: bool) -> np.ndarray:
    """The whole picture, pressed into a square as the papers do. exact: one of its pixels for each, never a mean."""
    if not exact:
        return resize(picture, (size, size))
    rows, columns = ((np.arange(size) + 0.5) * length / size for length in picture.shape[:2])
    return np.ascontiguousarray(picture[rows.astype(int)][:, columns.astype(int)])


def scores(work: Path, runs: list[Path], palette: Palette, size: int) -> tuple[list[float], list[float]]:
    """Per pixel, per class, IoU: of photos to labels and of labels to photos."""
    train, test = (read_labelled(work / part, palette, size) for part in ("train", "test"))
    maps = [squared(read_picture(path), size, exact=True) for path in sorted((work / "test" / "labels").iterdir())]
    made_maps = translated(runs[0], "a_to_b", test.pictures)
    to_labels, to_photos = (Confusion(palette.colours, palette.void) for _ in range(2))
    for made, truth in zip(made_maps, maps, strict=True):
        to_labels.add(made, truth)
    count = len(palette.classes)
    judge = train_labeller(train.pictures, train.labels, count, network="small", steps=LABELLER_STEPS, seed=0)
    way = "a_to_b" if len(runs) == 2 else "b_to_a"
    colours = np.delete(palette.colours, [] if palette.void is None else [palette.void], axis=0)
    for made, truth in zip(labelled(judge, translated(runs[-1], way, np.stack(maps))), maps, strict=True):
        to_photos.add(colours[made], truth)
    measures = (pixel_accuracy, class_accuracy, class_iou)
    both = [[measure(confusion.counts) or 0.0 for measure in measures] for confusion in (to_labels, to_photos)]
    return both[0], both[1]


def translated(run: Path, way: str, pictures: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 to the same."""
    method = load_for_rendering(run).method
    made = [method.translate(shown(part), way) for part in np.array_split(pictures, -(-len(pictures) // 8))]
    levels = [part.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy() for part in made]
    return np.concatenate(levels)


if __name__ == "__main__":
    main()
