"""Whether senders keep to the Retry-After that they were given."""

import time
from collections.abc import Callable
from dataclasses import dataclass

GRACE = 0.01  # seconds that a sender may be early, for clocks that count in milliseconds
LISTED = 1000  # violations listed; all are counted


@dataclass(frozen=True, slots=True)
class EarlySend:
    """A message for `target` that came `early_by` seconds before its Retry-After was over."""

    target: str
    early_by: float


class Waits:
    """Until when each target was told to be left alone. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self.violations = 0
        self.listed: list[EarlySend] = []

    def impose(self, target: str, seconds: int) -> None:
        """An answer for `target` named this Retry-After."""
        self._until[target] = self._clock() + seconds

    def check(self, target: str) -> None:
        """A message for `target` has come: count it as a violation if it is too early."""
        until = self._until.get(target)
        if until is None:
            return
        early_by = until - self._clock()
        if early_by <= GRACE:
            del self._until[target]
            return
        self.violations += 1
        if len(self.listed) < LISTED:
            self.listed.append(EarlySend(target, early_by))
