"""What each measure means, and how the measures of a clip are written down."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Value = float | str
"""Of a measure: a number, or in a line why there is none."""
WORST_MOMENTS = 3
WORST_APART_SECONDS = 0.5
PER_FRAME_DIGITS = 6


@dataclass(frozen=True)
class Measure:
    """better: in which direction. perfect: the value of a perfect result. about: formula and source, in a sentence."""

    title: str
    unit: str
    better: Literal["higher", "lower"]
    perfect: float
    about: str


MEASURES: dict[str, Measure] = {
    "psnr": Measure(
        "PSNR against the truth", "dB", "higher", math.inf,
        "Peak signal-to-noise ratio over all pixels of the clip, 10 log10(255² / mean squared error).",
    ),
    "ssim": Measure(
        "SSIM against the truth", "", "higher", 1,
        "Structural similarity (Wang et al. 2004), Gaussian window of 1.5 px, mean over channels and frames.",
    ),
    "parameters": Measure(
        "Error of the hidden parameters", "% of range", "lower", 0,
        "Pose read back from the result by fitting the drawing to it: mean over frames and parameters of the absolute "
        "difference from the pose that the truth was drawn with, in parts of each parameter's range; blind to colours.",
    ),
    "offset_truth": Measure(
        "Offset against the truth", "px", "lower", 0,
        "How far everything is drawn beside its place: the translation between truth and result that maximises their "
        "enhanced correlation coefficient (Evangelidis and Psarakis 2008) without coarse shades, the median over "
        "frames.",
    ),
    "tof_truth": Measure(
        "Motion against the truth's (tOF)", "px", "lower", 0,
        "Mean end-point error between result's and truth's optical flow, frame to frame (tOF, Chu et al. 2020).",
    ),
    "tof": Measure(
        "Motion against the source's (tOF)", "px", "lower", 0,
        "Mean end-point error between result's and source's optical flow, frame to frame (tOF, Chu et al. 2020); only "
        "the source itself has 0, and noise counts as motion.",
    ),
    "delay": Measure(
        "Delay", "frames", "lower", 0,
        "By how many frames, up to five, the result's optical flow is shifted where it agrees best with the source's.",
    ),
    "offset": Measure(
        "Offset, by the networks' own account", "px", "lower", 0,
        "How far everything is drawn beside its place: half of the displacement between the translation of a mirrored "
        "frame and the mirrored translation (enhanced correlation coefficient, Evangelidis and Psarakis 2008), the "
        "median over frames, along the axes whose mirror the networks draw alike.",
    ),
    "warp_error": Measure(
        "Flow-warp error", "", "lower", 0,
        "Mean squared difference (values 0 to 1) between a frame of the result and the next one fetched along the "
        "source's optical flow, where a forward-backward check sees both (Lai et al. 2018, Ruder et al. 2016); blur "
        "lowers it.",
    ),
    "flicker": Measure(
        "Flicker where the source stands still", "grey levels", "lower", 0,
        "Mean difference of a pixel from the mean of itself a frame before and a frame after, where the source neither "
        "moves nor changes for five frames; a frozen result has 0.",
    ),
    "motion": Measure(
        "Motion preserved", "", "higher", 1,
        "Pearson correlation of the displacements of facial landmarks over a fifth of a second in source and result.",
    ),
    "cycle_l1": Measure(
        "There and back: mean difference", "grey levels", "lower", 0,
        "Mean absolute difference between what the networks are shown of the source, and that there and back; says "
        "nothing of the target domain.",
    ),
    "cycle_psnr": Measure(
        "There and back: PSNR", "dB", "higher", math.inf,
        "Peak signal-to-noise ratio between what the networks are shown of the source, and that there and back.",
    ),
    "kernel_distance": Measure(
        "Distance from the target domain", "", "lower", 0,
        "Unbiased squared MMD under the kernel of KID (Bińkowski et al. 2018) between pictures of result and domain, "
        "each described by the colours and oriented edges of its parts at three scales; a little below 0 is chance.",
    ),
    "fid": Measure(
        "FID", "", "lower", 0,
        "Fréchet distance (Heusel et al. 2017) on the Inception-v3 features of torchvision, so not comparable with "
        "published figures; too large for few pictures.",
    ),
    "kid": Measure(
        "KID", "", "lower", 0,
        "Kernel distance (Bińkowski et al. 2018) on the Inception-v3 features of torchvision, so not comparable with "
        "published figures.",
    ),
    "sharpness": Measure(
        "As sharp as the target domain", "", "higher", 1,
        "Mean variance of the Laplacian of the result's pictures against that of the domain's at one size: the smaller "
        "of the two over the larger; noise counts as sharp.",
    ),
    "pixel_accuracy": Measure(
        "Labels: per-pixel accuracy", "", "higher", 1,
        "Part of the truth's pixels whose nearest palette colour is right (Zhu et al. 2017, Tables 2 to 5).",
    ),
    "class_accuracy": Measure(
        "Labels: per-class accuracy", "", "higher", 1,
        "Mean over the classes in the truth of the part of their pixels that is right.",
    ),
    "class_iou": Measure(
        "Labels: class IoU", "", "higher", 1,
        "Mean over the classes of their pixels' intersection over union.",
    ),
}  # fmt: skip
"""By name, in the order to show them."""


def entries(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    """The measures of a clip as evaluation.json has them."""
    found = []
    for name, measure in MEASURES.items():
        if name not in values:
            continue
        value = values[name]
        entry: dict[str, Any] = {
            "name": name,
            "title": measure.title,
            "value": None if isinstance(value, str) else number(value),
            "unit": measure.unit,
            "better": measure.better,
            "perfect": None if math.isinf(measure.perfect) else measure.perfect,
            "about": measure.about,
        }
        if math.isinf(measure.perfect):
            entry["perfect_text"] = "inf"
        if isinstance(value, str):
            entry["why"] = value
        found.append(entry)
    return found


def number(value: float | None, digits: int | None = None) -> float | str | None:
    """As JSON can hold it: infinity as "inf". digits: how many to keep."""
    if value is None:
        return None
    if math.isinf(value):
        return "inf"
    return float(f"{value:.{digits}g}") if digits else value


def worst(name: str, per_frame: Sequence[float | None], seconds: Sequence[float]) -> list[dict[str, Any]]:
    """The worst moments of a measure: at most three, at least half a second apart, none that is perfect."""
    measure = MEASURES[name]
    sign = 1 if measure.better == "higher" else -1
    known = [(sign * value, frame) for frame, value in enumerate(per_frame) if value not in (None, measure.perfect)]
    chosen: list[int] = []
    for _, frame in sorted(known):
        apart = all(abs(seconds[frame] - seconds[other]) >= WORST_APART_SECONDS for other in chosen)
        if apart and len(chosen) < WORST_MOMENTS:
            chosen.append(frame)
    return [
        {"frame": frame, "seconds": seconds[frame], "value": number(per_frame[frame], PER_FRAME_DIGITS)}
        for frame in chosen
    ]


def line(name: str, value: Value) -> str:
    """A measure in a line for the user."""
    measure = MEASURES[name]
    if isinstance(value, str):
        return f"{name:16} -  {measure.title}: {value}"
    perfect = f"{measure.better} is better, perfect: {measure.perfect:g}"
    return f"{name:16} {value:.4g}{f' {measure.unit}' if measure.unit else ''}  {measure.title} ({perfect})"
