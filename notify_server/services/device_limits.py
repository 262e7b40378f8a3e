"""FCM's limits for one device: 240 messages a minute and 5,000 an hour (FCM: "Message throttling and quotas").

Counting exactly would cost a write for each message. Each worker counts in a sketch of fixed size instead: two
targets that fall on one counter are taken for one, which at FCM's full rate raises a count by far less than a limit.
"""

from array import array
from datetime import datetime

from notify_server.domain.device import Target

_COUNTERS = 1 << 20
_MINUTE, _HOUR = 60, 3600


class _Window:
    """Counters that begin anew with each `seconds`."""

    def __init__(self, seconds: int, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._number = -1
        self._counts = array("H", bytes(2 * _COUNTERS))

    def full(self, counter: int, at: float, sharers: int) -> bool:
        """Whether no more may be sent in the window around `at`."""
        number = int(at // self._seconds)
        if number != self._number:
            self._number = number
            self._counts = array("H", bytes(2 * _COUNTERS))
        return self._counts[counter] >= self._most / sharers

    def count(self, counter: int) -> None:
        self._counts[counter] += 1

    def left(self, at: float) -> float:
        """Seconds until the next window."""
        return self._seconds - at % self._seconds


class DeviceLimits:
    """What one worker may send to a device. Nearly exact with many threads, which is enough."""

    def __init__(self, minute: int = 240, hour: int = 5000) -> None:
        self._windows = (_Window(_HOUR, hour), _Window(_MINUTE, minute))

    def admit(self, target: Target, now: datetime, sharers: int) -> float | None:
        """Count one message to `target`; or the seconds to wait, where the limit, shared by `sharers`, is reached."""
        at, counter = now.timestamp(), hash(target.value) % _COUNTERS
        for window in self._windows:
            if window.full(counter, at, sharers):
                return window.left(at)
        for window in self._windows:
            window.count(counter)
        return None
