"""The process that holds leases."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notify_server.services.clock import Clock
from notify_server.services.in_hand import InHand


@dataclass(frozen=True, slots=True)
class Holder:
    """Who leases, for how many seconds at a time, by which clock. `owner` is unique for each run of a process.

    `batches` and `audiences` (notification ids) are in hand: only their leases are renewed, so that what was dropped
    by an error comes due again.
    """

    owner: str
    lease: float
    clock: Clock
    batches: InHand = field(default_factory=InHand)
    audiences: set[str] = field(default_factory=set)

    def now(self) -> datetime:
        """The current time."""
        return self.clock()

    def until(self) -> datetime:
        """The end of a lease that is taken or renewed now."""
        return self.clock() + timedelta(seconds=self.lease)
