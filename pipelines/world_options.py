"""The options of the commands that know the right answer: world, compare-methods, demo."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import tyro

from pipelines.option_groups import METHODS_HELP, Hardware, MethodName, ModelsFolder, WhichCheckpoint, WhichRun
from recycle.config import PresetName
from recycle.methods import DEFAULT

Contender = Literal[
    "equivariant",
    "cyclegan",
    "cyclegan-light",
    "recyclegan",
    "recyclegan-predictor-adversarial",
    "recyclegan-cycle-identity",
    "recyclegan-cycle-light",
    "syntheticflow",
    "cut",
    "fastcut",
    "augmented",
    "pairedcycle",
    "stargan",
    "combogan",
]
"""Methods with and without options, by their names in a comparison."""


WorldName = Literal["plain", "busy"]
"""Drawn worlds."""


@dataclass(frozen=True, kw_only=True)
class WorldOptions(ModelsFolder):
    """Write clips whose right translation is known: two to learn from, one to translate, and its answer.

    Drawn ones, whose hidden parameters are known too; or three stretches of real footage, the second and the answer to
    the third drawn over by a fixed filter of tones, outlines, light and proportions.
    """

    world: WorldName | None = None
    """plain: two characters before an even wall, the default. busy: two others, before a background that moves, in
    changing light, through a noisy camera, one of whom moves otherwise than the other."""
    footage: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Real footage to draw over, instead: best one shot of one thing. Cut to a square, around a face where there is
    one, and in time: 45 % as it is, 40 % drawn over, 15 % to translate, half a second apart."""
    name: str | None = None
    """Of the world. By default what is drawn, or the footage's file name without its suffix."""
    output: Path = Path("worlds")
    """Folder that worlds are kept in."""
    size: int = 64
    """Side of the clips in pixels."""
    seed: int = 0
    """Of motion; of footage: of the filter, the same for every clip."""
    frames: int | None = None
    """Frames of each clip to learn from. None: 600 drawn; of footage all that it has, which is also the most."""
    test_frames: int | None = None
    """Frames of the clip to translate. None: 150 drawn; of footage all that it has."""
    looks: int = 0
    """Of the plain world, also clips of the first character in so many other looks, up to ten: look-0.mp4 and so on,
    and the answers, truth-look-0.mp4."""
    labelled: bool = False
    """Of the plain world, also both characters' pictures with what each pixel shows, for `retarget adapt`."""


@dataclass(frozen=True, kw_only=True)
class CompareMethodsOptions(Hardware):
    """Train methods on worlds with a known truth under one budget, and write the tables of methods and measures.

    Results are of all the runs in the folder that had this budget: methods, seeds and worlds may be given in parts.
    """

    methods: tuple[Contender, ...] = get_args(Contender)
    """Contenders: methods with and without their options."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of weights and order."""
    worlds: tuple[WorldName, ...] = ("plain",)
    """Drawn worlds to compare on, see `retarget world`. May be none where --from is given."""
    footage: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Real footage to compare on as well, drawn over."""
    world_seed: int = 0
    """Seed of the worlds: tune on one, judge on another."""
    steps: int | None = None
    """Steps of a run. 2000 where --minutes is not given either."""
    minutes: float | None = None
    """Minutes of a run on one undisturbed thread of this machine, instead of steps: then what is slow gets less far.
    How many steps a minute each method makes is measured once, in turns, and kept in the folder as pace.json; a run is
    then so many steps long, so that it can be repeated and a busy moment favours nobody."""
    size: int = 64
    """Side of the drawn clips and of training, in pixels."""
    preset: PresetName = "tiny"
    """Sizes of the networks, as `retarget train` has them."""
    frames: int = 600
    """Frames of each clip to learn from; of footage at most so many."""
    test_frames: int = 150
    """Frames of the clip to translate; of footage at most so many."""
    jobs: int = 2
    """Runs at a time, each on one thread."""
    folder: Path = Path("comparison")
    """Folder of worlds, runs and results. What is done in it is not done again."""

    @property
    def budget_steps(self) -> int:
        """Steps of a run whose budget is not minutes."""
        return 2000 if self.steps is None else self.steps


@dataclass(frozen=True, kw_only=True)
class AdaptOptions(WhichCheckpoint, WhichRun):
    """Say what a translation is worth to recognition: a network that labels pixels learns from labelled pictures of A,
    as they are and translated, and is tested on B."""

    source: Path
    """Labelled pictures of A: a folder that holds images/ and labels/, files of the same names."""
    target: Path
    """The like of B. The last third is tested on; the rest is what the oracle learns from."""
    labels: Path
    """Palette of the label maps, as `retarget evaluate --labels` takes it; the colour called void is no class."""
    network: Literal["small", "lraspp_mobilenet_v3_large", "fcn_resnet50", "deeplabv3_resnet50"] = "small"
    """What labels: a small network for small pictures, or one of torchvision's."""
    steps: int = 1000
    """Steps of each training, of eight pictures."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of weights and order."""
    output: Path | None = None
    """Folder to write into. By default adapt/ in the run's folder."""


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """The whole way on a drawn world where the right answer is known, in ten minutes on two CPU cores."""

    quick: bool = False
    """Seconds instead: weights that come with retarget translate a drawn clip. Nothing is trained, so of the other
    options only --seed and --folder (it takes quick/ in there) go with it."""
    minutes: float = 8.5
    """Minutes of training."""
    frames: int = 600
    """Frames of each training clip."""
    test_frames: int = 150
    """Frames of the test clip."""
    size: int = 64
    """Side of the drawn clips in pixels."""
    method: Annotated[MethodName, tyro.conf.arg(help=METHODS_HELP)] = DEFAULT
    seed: int = 0
    """Seed of the world and of training."""
    folder: Path = Path("demo")
    """Folder that everything is left in."""
