"""What is heard of a file, by its own times."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def heard(path: Path, rate: int = 48_000, since: Fraction = Fraction(0), *, stored: bool = False) -> np.ndarray:
    """(samples,) float: the first sound track from `since` seconds on, each decoded piece at its own time.

    stored: at those times alone that stand in the file; FFmpeg guesses others, by the first rate where it changes.
    """
    track = np.zeros(0)
    with av.open(str(path)) as container:
        for frame, is_stored in decoded(container):
            samples = frame.to_ndarray().astype(float).reshape(-1, frame.samples).mean(axis=0)
            if frame.format.is_packed:
                samples = frame.to_ndarray().astype(float).reshape(frame.samples, -1).mean(axis=1)
            if frame.format.name[:3] in ("s16", "s32"):
                samples /= 2.0 ** (int(frame.format.name[1:3]) - 1)
            count = round(frame.samples * rate / frame.sample_rate)
            samples = np.interp(np.arange(count) * frame.sample_rate / rate, np.arange(frame.samples), samples)
            timed = frame.pts is not None and (is_stored or not stored)
            at = round((frame.pts * frame.time_base - since) * rate) if timed else len(track)
            if abs(at - len(track)) <= rate / 500:  # pieces may be shorter than the container's unit
                at = len(track)
            track = np.concatenate([track, np.zeros(max(0, at + count - len(track)))])
            track[max(at, 0) : at + count] = samples[max(0, -at) :]
    return track


def decoded(container: av.container.InputContainer) -> Iterator[tuple[av.AudioFrame, bool]]:
    """The frames of the first sound track, and whether their times stand in the file."""
    for packet in container.demux(container.streams.audio[0]):
        for frame in packet.decode():
            yield frame, packet.pos is not None
