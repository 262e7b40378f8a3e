"""Rates: a token bucket, kept as one number, the time at which it is full again."""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second in the long run, and at most `burst` of them at once."""

    per_second: float
    burst: int

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket is full again, rounded up."""
        return ceil(self.burst / self.per_second)

    def take(self, full_at: float, now: float) -> "Standing":
        """Take one call from a bucket that is full at `full_at`: any earlier time is the same as full."""
        interval = 1 / self.per_second
        after = (full_at if full_at > now else now) + interval
        spare = self.burst - (after - now) * self.per_second
        if spare < -1e-6:  # less than nothing, but for the rounding of floats
            return Standing(False, full_at, 0, after - now - self.burst * interval, full_at - now)
        return Standing(True, after, int(spare + 1e-6), 0.0, after - now)

    def part(self, of: int) -> "Rate":
        """What one of `of` equal processes holds of it: never less than one call at once."""
        return Rate(self.per_second / of, max(1, self.burst // of))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands after a call: `allowed` or to `wait` so many seconds, with so many calls `left`.

    `full_at` is what to keep of the bucket; it is full in `reset` seconds.
    """

    allowed: bool
    full_at: float
    left: int
    wait: float
    reset: float
