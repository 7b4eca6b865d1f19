"""How good generators are, told from held-out windows without a right answer.

score = temporal + tie + look + place, lower is better. Each part is the mean over the directions that a method
translates in:

- temporal: 2 √(E / S), at most 2. E is the flow-warp error of the translation along the source's flow where that is
  visible (recycle.measures.temporal), the mean over consecutive frames; S is the mean squared difference between
  frames of different windows of the translation, so that one that holds still by being always the same picture has 2.
- tie: what holds a translation to its source: an L1, over what the mean of all held-out frames would have.
  cycle: the frame there and back, where a method has both ways. l1: to the pair, where frames come in pairs (pix2pix).
  content: the features of CartoonGAN's eq. 4 (without them nothing).
- look: r, the kernel distance (recycle.measures.distribution) of the translations to the target's held-out frames over
  that of the sources. With pairs there is no such part. With a cycle, 2 max(0, r - 1/2): it costs nothing to be nearer
  to the target than halfway, and 1 not to have moved at all, which temporal and cycle alone would like best. Content
  alone is what CartoonGAN begins with; there r counts whole.
- place: PLACE_WEIGHT a pixel, on pictures of 64 px, that the translations lie beside their place, as networks give it
  away when they are shown mirrored frames (recycle.measures.offset). A shift one way and back again leaves temporal,
  cycle and look as they are. Nothing along an axis that is not told.

Why the first three: runs on the drawn world, where the right answer is known, and the dB of PSNR that each choice
loses to the best of a run's checkpoints (docs/measured.md):

                              cyclegan   with identity   recyclegan   ten others
                              of 10      of 10           of 10        of 3, mean
    this score                0.18       0.21            0.02         0.05
    √(E / S) counted once     0.00       0.21            0.02         0.20
    r counted whole           0.18       0.21            0.02         0.20
    cycle alone               0.46       0.58            0.02         0.54
    temporal alone            2.75       2.72            0.83         0.12
    the newest                0.84       1.04            0.33         0.55
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recycle.measures.distribution import describe, kernel_distance
from recycle.measures.offset import SMALLEST_PX, own_offset
from recycle.measures.optical_flow import Dis, visible
from recycle.measures.temporal import warp_error
from recycle.methods.base import Direction, Method

TEMPORAL_WEIGHT = 2.0
PLACE_WEIGHT = 0.3
"""In the table of docs/measured.md a dB goes with 0.05 of the score, and a pixel costs 3 to 6 dB at 20 to 24 dB."""
PLACE_SIDE_PX = 64
"""Side that a displaced pixel is counted at: on larger pictures a pixel is less of what they show."""
PLACE_FRAMES = 8
"""Of each domain, that networks are shown mirrored: two forwards more for each."""
LEAST_L1 = 10 / 127.5
"""Ten grey levels. Errors are taken relative to no less: held-out frames of a still talker differ by two from their
mean, and the tie would drown the other parts."""
LEAST_DISTANCE = 0.02
"""The like for kernel distances, for domains that look alike: about what chance makes of a few frames."""
_BATCH = 8


class HeldOut:
    """Held-out windows of both domains and all that depends on them alone."""

    def __init__(self, method: Method, windows: Mapping[str, Tensor]) -> None:
        """windows: of "a" and "b", where there are any: float32 (n, T, 3, H, W) in [-1, 1] on the CPU, T frames that
        follow each other, or one; where `method` is paired, windows of both domains with the same numbers belong
        together.
        """
        self._method = method
        self._frames = {name: windows[name].flatten(0, 1).contiguous() for name in sorted(windows)}
        self._way: dict[str, Direction] = {}  # out of each domain, the one that is judged
        for way in method.ways:
            if way[0] in self._frames:
                self._way.setdefault(way[0], way)
        ways = list(self._way)
        self._sources = ways if not method.paired or len(windows) == 2 else []
        self._motions = {name: _motions(windows[name]) for name in self._sources}
        self._described = {name: _described(frames) for name, frames in self._frames.items()}
        digest = hashlib.sha256()
        for name, frames in self._frames.items():
            digest.update(f"{name}{tuple(windows[name].shape)}".encode() + frames.numpy().tobytes())
        self.fingerprint = digest.hexdigest()

    @property
    def measured(self) -> list[str]:
        """Names of the parts that the score has here; none where checkpoints cannot be compared."""
        if not self._sources:
            return []
        parts = ["temporal"] if any(self._motions.values()) else []
        if self._method.paired:
            parts.append("l1")
        elif all(f"{way[-1]}_to_{way[0]}" in self._method.ways for way in self._way.values()):
            parts.append("cycle")
        elif self._method.content is not None:
            parts.append("content")
        domains = {letter for way in self._method.ways for letter in (way[0], way[-1])}
        enough = domains == self._frames.keys() and all(len(frames) > 1 for frames in self._frames.values())
        if enough and not self._method.paired:
            parts.append("look")
        return [*parts, "place"] if self._large_enough() else parts

    def _large_enough(self) -> bool:
        """For a displacement to be told."""
        return all(min(self._frames[name].shape[-2:]) >= SMALLEST_PX for name in self._sources)

    def parts(self, device: torch.device) -> dict[str, float]:
        """The parts of the score by the weights that the method has now, on its device. Draws nothing at random."""
        found = [self._one_way(name, device) for name in self._sources]
        values = {part: [way[part] for way in found if part in way] for part in self.measured}
        return {part: sum(of_ways) / len(of_ways) for part, of_ways in values.items()}

    def _one_way(self, name: str, device: torch.device) -> dict[str, float]:
        """The parts of what is translated from domain `name`."""
        method, source, motions = self._method, self._frames[name], self._motions[name]
        there = self._way[name]
        target = there[-1]

        def through(frames: Tensor) -> Tensor:
            return _in_batches(lambda batch: method.translate(batch, there), frames, device)

        translated = through(source)
        parts = {}
        for part in self.measured:
            if part == "temporal" and motions:
                parts[part] = _temporal(_pictures(translated), motions)
            elif part == "cycle":
                parts[part] = _relative(_returned(method, translated, source, there, device), source)
            elif part == "l1":
                parts[part] = _relative(translated, self._frames[target])
            elif part == "content":
                assert method.content is not None
                with torch.no_grad():
                    seen, wanted = (_in_batches(method.content, frames, device) for frames in (translated, source))
                parts[part] = _relative(seen, wanted)
            elif part == "look":
                before, wanted_look = self._described[name], self._described[target]
                usual = max(_distance(before, wanted_look), LEAST_DISTANCE)
                left = _distance(_described(translated), wanted_look) / usual
                parts[part] = 2 * max(0.0, left - 0.5) if "cycle" in parts else left
            elif part == "place":
                parts[part] = _place(through, source, translated)
        return parts


@dataclass(frozen=True)
class _Motions:
    """What moves in windows of `length` frames, kept one after the other: `flows`, the place of a frame, the flow to
    the frame after it, and where that is visible."""

    length: int
    flows: list[tuple[int, np.ndarray, np.ndarray]]


def _motions(windows: Tensor) -> _Motions | None:
    """Of windows (n, T, 3, H, W); None where there are not two of them, or no two frames to compare."""
    count, length = windows.shape[:2]
    if count < 2 or length < 2:
        return None
    find, flows = Dis(), []
    pictures = _pictures(windows.flatten(0, 1))
    for place in range(len(pictures)):
        if (place + 1) % length:
            first, second = pictures[place], pictures[place + 1]
            forward = find(first, second)
            seen = visible(forward, find(second, first))
            if seen.any():
                flows.append((place, forward, seen))
    return _Motions(length, flows) if flows else None


def _in_batches(network: Callable[[Tensor], Tensor], frames: Tensor, device: torch.device) -> Tensor:
    """All of (N, C, H, W) through a network on its device, a few at a time; on the CPU again."""
    return torch.cat([network(batch.to(device)).cpu() for batch in frames.split(_BATCH)])


def _returned(method: Method, made: Tensor, source: Tensor, way: Direction, device: torch.device) -> Tensor:
    """Translations of `source`, all (N, 3, H, W), translated back a few at a time; on the CPU again."""
    parts = zip(made.split(_BATCH), source.split(_BATCH), strict=True)
    return torch.cat([method.back(there.to(device), here.to(device), way).cpu() for there, here in parts])


def _temporal(pictures: np.ndarray, motions: _Motions) -> float:
    """2 √(E / S) of translated pictures (N, H, W, 3) uint8."""
    errors = [warp_error(pictures[place], pictures[place + 1], flow, seen) for place, flow, seen in motions.flows]
    error = float(np.mean([e for e in errors if e is not None]))
    firsts = pictures[:: motions.length] / 255
    apart = 2 * float(firsts.var(axis=0, ddof=1).mean())  # the mean of (p - q)² over p and q of different windows
    return TEMPORAL_WEIGHT * (math.sqrt(min(1.0, error / apart)) if apart else 1.0)


def _place(translate: Callable[[Tensor], Tensor], source: Tensor, translated: Tensor) -> float:
    """PLACE_WEIGHT a pixel of the networks' own offset, from a few of the frames, spread evenly."""
    some = np.unique(np.linspace(0, len(source) - 1, PLACE_FRAMES).round().astype(int))
    pictures, results = _pictures(source[some]), _pictures(translated[some])
    found = own_offset(lambda turned: _pictures(translate(_tensor(turned).to(source))), pictures, results)
    return PLACE_WEIGHT * (found.px or 0.0) * PLACE_SIDE_PX / min(source.shape[-2:])


