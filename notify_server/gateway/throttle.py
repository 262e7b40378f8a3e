"""How much one client may send."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from notify_server.domain.rate import Rate

_FAR = 5  # times the rate and the burst: who sends more is sent away


class Verdict(StrEnum):
    """What to do with a frame."""

    TAKE = "take"
    REFUSE = "refuse"
    END = "end"


@dataclass(slots=True)
class Throttle:
    """Two buckets of one client: beyond the first its events are refused, beyond the second it is sent away."""

    rate: Rate
    clock: Callable[[], float] = monotonic
    _full_at: float = 0.0
    _far_full_at: float = 0.0

    def take(self) -> Verdict:
        """Count one frame."""
        now = self.clock()
        far = Rate(self.rate.per_second * _FAR, self.rate.burst * _FAR).take(self._far_full_at, now)
        if not far.allowed:
            return Verdict.END
        self._far_full_at = far.full_at
        standing = self.rate.take(self._full_at, now)
        self._full_at = standing.full_at
        return Verdict.TAKE if standing.allowed else Verdict.REFUSE
