"""FCM's limits for one device: 240 messages a minute and 5,000 an hour (FCM: "Message throttling and quotas").

Counting exactly would cost a write for each message. Each worker keeps a sketch of fixed size instead: targets that
fall on one place of it are taken for one, which at FCM's full rate is far from any limit. A place holds one time, that
of the generic cell rate algorithm (ITU-T I.371): so many at once, and then one for each interval. Both are chosen so
that no minute and no hour, wherever it begins, sees more than its limit: 159 at once, then one each 0.74 seconds.
"""

from array import array
from collections.abc import Sequence
from datetime import datetime
from math import ceil

from notify_server.domain.device import Target

_PLACES = 1 << 20
_MINUTE, _HOUR = 60, 3600
_STEP = 10.0  # seconds: waits are rounded up to it, so that those who wait come back together
_IMPOSSIBLE = 600.0  # seconds: so far ahead is a place only where the clock was put back


class DeviceLimits:
    """What one worker may send to a device. Nearly exact with many threads, which is enough."""

    def __init__(self, minute: int = 240, hour: int = 5000) -> None:
        rate = (hour - minute) / (_HOUR - _MINUTE)  # so that burst + 60 * rate = minute, burst + 3600 * rate = hour
        self._interval = 1 / rate
        self._tolerance = (minute - _MINUTE * rate) / rate
        self._due = array("d", bytes(8 * _PLACES))  # when all that was sent would have been sent, one an interval

    def admit(self, targets: Sequence[Target], now: datetime, sharers: int) -> list[float | None]:
        """For each target: None, and one message counted; or the seconds to wait, where its limit is reached.

        Each limit is shared by `sharers` workers.
        """
        at, due, interval = now.timestamp(), self._due, self._interval * sharers
        latest = at + self._tolerance - interval
        waits: list[float | None] = []
        for target in targets:
            place = hash(target.value) % _PLACES
            over = due[place] - latest
            if 0 < over < _IMPOSSIBLE:
                waits.append(ceil(over / _STEP) * _STEP)
            else:
                due[place] = (due[place] if at < due[place] and over <= 0 else at) + interval
                waits.append(None)
        return waits
