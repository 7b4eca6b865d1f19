"""How the characters of the plain world move: hidden parameters as functions of time."""

import math
from fractions import Fraction

import numpy as np

from data.world.characters import RANGES, Pose

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
