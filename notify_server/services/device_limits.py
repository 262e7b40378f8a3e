"""FCM's limits for one device: 240 messages a minute and 5,000 an hour (FCM: "Message throttling and quotas").

Counting exactly would cost a write for each message. Each worker counts in a sketch of fixed size instead: targets
that fall on one counter are taken for one, which at FCM's full rate raises a count by far less than a limit.
A limit holds over any minute and any hour, not only over those of the clock: counts are kept by slots of a sixth of
that time, and a slot is forgotten when all of it is over.
"""

from array import array
from datetime import datetime
from threading import Lock

from notify_server.domain.device import Target

_COUNTERS = 1 << 18
_SLOTS = 6  # that a window has, besides the one that has just begun
_MINUTE, _HOUR = 60, 3600


def _empty() -> "array[int]":
    return array("H", bytes(2 * _COUNTERS))


class _Window:
    """Counts of the last `seconds`, newest slot first."""

    def __init__(self, seconds: int, most: int) -> None:
        self._length = seconds / _SLOTS  # of a slot, in seconds
        self._most = most
        self._newest = 0  # slots since 1970
        self._slots = tuple(_empty() for _ in range(_SLOTS + 1))
        self._turning = Lock()

    def turn(self, at: float) -> None:
        """Forget what is no longer in the window that ends at `at`."""
        newest = int(at // self._length)
        if newest <= self._newest:
            return  # a clock that was put back does no harm
        with self._turning:
            over = min(max(newest - self._newest, 0), _SLOTS + 1)
            self._slots = (*(_empty() for _ in range(over)), *self._slots)[: _SLOTS + 1]
            self._newest = max(newest, self._newest)

    def full(self, counter: int, sharers: int) -> bool:
        """Whether no more may be sent."""
        count = 0
        for slot in self._slots:
            count += slot[counter]
        return count >= self._most / sharers

    def count(self, counter: int) -> None:
        self._slots[0][counter] += 1

    def left(self, counter: int, at: float, sharers: int) -> float:
        """Seconds until so many slots are forgotten that one more may be sent."""
        slots, forgotten = self._slots, 1
        while forgotten < len(slots) and sum(slot[counter] for slot in slots[:-forgotten]) >= self._most / sharers:
            forgotten += 1
        return (self._newest + forgotten) * self._length - at


class DeviceLimits:
    """What one worker may send to a device. Nearly exact with many threads, which is enough."""

    def __init__(self, minute: int = 240, hour: int = 5000) -> None:
        self._windows = (_Window(_HOUR, hour), _Window(_MINUTE, minute))

    def admit(self, target: Target, now: datetime, sharers: int) -> float | None:
        """Count one message to `target`; or the seconds to wait, where the limit, shared by `sharers`, is reached."""
        at, counter = now.timestamp(), hash(target.value) % _COUNTERS
        for window in self._windows:
            window.turn(at)
            if window.full(counter, sharers):
                return window.left(counter, at, sharers)
        for window in self._windows:
            window.count(counter)
        return None
