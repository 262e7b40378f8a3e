"""The right to count: who has it alone changes tallies and roll-ups.

It lasts longer than a transaction can. So whoever takes it over from a process that stands still knows that nothing of
that process is written after it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import token_hex

from notify_server.errors import Conflict
from notify_server.services.clock import Clock
from notify_server.storage.counts import LEASE
from notify_server.storage.database import CONFIRM_WITHIN
from notify_server.storage.leases import Leases

LASTS = timedelta(seconds=CONFIRM_WITHIN + 2)
_TRY = 0.2  # seconds between two tries to take it


class CountingLease:
    """Taken for each piece of work, and given back after it."""

    def __init__(self, leases: Leases, owner: str, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock
        self.owner = f"{owner}:{token_hex(4)}"

    def now(self) -> datetime:
        """The time by which leases go."""
        return self._clock()

    def take(self) -> bool:
        """Take it, or keep it; False while another has it."""
        now = self._clock()
        return self._leases.hold(LEASE, self.owner, now, now + LASTS)

    def extend(self) -> None:
        """Keep it, where nobody has counted since it was taken. Raises Conflict."""
        if not self._leases.extend(LEASE, self.owner, self._clock() + LASTS):
            raise Conflict("Another process has begun to count: this one stood still for too long. Begin again.")

    @contextmanager
    def awaited(self, pause: Callable[[float], None]) -> Iterator[None]:
        """It is ours inside; others are waited for as long as it lasts twice. Raises Conflict."""
        for _ in range(int(2 * LASTS.total_seconds() / _TRY)):
            if self.take():
                break
            pause(_TRY)
        else:
            raise Conflict("Another process counts, and does not come to an end.")
        try:
            yield
        finally:
            self._leases.release(LEASE, self.owner)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Whether it is ours inside."""
        taken = self.take()
        try:
            yield taken
        finally:
            if taken:
                self._leases.release(LEASE, self.owner)
