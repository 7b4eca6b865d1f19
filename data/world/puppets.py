"""How the characters of the plain world move, and their clips; see data/world/worlds.py.

Both share their geometry (head, eyes, brows, mouth in the same places); colours, hair, jaw
and clothes differ. Both wear parting, clip or streak, and ear-ring on the same side: a mirrored mapping is wrong.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.world.characters import RANGES, LookName, Pose, draw
from data.world.clips import SAMPLE_RATE, write_pictures

# Slowest and fastest movement of each parameter in hertz; the mouth moves as fast as slow speech.
_HERTZ = {
    "x": (0.12, 0.5),
    "y": (0.15, 0.6),
    "tilt": (0.12, 0.5),
    "mouth": (0.5, 2.0),
    "smile": (0.15, 0.6),
    "eyes": (0.15, 0.5),
    "brows": (0.2, 0.8),
}
_SINES = 6
_BLINK_SECONDS = 0.36
_BLINK_PAUSE_SECONDS = (1.5, 4.5)


def wander(generator: np.random.Generator, seconds: np.ndarray, slow: float, fast: float) -> np.ndarray:
    """(frames,) float64 in (0, 1), uniform in the long run: a sum of sines through the normal distribution."""
    # One sine a slice of the band, so that every seed has slow and fast movement.
    edges = np.linspace(slow, fast, _SINES + 1)
    hertz = generator.uniform(edges[:-1], edges[1:])
    phase = generator.uniform(0, 2 * np.pi, _SINES)
    wave = np.sin(2 * np.pi * seconds[:, None] * hertz + phase).sum(axis=1) * math.sqrt(2 / _SINES)
    return np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in wave])


def _blinks(generator: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """(frames,) float64 in [0, 1]: what is left of the eyes' opening, 1 outside of blinks."""
    opening = np.ones(len(seconds))
    start = generator.uniform(*_BLINK_PAUSE_SECONDS)
    while len(seconds) and start < seconds[-1]:
        through = np.clip((seconds - start) / _BLINK_SECONDS, 0, 1)
        opening *= 1 - np.sin(np.pi * through) ** 2
        start += _BLINK_SECONDS + generator.uniform(*_BLINK_PAUSE_SECONDS)
    return opening


def motion(seed: int, frames: int, rate: Fraction = Fraction(25)) -> list[Pose]:
    """Smooth random movement: `frames` poses at `rate` a second, the same for the same seed.

    Movement is a function of time, so a longer clip begins with the shorter one, and another rate samples the same
    movement. Different seeds are unrelated: their clips are unpaired.
    """
    seconds = np.array([float(Fraction(index) / rate) for index in range(frames)])
    generators = np.random.default_rng(seed).spawn(len(RANGES) + 1)
    tracks = {}
    for generator, (name, (low, high)) in zip(generators, RANGES.items(), strict=False):
        share = wander(generator, seconds, *_HERTZ[name])
        if name == "eyes":
            share = (0.35 + 0.65 * share) * _blinks(generators[-1], seconds)
        tracks[name] = low + (high - low) * share
    return [Pose(**{name: float(track[index]) for name, track in tracks.items()}) for index in range(frames)]


_TONE_HERTZ = 220.0


def tone(poses: Sequence[Pose], rate: Fraction) -> np.ndarray:
    """(n,) float32: samples of a soft tone, as loud as the mouth is open at their time."""
    seconds = np.arange(int(len(poses) * SAMPLE_RATE / rate)) / SAMPLE_RATE
    mouth = np.interp(seconds * float(rate), np.arange(len(poses)), [pose.mouth for pose in poses])
    angle = 2 * np.pi * _TONE_HERTZ * seconds
    wave = 0.6 * np.sin(angle) + 0.25 * np.sin(2 * angle) + 0.15 * np.sin(3 * angle)
    return (0.5 * mouth * wave).astype(np.float32)


def write_clip(
    path: Path,
    poses: Sequence[Pose],
    look: LookName,
    size: int,
    rate: Fraction = Fraction(25),
    *,
    sound: bool = True,
) -> None:
    """An MP4 of the character moving through `poses`, `size` x `size` pixels, `rate` frames a second.

    With `sound` a tone as loud as the mouth is open, so that sync can be seen and heard; see `write_pictures`.
    Raises OutputError.
    """
    pictures = (draw(pose, look, size) for pose in poses)
    write_pictures(path, pictures, size, rate, tone(poses, rate) if sound else None)
