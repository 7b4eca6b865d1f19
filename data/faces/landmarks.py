"""The landmarks of one followed face, by an aligner that takes a second look for them: kept in a file that grows."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from data.disk import output_errors
from data.domain.pictures import resize
from data.domain.sources import Source
from data.faces.detection import Backend, Detection
from data.video.frame import Frame
from data.watching import watched
from durable.growing import growing


def landmarks(source: Source, aligner: Backend, chosen: Mapping[int, Detection], beside: Path) -> dict[int, np.ndarray]:
    """(n, 2) points of the chosen face of each frame, in the frame with square pixels.

    beside: the file of what was seen, beside which they are kept under the faces' own name. Raises OutputError.
    """
    boxes = json.dumps([[frame, detection.to_json()["box"]] for frame, detection in chosen.items()])
    path = beside.with_name(f"{beside.stem}-{hashlib.sha256(boxes.encode()).hexdigest()[:12]}.jsonl")
    with output_errors(path), growing(path) as log:
        wanted = list(chosen)[log.lines :]
        if wanted:
            for batch in _batches(source, wanted, aligner.batch, log.lines):
                pictures = [resize(frame.rgb, _square(source, frame)) for frame in batch]
                found = aligner.landmarks(pictures, [chosen[frame.number] for frame in batch])
                log.add(*(json.dumps(np.round(points, 3).tolist()) for points in found))
    with path.open() as lines:
        return {frame: np.array(json.loads(line), np.float64) for frame, line in zip(chosen, lines, strict=True)}


def _square(source: Source, frame: Frame) -> tuple[int, int]:
    """(width, height) of a frame with square pixels; single pictures have sizes of their own."""
    stored = frame.rgb.shape[1], frame.rgb.shape[0]
    return source.info.display_size if source.info.sample_aspect != 1 else stored


def _batches(source: Source, wanted: list[int], size: int, done: int) -> Iterator[list[Frame]]:
    """Frames of those numbers, so many at once, cut as if none had been done."""
    places, batch = set(wanted), []
    for frame in watched(source.frames(), "landmarks", source.info.frames):
        if frame.number not in places:
            continue
        batch.append(frame)
        done += 1
        if done % size == 0 or frame.number == wanted[-1]:
            yield batch
            batch = []
        if frame.number == wanted[-1]:
            return
