"""Where a comparison keeps what, and what all its runs share."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.disk import check_name, name_from, write_json
from data.errors import SettingsError
from data.world.clips import World
from pipelines.judging.results import Job, budget_of
from pipelines.subcommands import Quiet
from pipelines.world_options import CompareMethodsOptions


@dataclass(frozen=True)
class Setting:
    """folder/worlds/WORLD has the clips of a world, its domains under it; folder/runs/WORLD the runs on it."""

    options: CompareMethodsOptions
    commands: Quiet

    @property
    def worlds(self) -> list[str]:
        """Names of the worlds asked for."""
        footage = self.options.footage
        return [*self.options.worlds, *([] if footage is None else [name_from(footage.stem)])]

    def clips(self, world: str) -> World:
        """Raises SettingsError."""
        folder = self.options.folder / "worlds" / world
        try:
            names = json.loads((folder / "world.json").read_bytes())["clips"]
            return World(**{part: folder / check_name(names[part], "clip") for part in World._fields})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{folder / 'world.json'}: damaged; remove {folder} and start again") from error

    def domains(self, world: str) -> Path:
        return self.options.folder / "worlds" / world / "domains"

    def run_of(self, job: Job) -> Path:
        """Runs of another budget keep their own folders."""
        world, name, seed = job
        return self.options.folder / "runs" / world / f"{name}-{self._budget}-seed-{seed}"

    @property
    def _budget(self) -> str:
        return budget_of(self.options).replace(" ", "-")

    def runs(self) -> Iterator[Job]:
        """Every run in the folder under this budget, on whatever world, done or not."""
        pattern = re.compile(rf"(.+)-{re.escape(self._budget)}-seed-(\d+)")
        for path in sorted(self.options.folder.glob("runs/*/*/")):
            found = pattern.fullmatch(path.name)
            if found:
                yield path.parent.name, found[1], int(found[2])

    def claim(self) -> None:
        """Runs of one folder have seen the same worlds. Raises SettingsError where they are not these."""
        shared = ("size", "preset", "frames", "test_frames", "world_seed")
        mine = {name: getattr(self.options, name) for name in shared}
        path = self.options.folder / "comparison.json"
        if not path.exists():
            write_json(path, mine)
        elif json.loads(path.read_bytes()) != mine:
            theirs = " ".join(path.read_text().split())
            raise SettingsError(f"{self.options.folder}: holds a comparison of {theirs}; give another --folder")

    def prepare(self, world: str) -> None:
        """Writes the clips of a world and extracts them, as far as that is not done. Raises TrainingError."""
        options, folder = self.options, self.options.folder / "worlds"
        what = ("--world", world) if world in options.worlds else ("--from", options.footage)
        log = options.folder / f"{world}.log"
        self.commands.run(
            *("world", *what, "--name", world, "--output", folder, "--size", options.size),
            *("--seed", options.world_seed, "--frames", options.frames, "--test-frames", options.test_frames),
            log=log,
        )
        for clip in self.clips(world)[:2]:
            if not (self.domains(world) / clip.stem / "domain.json").exists():
                self.commands.run(
                    *("extract", clip, "--align", "none", "--size", options.size, "--domains", self.domains(world)),
                    log=log,
                )

    def train(self, job: Job, run: Path, words: tuple[object, ...], steps: int, log: Path, *more: object) -> None:
        """words: what makes the contender. Raises TrainingError, KeyboardInterrupt."""
        world, _, seed = job
        options, clips = self.options, self.clips(world)
        self.commands.run(
            *("train", clips.a.stem, clips.b.stem, "--domains", self.domains(world), "--run", run),
            *("--preset", options.preset, *words, "--size", options.size, "--no-crop-jitter", "--seed", seed),
            *("--steps", steps, "--accelerator", options.accelerator, *more),
            log=log,
        )
