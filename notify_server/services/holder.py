"""The process that holds leases."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from notify_server.services.clock import Clock


@dataclass(frozen=True, slots=True)
class Holder:
    """Who leases, for how many seconds at a time, by which clock. `owner` is unique for each run of a process."""

    owner: str
    lease: float
    clock: Clock

    def now(self) -> datetime:
        """The current time."""
        return self.clock()

    def until(self) -> datetime:
        """The end of a lease that is taken or renewed now."""
        return self.clock() + timedelta(seconds=self.lease)
