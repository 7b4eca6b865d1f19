"""`retarget compare-methods`: methods against each other on worlds where the right answer is known.

Every contender trains by `retarget train` on the same unpaired clips and is judged by `retarget evaluate` on a test
clip that it never saw, one process of one thread each. A run that is done is not done again, one that was stopped goes
on: the same command finishes the tables, and another one adds to them.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.disk import make_folder, write_bytes
from data.domain.pictures import captioned, resize, sheet, write_picture, write_sheet
from data.errors import RetargetError, SettingsError, TrainingError
from data.video.reader import read_frames
from pipelines.advice import advised
from pipelines.comparing.course import course, save_every
from pipelines.comparing.pace import steps_in
from pipelines.comparing.setting import Setting
from pipelines.judging.results import Job, Result, budget_of, read_result, written
from pipelines.pages.chart import line_chart
from pipelines.places import say
from pipelines.subcommands import Quiet
from pipelines.world_options import CompareMethodsOptions, Contender

CONTENDERS: dict[Contender, tuple[str, ...]] = {
    "equivariant": ("--method", "equivariant"),
    "cyclegan": ("--method", "cyclegan"),
    "cyclegan-light": ("--method", "cyclegan", "--adversarial", "0.3", "--identity", "0"),
    "recyclegan": ("--method", "recyclegan"),
    "recyclegan-predictor-adversarial": ("--method", "recyclegan", "--predictor-adversarial", "1"),
    "recyclegan-cycle-identity": ("--method", "recyclegan", "--cycle", "10", "--identity", "5"),
    "recyclegan-cycle-light": ("--method", "recyclegan", "--cycle", "10", "--adversarial", "0.3"),
    "syntheticflow": ("--method", "syntheticflow", "--content", "0"),
    "cut": ("--method", "cut"),
    "fastcut": ("--method", "fastcut"),
    "augmented": ("--method", "augmented"),
    "pairedcycle": ("--method", "pairedcycle"),
    "stargan": ("--method", "stargan"),
    "combogan": ("--method", "combogan"),
}
"""Name in a comparison -> what `retarget train` is given beside the preset; all else is as published. "light" have a
weaker adversarial term. syntheticflow goes without its content term, whose weights not every machine has."""
SHEET_MOMENTS = 8
SHEET_CELL_PX = 128
THREADS = 1
"""Of each run: as many as give the same bytes on every machine with this processor."""


def compare_methods(options: CompareMethodsOptions) -> None:
    """Trains, judges, and writes results.md, and for each world WORLD.png and WORLD.svg, into the folder.

    Raises RetargetError.
    """
    with Quiet(THREADS) as commands:
        setting = Setting(options, commands)
        _check(setting)
        folder = make_folder(options.folder)
        setting.claim()
        for world in setting.worlds:
            setting.prepare(world)
        steps = _steps(setting)
        failed = _run_all(setting, steps)
        results = {job: found for job in setting.runs() if (found := read_result(setting.run_of(job))) is not None}
        if not results:
            raise TrainingError(f"no run has a result: {failed[0]}")
        results = {job: results[job] for job in sorted(results, key=_order)}
        worlds = list(dict.fromkeys(world for world, _, _ in results))
        references = {world: _references(setting, next(j for j in results if j[0] == world)) for world in worlds}
    charts = {world: _charted(setting, world, results) for world in worlds}
    report = written(results, references, options, charts)
    write_bytes(folder / "results.md", report.encode())
    for world in worlds:
        _draw(setting, world, results)
    say(report)
    say(f"Look at {', '.join(f'{world}.png' for world in worlds)} in {folder}; every figure is in results.md there")
    if failed:
        asked = len(setting.worlds) * len(options.methods) * len(options.seeds)
        raise TrainingError(f"{len(failed)} of {asked} runs have no result: {'; '.join(failed)}")


def _check(setting: Setting) -> None:
    """Raises SettingsError."""
    options = setting.options
    for name in ("methods", "seeds"):
        given = getattr(options, name)
        if not given or len(set(given)) < len(given):
            raise SettingsError(f"--{name}: give at least one, and none twice")
    if not setting.worlds or len(set(setting.worlds)) < len(setting.worlds):
        raise SettingsError("--worlds, --from: give at least one world, and none twice")
    if options.steps is not None and options.minutes is not None:
        raise SettingsError("--steps and --minutes: one budget, not two")
    if min(options.jobs, options.frames - 19, options.test_frames - 9) < 1:
        raise SettingsError("--jobs has to be at least 1, --frames at least 20, --test-frames at least 10")


def _order(job: Job) -> tuple[str, int, str, int]:
    """Worlds together, contenders in the order of their table, what is in it no longer at the end."""
    world, name, seed = job
    names = list(CONTENDERS)
    return world, names.index(name) if name in names else len(names), name, seed  # type: ignore[arg-type]


def _steps(setting: Setting) -> dict[Contender, int]:
    """The budget of each contender."""
    options = setting.options
    if options.minutes is None:
        return dict.fromkeys(options.methods, options.budget_steps)
    return steps_in(setting, {name: CONTENDERS[name] for name in options.methods}, options.minutes)


def _run_all(setting: Setting, steps: dict[Contender, int]) -> list[str]:
    """Trains and judges what is asked for, and says which runs failed and why."""
    options = setting.options
    jobs = [(world, name, seed) for seed in options.seeds for world in setting.worlds for name in options.methods]
    failed: list[str] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(_one_run, setting, job, steps[job[1]]): job for job in jobs}
        try:
            for future in _as_they_end(futures):
                world, name, seed = futures[future]
                try:
                    future.result()
                    say(f"{name} on {world}, seed {seed}: done")
                except RetargetError as error:
                    failed.append(f"{name} on {world} with seed {seed} ({advised(error)})")
        except BaseException:
            for future in futures:
                future.cancel()
            setting.commands.stop()  # before the pool waits for them
            raise
    return failed


def _as_they_end(futures: dict[Future, tuple[str, Contender, int]]) -> Iterator[Future]:
    with tqdm(total=len(futures), unit="run", disable=None, file=sys.stderr) as bar:
        for future in as_completed(futures):
            yield future
            bar.update()


def _one_run(setting: Setting, job: tuple[str, Contender, int], steps: int) -> None:
    """Trains and judges one contender, as far as that is not done. Raises RetargetError, KeyboardInterrupt."""
    run = setting.run_of(job)
    make_folder(run.parent)
    log = run.with_name(f"{run.name}.log")
    if read_result(run) is None:
        setting.train(job, run, CONTENDERS[job[1]], steps, log, *save_every(steps))
        _evaluate(setting, job, log=log)
    if read_result(run) is None:
        raise TrainingError(f"{run}: evaluated, and there is no evaluation; see {log}")
    course(run, setting.clips(job[0]), steps)


def _evaluate(setting: Setting, job: Job, *more: object, log: Path) -> None:
    clips = setting.clips(job[0])
    setting.commands.run(
        *("evaluate", "--run", setting.run_of(job), "--checkpoint", "newest", "--domains", setting.domains(job[0])),
        *("--input", clips.test, "--truth", clips.truth, "--accelerator", setting.options.accelerator),
        *more,
        log=log,
    )


def _references(setting: Setting, job: Job) -> dict[str, Result]:
    """What the truth itself, the source unchanged, and the mean picture of B would come to on the job's world."""
    clips, folder = setting.clips(job[0]), setting.options.folder / "references" / job[0]
    mean = np.asarray(np.mean([frame.rgb for frame in read_frames(clips.b)], axis=0).round(), np.uint8)
    make_folder(folder / "mean-picture")
    for number, _ in enumerate(read_frames(clips.test)):
        write_picture(folder / "mean-picture" / f"{number:06d}.png", mean)
    named = {
        "the truth itself": clips.truth,
        "the source unchanged": clips.test,
        "the mean picture of B": folder / "mean-picture",
    }
    found = {}
    for number, (title, clip) in enumerate(named.items()):
        output = folder / f"{number}"
        if read_result(setting.run_of(job), output) is None:
            _evaluate(setting, job, "--result", clip, "--output", output, log=folder / "evaluate.log")
        result = read_result(setting.run_of(job), output)
        assert result is not None
        found[title] = result
    return found


