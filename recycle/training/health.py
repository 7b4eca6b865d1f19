"""Signs that training has gone wrong: losses that are no numbers, one side that has won."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

WON_PART = 0.02
"""Discriminators have won when their loss is under this part of what it was in the first step ..."""
WON_STEPS = 200
"""... for so many steps on end."""
ALIKE_PART = 0.05
"""Translations are alike when they vary less than this part of how the sources of both domains vary."""

OFFSET_PX = 0.5
"""Translations that lie further beside their place, on pictures of 64 px, are worth a word."""
STILL_TEMPORAL = 1.0
"""Translations do not follow their sources where the temporal part of the score is above this; one picture has 2."""


class TrainingDiverged(ValueError):  # noqa: N818 (an outcome, not a programming error)
    """A loss or a gradient is no number any more. One line: which, when, what to do."""


def not_finite(values: Mapping[str, float]) -> str | None:
    """The first of the named values that is infinite or no number, in words."""
    return next((f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)), None)


class Watch:
    """Notices when one side has won. Speaks once a spell."""

    def __init__(self) -> None:
        self._first_loss: float | None = None
        self._won_steps = 0
        self._alike: list[str] = []
        self._held_out: list[str] = []
        self.looked_early = False
        """Whether held-out frames were looked at in the first tenth of training."""

    def state(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "first_loss": self._first_loss,
            "won_steps": self._won_steps,
            "alike": self._alike,
            "held_out": self._held_out,
            "looked_early": self.looked_early,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._first_loss, self._won_steps = state["first_loss"], state["won_steps"]
        self._alike = list(state["alike"])
        self._held_out, self.looked_early = list(state.get("held_out", [])), state.get("looked_early", True)

    def see_loss(self, discriminator_loss: float) -> str | None:
        """Takes in the discriminators' summed loss of one step; a line where they have won."""
        if not self._first_loss:  # or 0, in steps that do not train them
            self._first_loss = discriminator_loss
        won = 0 <= discriminator_loss < WON_PART * self._first_loss  # below 0 are Wasserstein's, which have no end
        self._won_steps = self._won_steps + 1 if won else 0
        if self._won_steps != WON_STEPS:
            return None
        return (
            f"the discriminators have won: their loss is {discriminator_loss:.2g} and has been next to nothing for "
            f"{WON_STEPS} steps, so the generators learn little from them; should it stay so, train anew with smaller "
            "--discriminator-filters, with --pool-size 50, or with more pictures"
        )

    def see_samples(self, samples: Mapping[str, Tensor]) -> str | None:
        """Takes in what a method gives as samples, pictures (B, 3, H, W); a line where translations are all alike."""
        sources = [_spread(pictures) for name, pictures in samples.items() if name.endswith("_source")]
        alike = [
            name
            for name, pictures in samples.items()
            if name.endswith("_translated") and _spread(pictures) < ALIKE_PART * min(sources, default=0.0)
        ]
        fresh = [name.removesuffix("_translated") for name in alike if name not in self._alike]
        self._alike = alike
        if not fresh:
            return None
        return (
            f"different pictures of {' and '.join(fresh).upper()} are translated into nearly the same one; should it "
            "stay so, train anew with more weight on a term that ties a translation to its source (--cycle, --content, "
            "--l1), or with a lower --learning-rate"
        )

    def see_held_out(self, parts: Mapping[str, float], offset_px: float | None) -> str | None:
        """Takes in the parts of the held-out score and the networks' own offset, in pixels of pictures of 64 px; a line
        where translations stand still, or beside their place."""
        wrong = {}
        if parts.get("temporal", 0.0) > STILL_TEMPORAL:
            wrong["still"] = (
                "translations of held-out frames hardly change while their sources do: nearly one picture for all; "
                "should it stay so, train anew with more weight on a term that ties a translation to its source "
                "(--cycle, --content, --l1), or with another --seed"
            )
        if offset_px is not None and offset_px > OFFSET_PX:
            wrong["offset"] = (
                f"translations lie {offset_px:.1f} px (on pictures of 64 px) beside their place, by what the networks "
                "make of mirrored frames; the score counts it, so rendering takes a checkpoint that is nearer"
            )
        fresh = [line for name, line in wrong.items() if name not in self._held_out]
        self._held_out = list(wrong)
        return "; ".join(fresh) or None


def _spread(pictures: Tensor) -> float:
    """How much pictures (B, 3, H, W) differ from each other; 0 for one."""
    return pictures.float().std(dim=0, correction=0).mean().item()


def diverged(what: str, step: int, saved_step: int, rate: float, precision: str) -> TrainingDiverged:
    """The end of a training in which `what` came up at a step: what is kept, and what may help."""
    again = f"goes on from step {saved_step}" if saved_step else "starts anew, nothing had been saved"
    lower = f"give it a lower --learning-rate than {rate:g}"
    exact = "" if precision == "float32" else " or --precision float32"
    return TrainingDiverged(f"{what} at step {step}: training stopped; the same command {again}: {lower}{exact}")
