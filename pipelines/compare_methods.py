"""`retarget compare-methods`: methods against each other on the drawn world, where the right answer is known.

Every contender trains by `retarget train` on the same unpaired clips and is judged by `retarget evaluate` on a test
clip that it never saw, one process of one thread each. A run that is done is not done again, one that was stopped goes
on: the same command finishes the table.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.disk import make_folder, write_bytes, write_json
from data.domain.pictures import captioned, resize, sheet, write_picture, write_sheet
from data.errors import RetargetError, SettingsError, TrainingError
from data.video.reader import read_frames
from data.world.clips import World
from data.world.worlds import WORLDS
from pipelines.judging.results import Result, budget_of, read_result, written
from pipelines.options import CompareMethodsOptions, Contender
from pipelines.places import say
from pipelines.subcommands import Quiet

CONTENDERS: dict[Contender, tuple[str, ...]] = {
    "cyclegan": ("--method", "cyclegan"),
    "cyclegan-light": ("--method", "cyclegan", "--adversarial", "0.3", "--identity", "0"),
    "recyclegan": ("--method", "recyclegan"),
    "recyclegan-predictor-adversarial": ("--method", "recyclegan", "--predictor-adversarial", "1"),
    "recyclegan-cycle-identity": ("--method", "recyclegan", "--cycle", "10", "--identity", "5"),
    "recyclegan-cycle-light": ("--method", "recyclegan", "--cycle", "10", "--adversarial", "0.3"),
    "syntheticflow": ("--method", "syntheticflow", "--content", "0"),
}
"""Name in a comparison -> what `retarget train` is given beside the preset; all else is as published. "light" are the
weights of the demo. syntheticflow goes without its content term, whose weights not every machine has."""
WORLD_SEED = 0
SHEET_MOMENTS = 8
SHEET_CELL_PX = 128
THREADS = 1
"""Of each run: as many as give the same bytes on every machine with this processor."""


@dataclass(frozen=True)
class _Setting:
    """What all contenders share."""

    options: CompareMethodsOptions
    world: World
    domains: Path
    commands: Quiet

    def run_of(self, name: Contender, seed: int) -> Path:
        """Runs of another budget keep their own folders."""
        budget = budget_of(self.options).replace(" ", "-")
        return self.options.folder / "runs" / f"{name}-{budget}-seed-{seed}"


def compare_methods(options: CompareMethodsOptions) -> None:
    """Trains, judges, and writes results.md and sheet.png into the folder. Raises RetargetError."""
    _check(options)
    folder = make_folder(options.folder)
    _claim(folder, options)
    world = WORLDS["plain"].write(
        folder / "world" / "clips", WORLD_SEED, options.frames, options.test_frames, options.size
    )
    make_folder(folder / "runs")
    with Quiet(THREADS) as commands:
        setting = _Setting(options, world, folder / "world" / "domains", commands)
        _extract(setting)
        results, failed = _all_runs(setting)
        references = _references(setting, next(iter(results)))
    report = written(results, references, options)
    write_bytes(folder / "results.md", report.encode())
    _draw(setting, list(dict.fromkeys(name for name, _ in results)))
    say(report)
    say(f"Look at {folder / 'sheet.png'}; every figure is in {folder / 'results.md'}")
    if failed:
        raise TrainingError(f"{len(failed)} of {len(failed) + len(results)} runs have no result: {'; '.join(failed)}")


def _check(options: CompareMethodsOptions) -> None:
    """Raises SettingsError."""
    for name in ("methods", "seeds"):
        given = getattr(options, name)
        if not given or len(set(given)) < len(given):
            raise SettingsError(f"--{name}: give at least one, and none twice")
    if options.steps is not None and options.minutes is not None:
        raise SettingsError("--steps and --minutes: one budget, not two")
    if min(options.jobs, options.frames - 19, options.test_frames - 9) < 1:
        raise SettingsError("--jobs has to be at least 1, --frames at least 20, --test-frames at least 10")


def _claim(folder: Path, options: CompareMethodsOptions) -> None:
    """Runs of one folder have seen one world. Raises SettingsError where it is not this one."""
    mine = {name: getattr(options, name) for name in ("size", "preset", "frames", "test_frames")}
    path = folder / "comparison.json"
    if not path.exists():
        write_json(path, mine)
    elif json.loads(path.read_bytes()) != mine:
        raise SettingsError(f"{folder}: holds a comparison of {path.read_text().strip()}; give another --folder")


def _extract(setting: _Setting) -> None:
    for clip in (setting.world.a, setting.world.b):
        if (setting.domains / clip.stem / "domain.json").exists():
            continue
        setting.commands.run(
            *("extract", clip, "--align", "none", "--size", setting.options.size, "--domains", setting.domains),
            log=setting.options.folder / "world" / "extract.log",
        )


def _all_runs(setting: _Setting) -> tuple[dict[tuple[Contender, int], Result], list[str]]:
    """What every contender came to, by name and seed, and in words which failed. Raises TrainingError if all did."""
    options = setting.options
    jobs = [(name, seed) for seed in options.seeds for name in options.methods]
    results: dict[tuple[Contender, int], Result] = {}
    failed: list[str] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(_one_run, setting, name, seed): (name, seed) for name, seed in jobs}
        try:
            for future in _as_they_end(futures):
                name, seed = futures[future]
                try:
                    results[name, seed] = future.result()
                    say(f"{name}, seed {seed}: done")
                except RetargetError as error:
                    failed.append(f"{name} with seed {seed} ({error})")
        except BaseException:
            for future in futures:
                future.cancel()
            setting.commands.stop()  # before the pool waits for them
            raise
    if not results:
        raise TrainingError(f"no run has a result: {failed[0]}")
    return {job: results[job] for job in jobs if job in results}, failed


def _as_they_end(futures: dict[Future, tuple[Contender, int]]) -> Iterator[Future]:
    with tqdm(total=len(futures), unit="run", disable=None, file=sys.stderr) as bar:
        for future in as_completed(futures):
            with tqdm.external_write_mode(file=sys.stderr):
                yield future
            bar.update()


def _one_run(setting: _Setting, name: Contender, seed: int) -> Result:
    """Trains and judges one contender, as far as that is not done. Raises TrainingError, KeyboardInterrupt."""
    options, run = setting.options, setting.run_of(name, seed)
    log = run.with_name(f"{run.name}.log")
    found = read_result(run)
    if found is not None:
        return found
    budget = ("--minutes", options.minutes) if options.minutes is not None else ("--steps", options.budget_steps)
    setting.commands.run(
        *("train", "anna", "ben", "--domains", setting.domains, "--run", run, "--preset", options.preset),
        *(*CONTENDERS[name], "--size", options.size, "--no-crop-jitter", "--seed", seed, *budget),
        *("--accelerator", options.accelerator),
        log=log,
    )
    _evaluate(setting, run, log=log)
    found = read_result(run)
    if found is None:
        raise TrainingError(f"{run}: evaluated, and there is no evaluation; see {log}")
    return found


def _evaluate(setting: _Setting, run: Path, *more: object, log: Path) -> None:
    setting.commands.run(
        *("evaluate", "--run", run, "--checkpoint", "newest", "--domains", setting.domains),
        *("--input", setting.world.test, "--truth", setting.world.truth, "--accelerator", setting.options.accelerator),
        *more,
        log=log,
    )


def _references(setting: _Setting, job: tuple[Contender, int]) -> dict[str, Result]:
    """What the truth itself, the source unchanged, and the mean picture of B would come to."""
    folder = setting.options.folder / "references"
    frames = [frame.rgb for frame in read_frames(setting.world.b)]
    mean = np.asarray(np.mean(frames, axis=0).round(), np.uint8)
    make_folder(folder / "mean-picture")
    for number in range(setting.options.test_frames):
        write_picture(folder / "mean-picture" / f"{number:06d}.png", mean)
    clips = {
        "the truth itself": setting.world.truth,
        "the source unchanged": setting.world.test,
        "the mean picture of B": folder / "mean-picture",
    }
    found = {}
    for number, (title, clip) in enumerate(clips.items()):
        run, output = setting.run_of(*job), folder / f"{number}"
        if read_result(run, output) is None:
            _evaluate(setting, run, "--result", clip, "--output", output, log=folder / "evaluate.log")
        result = read_result(run, output)
        assert result is not None
        found[title] = result
    return found


def _draw(setting: _Setting, names: list[Contender]) -> None:
    """sheet.png: the same moments of source, truth, and every contender's first seed that has a result."""
    moments = [round(moment) for moment in np.linspace(0, setting.options.test_frames - 1, SHEET_MOMENTS)]
    clips: dict[str, Path] = {"source": setting.world.test, "truth": setting.world.truth}
    for name in names:
        seed = next(s for s in setting.options.seeds if read_result(setting.run_of(name, s)))
        clips[name] = setting.run_of(name, seed) / "evaluation" / "result.mp4"
    cell = (SHEET_CELL_PX, SHEET_CELL_PX)
    rows = []
    for title, clip in clips.items():
        shown = [resize(f.rgb, cell) for number, f in enumerate(read_frames(clip)) if number in moments]
        rows.append([captioned(np.concatenate(shown, axis=1), title)])
    write_sheet(setting.options.folder / "sheet.png", sheet(rows))
