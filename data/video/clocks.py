"""Rising times within a track, where its container leaves some out or says what cannot be."""

from fractions import Fraction

from data.video.jumps import LONGEST_HOLE_SECONDS


class Clock:
    """Keeps a track's timestamps rising: fills those that are missing, repairs those that stand still or jump back.

    step: usual distance of two, in units of the time base (a Fraction, so that filling does not drift).
    second: units of the time base in a second.
    """

    def __init__(self, step: Fraction, second: Fraction) -> None:
        self._step, self._second = step, second
        self._anchor, self._since, self._offset = 0, 0, 0
        self._last: int | None = None

    def stamp(self, given: int | None) -> int:
        """The timestamp to use for one that the container gave."""
        if given is None:
            self._since += 1 if self._last is not None else 0
            stamp = self._anchor + round(self._since * self._step)
        else:
            stamp = given + self._offset
            if self._last is not None and not -1 <= (stamp - self._last) / self._second <= LONGEST_HOLE_SECONDS:
                # Containers whose clock should never jump: go on where the times before ended.
                stamp = self._last + max(1, round(self._step))
                self._offset = stamp - given
            self._anchor, self._since = stamp, 0
        self._last = stamp if self._last is None else max(stamp, self._last + 1)
        return self._last


class SampleClock:
    """When each piece of a sound track begins, in exact seconds: as the container says, or counted in samples.

    tolerance: seconds up to which a container's time is taken for the count, rounded to a coarse unit. A time that does
    not come after the one before is a mistake, or the unit is longer than the piece: the count stands.
    """

    def __init__(self, tolerance: Fraction = Fraction(0)) -> None:
        self._tolerance = tolerance
        self._last: Fraction | None = None
        self._next = Fraction(0)

    def stamp(self, given: Fraction | None, length: Fraction) -> Fraction:
        """The time of a piece `length` seconds long, for which the container says `given`."""
        stamp = self._next
        if given is not None and (
            self._last is None or (given > self._last and abs(given - self._next) > self._tolerance)
        ):
            stamp = given
        self._last, self._next = stamp, stamp + length
        return stamp