def offset_px(parts: Mapping[str, float]) -> float | None:
    """The offset that the score's part stands for, in pixels of pictures of PLACE_SIDE_PX; None without that part."""
    return parts["place"] / PLACE_WEIGHT if "place" in parts else None


def _relative(result: Tensor, wanted: Tensor) -> float:
    """Mean |result - wanted|, over what it is where the result is always the mean of what is wanted."""
    error, usual = (float((x - wanted).abs().mean(dtype=torch.float64)) for x in (result, wanted.mean(0)))
    return error / max(usual, LEAST_L1)


def _described(frames: Tensor) -> np.ndarray:
    """Descriptions of frames (N, 3, H, W), a row each."""
    return np.stack([describe(picture) for picture in _pictures(frames)])


def _distance(result: np.ndarray, wanted: np.ndarray) -> float:
    """Kernel distance of two sets of descriptions, where its estimate is not below 0."""
    return max(0.0, kernel_distance(result, wanted))


def _pictures(frames: Tensor) -> np.ndarray:
    """(N, 3, H, W) float in [-1, 1] as (N, H, W, 3) uint8, rounded as rendering does."""
    scaled = frames.add(1).mul(127.5).round().clamp(0, 255)
    return np.ascontiguousarray(scaled.byte().permute(0, 2, 3, 1).numpy())


def _tensor(pictures: np.ndarray) -> Tensor:
    """(N, H, W, 3) uint8 as (N, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)
