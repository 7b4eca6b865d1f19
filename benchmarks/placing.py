"""How far landmarks are off, and how they shake: a face moved on known paths, looked for by every aligner at hand.

    python benchmarks/placing.py [--models FOLDER] [--width 150] [--noise 4] [--frames 75]

The portrait that scikit-image carries is drawn with noise into clips of 25 frames a second, encoded, and looked through
as `retarget extract` does. Truth: where the aligner itself has the points on the face, on average over all frames,
carried along the known path. In percent of the face's width: "error" is the distance of a point from there (mean, and
the 95th percentile), "jitter" the standard deviation of a coordinate on the face, "step" that of its change from frame
to frame.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import scipy.signal
import skimage.data

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.domain.sources import open_source
from data.errors import MissingModelError
from data.faces.align import apply, face_width, invert
from data.faces.aligners import open_aligner
from data.faces.detection import Backend
from data.faces.placing import look
from data.faces.recognise import Looks
from tests.media import write_frames

RATE = 25
SIZE = (640, 400)
MOTIONS = ("still", "0.5 Hz", "1.5 Hz", "3 Hz", "turn")
SWING = {0.5: 0.25, 1.5: 0.12, 3.0: 0.06}
"""Face widths that a nod of so many hertz goes to each side, with 16 degrees of tilt a width."""


class AsFound:
    """The aligner, with points so sure that nothing is smoothed: for comparison."""

    def __init__(self, aligner: Backend) -> None:
        self._aligner = aligner

    def __getattr__(self, name: str):
        return 1e-6 if name == "jitter" else getattr(self._aligner, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=None)
    parser.add_argument("--width", type=float, default=150)
    parser.add_argument("--noise", type=float, default=4)
    parser.add_argument("--frames", type=int, default=75)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"face {options.width:g} px wide, noise of {options.noise:g} grey levels, {options.frames} frames each\n")
    print("| aligner | points | motion | error, mean | 95 % | jitter | step |\n|---|---|---|---|---|---|---|")
    for name in ("fan", "yunet", "haar"):
        try:
            aligner = open_aligner(name, options.models, print)
        except MissingModelError:
            print(f"| {name} | | its file is not here | | | | |")
            continue
        measure(aligner, options)


def measure(aligner: Backend, options: argparse.Namespace) -> None:
    """Prints the rows of one aligner."""
    ways = {motion: path(motion, options) for motion in MOTIONS}
    with tempfile.TemporaryDirectory() as folder:
        found = {motion: landmarks(aligner, ways[motion], options, Path(folder) / motion) for motion in MOTIONS}
    raw = [on_face(ways[motion], points) for motion, (points, _) in found.items()]
    face = np.concatenate(raw).mean(0)
    for number, kind in enumerate(("as found", "low-pass, 5 Hz", "placed")):
        for motion, way in ways.items():
            points = low_pass(found[motion][0]) if number == 1 else found[motion][number // 2]
            truth = np.stack([apply(matrix, face) for matrix in way])
            error = np.linalg.norm(points - truth, axis=2) / options.width
            own = on_face(way, points) * np.linalg.norm(way[0][0, :2]) / options.width
            figures = (error.mean(), np.percentile(error, 95), own.std(0).max(), np.diff(own, axis=0).std(0).max())
            print(f"| {aligner.name} | {kind} | {motion} | " + " | ".join(f"{100 * v:.2f}" for v in figures) + " |")


def low_pass(points: np.ndarray) -> np.ndarray:
    """Butterworth of order 2 at 5 Hz, forwards and backwards: what can be done without looking at the picture."""
    return scipy.signal.filtfilt(*scipy.signal.butter(2, 5, fs=RATE), points, axis=0)


def on_face(way: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    """Points of each frame in the portrait's own pixels."""
    return np.stack([apply(invert(matrix), frame) for matrix, frame in zip(way, points, strict=True)])


def path(motion: str, options: argparse.Namespace) -> list[np.ndarray]:
    """(2, 3) from the portrait to each frame."""
    seconds = np.arange(options.frames) / RATE
    across, down, tilt = np.zeros((3, options.frames))
    if motion == "turn":
        share = np.clip((seconds - seconds[-1] / 2) / 0.4, 0, 1)
        across = 0.5 * options.width * share**2 * (3 - 2 * share)
    elif motion != "still":
        hertz = float(motion.split()[0])
        swing = SWING[hertz] * np.sin(2 * np.pi * hertz * seconds)
        down, tilt = swing * options.width, 16 * swing
    rgb = skimage.data.astronaut()
    (face,) = open_aligner("haar", None, print).find(rgb)
    middle, scale = face.points.mean(0), options.width / face_width(face.points)
    way = []
    for x, y, degrees in zip(across, down, tilt, strict=True):
        matrix = cv2.getRotationMatrix2D(middle.tolist(), degrees, scale)
        matrix[:, 2] += np.array(SIZE) / 2 - middle + [x, y]
        way.append(matrix)
    return way


def landmarks(
    aligner: Backend, way: list[np.ndarray], options: argparse.Namespace, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    """(t, n, 2) as found, and as placed."""
    folder.mkdir()
    rng, rgb = np.random.default_rng(0), skimage.data.astronaut()
    frames = []
    for matrix in way:
        drawn = cv2.warpAffine(rgb, matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        noise = rng.normal(0, options.noise, drawn.shape)
        frames.append(np.clip(np.rint(drawn + noise), 0, 255).astype(np.uint8))
    write_frames(folder / "face.mp4", frames, sound=False)
    both = []
    for kind in (AsFound(aligner), aligner):
        placing = look(open_source(folder / "face.mp4"), kind, "largest", folder, Looks())
        assert placing.places is not None
        both.append(np.stack([place.landmarks for place in placing.places if place is not None]))
    return both[0], both[1]


if __name__ == "__main__":
    main()
