"""How long training goes on, and at what rate: constant at first, then linear towards 0, which it never reaches."""

from dataclasses import dataclass

from recycle.config import TrainingConfig


@dataclass(frozen=True)
class Schedule:
    """Length in optimisation steps or in seconds of training."""

    length: float
    in_steps: bool
    constant_part: float

    @classmethod
    def of(cls, config: TrainingConfig) -> "Schedule":
        """Raises ValueError where the configuration gives no length, or two."""
        if (config.steps is None) == (config.minutes is None):
            raise ValueError("give one of --steps and --minutes")
        if config.steps is not None:
            return cls(config.steps, True, config.constant_part)
        assert config.minutes is not None
        return cls(config.minutes * 60, False, config.constant_part)

    def done(self, step: int, seconds: float) -> float:
        """What has been done of `length` after `step` steps in `seconds`."""
        return step if self.in_steps else seconds

    def over(self, step: int, seconds: float) -> bool:
        """Whether training ends after `step` steps and `seconds`."""
        return self.done(step, seconds) >= self.length

    def progress(self, step: int, seconds: float) -> float:
        """Part of the length that is done after `step` steps and `seconds`, in [0, 1] for either kind of length."""
        return min(self.done(step, seconds) / self.length, 1.0)

    def factor(self, step: int, seconds: float) -> float:
        """Part of the full learning rate for the next step, in (0, 1] as long as training is not over."""
        done, constant = self.done(step, seconds), self.constant_part * self.length
        return 1.0 if done < constant else (self.length - done) / (self.length - constant)


@dataclass(frozen=True)
class TrainingResult:
    """How far training came."""

    step: int
    seconds: float
    interrupted: bool
    """Asked to stop (Ctrl-C, SIGTERM) before it was done. Saved all the same."""
