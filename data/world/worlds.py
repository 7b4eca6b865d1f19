"""The drawn worlds by name: what each is made of, and its clips written.

In each, two characters are moved by the same hidden parameters: drawn with one pose they are each other's exact
translation, for any seed, length, rate and size.

plain: two characters before an even wall; both clips are moved alike.
busy: two others with other outlines, before a background that moves, in a light that changes, through a camera that has
noise; the second character looks elsewhere, speaks less and smiles more than the first. The noise lies on the clips to
learn from and on the one to translate, and not on the truth: what is random in the source cannot be known of the
answer, so the best possible result has none, and a result is not asked to guess it. Background and light of the truth
are those that the source shows.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from data.disk import make_folder, write_bytes
from data.world.busy import BUSY_HEAD, BUSY_RANGES, BusyPose, draw_busy
from data.world.characters import HEAD, RANGES, LookName, Pose, draw
from data.world.clips import World, write_pictures
from data.world.movement import motion, wander
from data.world.puppets import tone

RATE = Fraction(25)
NOISE_LEVELS = 3.0
"""Standard deviation of the busy world's camera noise, in grey levels."""
_SURROUNDINGS_HERTZ = {"light": (0.06, 0.25), "bright": (0.05, 0.2), "drift_x": (0.05, 0.2), "drift_y": (0.05, 0.2)}
_ELSEWHERE = {"x": 1.6, "tilt": 0.65, "mouth": 1.7, "smile": 0.6, "brows": 1.4, "light": 0.65, "drift_x": 1.4}
"""Of the busy world's second character: each share of a range to this power, so that its middle is another."""


@dataclass(frozen=True, eq=False)
class DrawnWorld:
    """One of WORLDS. pose: what a picture is drawn from; ranges: the limits of its parameters.

    head: rest place of the head's middle. draw: pose, look and size in pixels, to (size, size, 3) uint8 RGB. motion:
    seed, frames, and whether of the second character's own clip, to poses. lit: its light has a strength of its own.
    read_every: of how many frames one is read back: reading is slow where there is much to read. names: of the clips of
    A and B.
    """

    pose: type[Pose]
    ranges: dict[str, tuple[float, float]]
    head: tuple[float, float]
    draw: Callable[..., np.ndarray]
    motion: Callable[[int, int, bool], list]
    lit: bool
    noise_levels: float
    read_every: int
    names: tuple[str, str]

    def write(self, folder: Path, seed: int, frames: int, test_frames: int, size: int) -> World:
        """Clips of A and B to learn from, unpaired, `frames` each; test.mp4 of A and truth.mp4, its answer.

        Each has its hidden parameters beside it, frame by frame, as a .json. Raises OutputError.
        """
        make_folder(folder)
        world = World.of(folder, *self.names)
        unpaired_a, unpaired_b, unseen = (seed * 3 + part for part in (1, 2, 3))
        self._write(world.a, "A", self.motion(unpaired_a, frames, False), size, unpaired_a)
        self._write(world.b, "B", self.motion(unpaired_b, frames, True), size, unpaired_b)
        test = self.motion(unseen, test_frames, False)
        self._write(world.test, "A", test, size, unseen)
        self._write(world.truth, "B", test, size, None)
        return world

    def _write(self, path: Path, look: LookName, poses: Sequence[Pose], size: int, noise_seed: int | None) -> None:
        pictures: Iterator[np.ndarray] = (self.draw(pose, look, size) for pose in poses)
        if self.noise_levels and noise_seed is not None:
            pictures = noisy(pictures, self.noise_levels, noise_seed)
        write_pictures(path, pictures, size, RATE, tone(poses, RATE))
        write_bytes(path.with_suffix(".json"), poses_to_json(poses).encode())


def noisy(pictures: Iterator[np.ndarray], levels: float, seed: int) -> Iterator[np.ndarray]:
    """uint8 pictures with normal noise of standard deviation `levels` on every value, another in every picture."""
    generator = np.random.default_rng(seed)
    for picture in pictures:
        noise = generator.normal(0, levels, picture.shape)
        yield np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _plain_motion(seed: int, frames: int, _: bool) -> list[Pose]:
    return motion(seed, frames, RATE)


def busy_motion(seed: int, frames: int, elsewhere: bool) -> list[BusyPose]:
    """`motion` with light and background moved as well. elsewhere: as the second character moves by itself."""
    seconds = np.array([float(Fraction(index) / RATE) for index in range(frames)])
    generators = np.random.default_rng([seed, 1]).spawn(len(_SURROUNDINGS_HERTZ))
    tracks = {}
    for generator, (name, band) in zip(generators, _SURROUNDINGS_HERTZ.items(), strict=True):
        low, high = BUSY_RANGES[name]
        tracks[name] = low + (high - low) * wander(generator, seconds, *band)
    poses = []
    for index, pose in enumerate(motion(seed, frames, RATE)):
        surroundings = {name: float(track[index]) for name, track in tracks.items()}
        poses.append(BusyPose(**vars(pose), **surroundings))
    return [_elsewhere(pose) for pose in poses] if elsewhere else poses


def _elsewhere(pose: BusyPose) -> BusyPose:
    moved = {}
    for name, power in _ELSEWHERE.items():
        low, high = BUSY_RANGES[name]
        moved[name] = low + (high - low) * ((getattr(pose, name) - low) / (high - low)) ** power
    return replace(pose, **moved)


WORLDS: dict[str, DrawnWorld] = {
    "plain": DrawnWorld(
        pose=Pose,
        ranges=RANGES,
        head=HEAD,
        draw=draw,
        motion=_plain_motion,
        lit=False,
        noise_levels=0,
        read_every=1,
        names=("anna", "ben"),
    ),
    "busy": DrawnWorld(
        pose=BusyPose,
        ranges=BUSY_RANGES,
        head=BUSY_HEAD,
        draw=draw_busy,
        motion=busy_motion,
        lit=True,
        noise_levels=NOISE_LEVELS,
        read_every=5,
        names=("cleo", "dan"),
    ),
}


def world_of(poses: Sequence[Pose]) -> DrawnWorld:
    """The world that poses belong to; the plain one where there are none."""
    kinds = {world.pose: world for world in WORLDS.values()}
    return kinds[type(poses[0]) if poses else Pose]


def poses_to_json(poses: Sequence[Pose]) -> str:
    """One line a pose, so that a diff of two clips reads well. Numbers keep every bit."""
    return "[\n" + ",\n".join(json.dumps(asdict(pose)) for pose in poses) + "\n]\n"


def poses_from_json(text: str) -> list[Pose]:
    """The poses that `poses_to_json` wrote, exactly. Raises ValueError, KeyError, TypeError for anything else."""
    entries = json.loads(text)
    kind = next((world.pose for world in WORLDS.values() if entries and set(world.ranges) == set(entries[0])), Pose)
    names = [field.name for field in fields(kind)]
    return [kind(**{name: float(entry[name]) for name in names}) for entry in entries]
