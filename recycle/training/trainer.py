"""The loop: step, log, sample, save, resume. Knows the shape that every method has and nothing else about them.

A run that was stopped at any moment and started again ends with the same bytes, on a CPU with one thread, as one that
was never stopped: weights, running mean, optimisers, random states and history pools are saved, the schedule is
computed from the step, and step number k always gets the same windows.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor

from recycle.config import TrainingConfig
from recycle.methods.base import Method, Moment
from recycle.runs.checkpoint import load_newest
from recycle.runs.runfolder import check_settings, checkpoints_folder, in_use, write_settings
from recycle.training.growth import Growth
from recycle.training.health import TrainingDiverged, Watch, diverged, not_finite
from recycle.training.heldout import HeldOut, offset_px
from recycle.training.interrupt import StopRequest, stop_signals
from recycle.training.learner import Learner
from recycle.training.parallel import from_first, largest_over_processes, resolve_precision
from recycle.training.pixels import to_values
from recycle.training.randomness import undisturbed
from recycle.training.readings import Readings
from recycle.training.runlog import RunLog
from recycle.training.saver import Saver
from recycle.training.schedule import Schedule, TrainingResult
from recycle.training.selection import Selection

EARLY = 0.1
"""Part of the training after which held-out frames are looked at for signs that it went wrong."""
Batches = Callable[[int], Iterator[Sequence[Tensor]]]
"""From a step on, endless: windows of every domain (B, T, 3, H, W), uint8 or float32 in [-1, 1]; a step's never
change."""
Samples = dict[str, Tensor]


def train(
    method: Method,
    batches: Batches,
    config: TrainingConfig,
    run: Path,
    *,
    fabric: Fabric,
    settings: dict[str, Any],
    sample_windows: Sequence[Tensor],
    held_out: Mapping[str, Tensor],
    on_samples: Callable[[int, Samples], None],
    on_note: Callable[[str], None],
) -> TrainingResult:
    """Trains `method` until the length in `config` is reached, from the newest checkpoint in `run` on.

    fabric: from `make_fabric(config)`, called before the method was built. settings: what config.json is to hold beside
    `config`; has to be the same when a run goes on. sample_windows: of every domain, those that `method.samples` of
    the running mean is shown for, given to `on_samples` with the step: pictures float32 (B, 3, H, W) on the CPU.
    held_out: windows as `HeldOut` takes them, always the same, by which checkpoints are compared every `save_every`
    steps and at the end; the first process alone needs them. on_note gets every line a user should read. Both are
    called on the first process only.

    Raises TrainingDiverged, ProcessLost, SettingsMismatch, RunInUse, CheckpointError (all ValueError), and OSError,
    for a full disk (at the next save, for checkpoints are written while training goes on); the last good checkpoint
    stays in each case.
    """
    first = fabric.global_rank == 0
    with in_use(run, wanted=first), stop_signals(insist=fabric.world_size == 1) as request:
        loop = _Loop(method, config, run, fabric, on_note)
        loop.start(settings, held_out)
        if loop.over:
            loop.note(f"training was done already, at step {loop.step}; give a longer --steps or --minutes to go on")
            return TrainingResult(loop.step, loop.seconds, interrupted=False)
        try:
            loop.run_steps(batches, request, sample_windows, on_samples)
            loop.saver.wait()
        finally:
            loop.close()
    interrupted = not loop.over
    if interrupted:
        loop.note(f"stopped and saved at step {loop.step}; the same command goes on from there")
    else:
        loop.note(loop.selection.summary())
    return TrainingResult(loop.step, loop.seconds, interrupted)


class _Loop:
    """State of one training run on one process."""

    def __init__(
        self, method: Method, config: TrainingConfig, run: Path, fabric: Fabric, on_note: Callable[[str], None]
    ) -> None:
        self.config, self.run, self.fabric, self.on_note = config, run, fabric, on_note
        self.schedule = Schedule.of(config)
        self.learner = Learner(method, config, fabric)
        self.growth = Growth(method.grow)
        self.watch = Watch()
        self.selection = Selection(checkpoints_folder(run))
        self.log: RunLog | None = None
        self.step, self.seconds, self.stopped = 0, 0.0, False
        self.saved_step, self.saved_seconds = 0, 0.0
        self.rate = config.learning_rate
        self.precision = resolve_precision(config.precision, fabric.device.type)
        self.readings = Readings()
        self.saver = Saver(checkpoints_folder(run), config.keep)

    @property
    def over(self) -> bool:
        return self.schedule.over(self.step, self.seconds)

    def start(self, settings: dict[str, Any], held_out: Mapping[str, Tensor]) -> None:
        """Everything as it was at the newest checkpoint, or as the seed makes it."""
        fabric, checkpoint = self.fabric, None
        if fabric.global_rank == 0:
            checkpoint = load_newest(checkpoints_folder(self.run), on_note=self.note)
            if checkpoint is not None:
                check_settings(self.run, settings, self.config, self.precision, self.note)
            write_settings(self.run, settings, self.config, self.precision)
        checkpoint = from_first(fabric, checkpoint)
        if checkpoint is not None:
            state = checkpoint.state
            self.step, self.seconds = checkpoint.step, state["seconds"]
            self.saved_step, self.saved_seconds = self.step, self.seconds
            self.readings.load(state)
            self.growth.side = state.get("side", self.growth.side)
            self.watch.load(state["watch"])
            self.selection = Selection(self.selection.folder, state.get("selection"))
            self.note(self.learner.restore(checkpoint))
        if fabric.global_rank == 0:
            self.note(self.selection.mark())
        if self.over:
            return
        count = f"{fabric.world_size} processes" if fabric.world_size > 1 else "1 process"
        going_on = f", going on from step {self.step}" if self.step else ""
        small = f", on pictures from {self.growth.side} px up" if self.growth.first else ""
        self.note(f"training on {fabric.device.type}, {count}, in {self.precision}{small}{going_on}")
        if fabric.global_rank == 0:
            self.log = RunLog(self.run, self.schedule, self.step, self.seconds)
            self.note(self.selection.begin(HeldOut(self.learner.method, held_out), self.log))

    def run_steps(
        self,
        batches: Batches,
        request: StopRequest,
        sample_windows: Sequence[Tensor],
        on_samples: Callable[[int, Samples], None],
    ) -> None:
        """Steps until training is over or has been asked to stop. Ends saved."""
        config, device = self.config, self.fabric.device
        began = time.monotonic() - self.seconds
        stream = undisturbed(lambda: batches(self.step))
        while not (self.over or self.stopped):
            windows = next(stream)
            self.rate = config.learning_rate * self.schedule.factor(self.step, self.seconds)
            windows = [to_values(each.to(device, non_blocking=True)) for each in windows]
            moment = Moment(self.step + 1, self.schedule.progress(self.step, self.seconds))
            windows = self.growth.fit(windows, moment.progress)
            self.readings.add(self.learner.step(moment, self.rate, *windows))
            self.step += 1
            log_due, sample_due, save_due = (
                self.step % every == 0 for every in (config.log_every, config.sample_every, config.save_every)
            )
            if not (log_due or sample_due or save_due or self._worth_reading(request)):
                continue
            self._agree(time.monotonic() - began, request)
            self._read_values()
            # In this order, so that what a checkpoint comes after is complete.
            if log_due or self.over:
                self._write_row()
            if sample_due or self.over:
                self._sample(sample_windows, on_samples)
            # Not where a signal or the clock asks to save: a run that was stopped has the history of one that was not.
            self._compare(save_due or self.over)
            if save_due or self.over or self.stopped or self.seconds - self.saved_seconds > 60 * config.save_minutes:
                self._save()

    def _worth_reading(self, request: StopRequest) -> bool:
        """Whether to read losses and clock after an ordinary step. Reading from a GPU makes it wait."""
        if self.fabric.device.type == "cpu" or (self.schedule.in_steps and self.over):
            return True
        return bool(request) and self.fabric.world_size == 1  # many processes first have to agree

    def _agree(self, seconds: float, request: StopRequest) -> None:
        """Settles, alike on all processes, how much time has passed and whether to stop."""
        self.seconds, stop = largest_over_processes([seconds, float(bool(request))], self.fabric.device)
        self.stopped = bool(stop)

    def _read_values(self) -> None:
        """Reads what the steps since the last reading came to; stops training at a value that is no number."""
        rows = self.readings.read()
        for number, values in enumerate(rows, start=self.step - len(rows) + 1):
            bad = not_finite(values)
            if bad:
                raise self._diverged(bad, number)
            self.note(self.watch.see_loss(values["discriminators"]))
        if self.log:
            self.log.progress(self.step, self.seconds, values["generators"], values["discriminators"])

    def _write_row(self) -> None:
        means = self.readings.means()  # on every process, which sum anew after it
        if self.log:
            self.log.row(self.step, self.seconds, self.rate, means)

    def _sample(self, windows: Sequence[Tensor], on_samples: Callable[[int, Samples], None]) -> None:
        if self.log:
            samples = self.learner.samples(*windows)
            self.note(self.watch.see_samples(samples))
            self.log.pictures(self.step, samples)
            on_samples(self.step, samples)

    def _compare(self, due: bool) -> None:
        """Looks at held-out frames where checkpoints are to be compared, and once at a tenth of the training."""
        begun = self.schedule.done(self.step, self.seconds) >= EARLY * self.schedule.length
        early = begun and not self.watch.looked_early
        self.watch.looked_early |= early
        if (due or early) and self.log:
            parts = self.selection.look(self.learner)
            self.note(self.watch.see_held_out(parts, offset_px(parts)))
            if due:
                self.note(self.selection.compare(self.step, parts, self.log))

    def _save(self) -> None:
        bad = self.learner.not_finite()
        if bad:
            raise self._diverged(f"{bad} is not finite", self.step)
        groups, state = self.learner.snapshot()
        state |= {"seconds": self.seconds, "watch": self.watch.state(), "selection": self.selection.state()}
        state |= self.readings.state() | {"side": self.growth.side}
        if self.fabric.global_rank == 0:
            self.saver.save(self.step, groups, state, self.selection.best)
        self.saved_step, self.saved_seconds = self.step, self.seconds

    def _diverged(self, what: str, step: int) -> TrainingDiverged:
        """What ends training, once the checkpoint that it names is there. Raises OSError where that failed."""
        self.saver.wait()
        return diverged(what, step, self.saved_step, self.config.learning_rate, self.precision)

    def note(self, line: str | None) -> None:
        """Tells the user, once however many processes there are."""
        if line is not None and self.fabric.global_rank == 0:
            self.on_note(line) if self.log is None else self.log.say(line, self.on_note)

    def close(self) -> None:
        """Ends bar, log and the thread that saves, which finishes what it has begun."""
        self.saver.close()
        if self.log:
            self.log.close()
            self.log = None
