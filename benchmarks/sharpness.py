"""What cutting a crop and laying it back keeps of the detail, and what shrinking lets through: now, and as it was.

    python benchmarks/sharpness.py VIDEO...

Of some frames of each clip the middle is cut and laid back with no network between, turned by 0, 3, 10 and -4 degrees
and moved by parts of a pixel, at scales about 1. Kept: the variance of the Laplacian after, of that before; PSNR
against the frame. Zoom: variance of the Laplacian of the crop at scales on both sides of 1. Gratings: what is left of
one, by its cycles a new pixel: 0.5 is the most that pixels can hold, so of 0.6 and more nothing should be left. As
it was: cubic where the picture grows, else sampled two or more times as finely and averaged.
"""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from data.faces.warp import compose, invert, stretch, warp
from data.video.reader import read_frames

Warp = Callable[[np.ndarray, np.ndarray, int, int, int], np.ndarray]
TURNS = ((0.0, 0.5), (3.0, 0.37), (10.0, 0.2), (-4.0, 0.7))


def as_it_was(picture: np.ndarray, matrix: np.ndarray, width: int, height: int, border: int) -> np.ndarray:
    """Supersampled by a whole number and averaged where it shrinks at all."""
    times = math.ceil(1 / np.linalg.svd(matrix[:, :2], compute_uv=False)[-1] - 1e-6)
    if times <= 1:
        return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=border)
    fine = compose(stretch(times, times), matrix)
    large = cv2.warpAffine(picture, fine, (width * times, height * times), flags=cv2.INTER_LINEAR, borderMode=border)
    return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)


WARPS: dict[str, Warp] = {"as it was": as_it_was, "now": warp}


def about(picture: np.ndarray, scale: float, degrees: float, moved: float, size: int) -> np.ndarray:
    """A similarity that brings the middle of a picture to that of one of `size`."""
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    turned, middle = np.array([[c, -s], [s, c]]), (np.array(picture.shape[1::-1]) - 1) / 2
    return np.column_stack([turned, (size - 1) / 2 + moved - turned @ middle])


def laplacian_variance(rgb: np.ndarray) -> float:
    """Of the grey picture, without its rim."""
    return float(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F)[4:-4, 4:-4].var())


def kept(frames: list[np.ndarray], scale: float, how: Warp) -> tuple[float, float, float]:
    """Laplacian variance kept there and back: mean and least; PSNR in dB."""
    parts, errors = [], []
    for frame in frames:
        height, width = frame.shape[:2]
        size = min(height, width) // 2
        quarter = int(size / 4 / max(scale, 1))
        middle = np.s_[height // 2 - quarter : height // 2 + quarter, width // 2 - quarter : width // 2 + quarter]
        for degrees, moved in TURNS:
            matrix = about(frame, scale, degrees, moved, size)
            cut = how(frame, matrix, size, size, cv2.BORDER_REFLECT_101)
            back = how(cut, invert(matrix), width, height, cv2.BORDER_REPLICATE)
            parts.append(laplacian_variance(back[middle]) / laplacian_variance(frame[middle]))
            errors.append(((back[middle].astype(float) - frame[middle]) ** 2).mean())
    return float(np.mean(parts)), min(parts), 10 * math.log10(255**2 / float(np.mean(errors)))


def zoomed(frames: list[np.ndarray], how: Warp) -> float:
    """How many times sharper a crop is a little above scale 1 than a little below."""
    sizes = [min(frame.shape[:2]) // 2 for frame in frames]
    above, below = (
        np.mean([
            laplacian_variance(how(f, about(f, scale, 2.0, 0.0, n), n, n, cv2.BORDER_REFLECT_101))
            for f, n in zip(frames, sizes, strict=True)
        ])
        for scale in (1.002, 0.997)
    )  # fmt: skip
    return float(above / below)


def passed(cycles: float, scale: float, how: Warp) -> float:
    """What is left of a grating of so many cycles a new pixel."""
    side, size = 512, int(300 * scale)
    y, x = np.mgrid[0:side, 0:side]
    wave = np.cos(2 * np.pi * cycles * scale * (x * math.cos(0.3) + y * math.sin(0.3)))
    grating = np.repeat((127.5 + 100 * wave).round().astype(np.uint8)[..., None], 3, axis=2)
    seen = how(grating, about(grating, scale, 3.0, 0.0, size), size, size, cv2.BORDER_REFLECT_101)
    return float(seen.std() / (100 / math.sqrt(2)))


def main(videos: list[str]) -> None:
    print(
        "| clip | scale | kept, mean (least): as it was | now | PSNR, dB: as it was | now |\n|---|---|---|---|---|---|"
    )
    everything = []
    for video in videos:
        frames = [frame.rgb for frame in read_frames(Path(video)) if frame.number % 40 == 0][:4]
        everything += frames
        for scale in (1.003, 1.0, 0.997):
            was, now = (kept(frames, scale, how) for how in WARPS.values())
            shown = [f"{100 * mean:.0f} ({100 * least:.0f}) %" for mean, least, _ in (was, now)]
            print(f"| {Path(video).stem} | {scale} | {' | '.join(shown)} | {was[2]:.1f} | {now[2]:.1f} |", flush=True)
    for name, how in WARPS.items():
        print(f"\nslow zoom through scale 1, {name}: {zoomed(everything, how):.2f} times sharper above it")
    print("\n| cycles a new pixel | " + " | ".join(f"scale {s}: as it was, now" for s in (0.6, 0.4, 0.2)) + " |")
    print("|---|---|---|---|")
    for cycles in (0.25, 0.35, 0.45, 0.6, 0.7, 0.9):
        cells = []
        for scale in (0.6, 0.4, 0.2):
            fits = cycles * scale < 0.5
            cells.append(", ".join(f"{passed(cycles, scale, how):.2f}" for how in WARPS.values()) if fits else "")
        print(f"| {cycles} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
