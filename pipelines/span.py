"""Times as users type them."""

import re
from fractions import Fraction

from data.errors import SettingsError

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)")


def seconds_of(text: str | None, flag: str) -> Fraction | None:
    """Exact seconds of "83.5", "1:23.5" or "0:01:23.5"; None for None. Raises SettingsError."""
    if text is None:
        return None
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise SettingsError(f"{flag} {text}: give seconds, or minutes and seconds, such as 83.5 or 1:23.5")
    hours, minutes, seconds = found.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + Fraction(seconds.rstrip(".") or 0)


def span_of(start: str | None, stop: str | None) -> tuple[Fraction | None, Fraction | None]:
    """The part between `--from` and `--to`. Raises SettingsError."""
    first, end = seconds_of(start, "--from"), seconds_of(stop, "--to")
    if end is not None and end <= (first or 0):
        raise SettingsError(f"--to {stop}: has to come after --from {start or 0}")
    return first, end
