"""Clips of the plain world's characters; see data/world/worlds.py.

Both share their geometry (head, eyes, brows, mouth in the same places); colours, hair, jaw
and clothes differ. Both wear parting, clip or streak, and ear-ring on the same side: a mirrored mapping is wrong.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.world.characters import LookName, Pose, draw
from data.world.clips import SAMPLE_RATE, write_pictures

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