def _charted(setting: Setting, world: str, results: dict[Job, Result]) -> str:
    """WORLD.svg: PSNR of each contender at parts of the budget, the mean of its seeds. Returns the file's name."""
    options, lines = setting.options, {}
    length = options.minutes if options.minutes is not None else options.budget_steps
    for name in dict.fromkeys(name for where, name, _ in results if where == world):
        jobs = [job for job in results if job[:2] == (world, name)]
        courses = [course(setting.run_of(job), setting.clips(world), results[job].step) for job in jobs]
        points = zip(*courses, strict=False)
        lines[name] = [(length * np.mean([p for p, _ in at]), np.mean([db for _, db in at])) for at in points]
    unit = "minutes" if options.minutes is not None else "steps"
    chart = line_chart(lines, f"{world}: {budget_of(options)}", unit, "PSNR against the truth, dB")
    write_bytes(options.folder / f"{world}.svg", chart.encode())
    return f"{world}.svg"


def _draw(setting: Setting, world: str, results: dict[Job, Result]) -> None:
    """WORLD.png: the same moments of source, truth, and every contender's first seed that has a result."""
    clips: dict[str, Path] = {"source": setting.clips(world).test, "truth": setting.clips(world).truth}
    for job in results:
        if job[0] == world:
            clips.setdefault(job[1], setting.run_of(job) / "evaluation" / "result.mp4")
    cell = (SHEET_CELL_PX, SHEET_CELL_PX)
    rows = []
    for title, clip in clips.items():
        frames = [frame.rgb for frame in read_frames(clip)]
        moments = [round(moment) for moment in np.linspace(0, len(frames) - 1, SHEET_MOMENTS)]
        shown = [resize(frames[moment], cell) for moment in moments]
        rows.append([captioned(np.concatenate(shown, axis=1), title)])
    write_sheet(setting.options.folder / f"{world}.png", sheet(rows))
