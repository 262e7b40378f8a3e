"""The project's quota: so many messages a minute (FCM, "Throttling and quotas")."""

import math
import time
from collections.abc import Callable

MINUTE = 60.0  # seconds


class Quota:
    """Counts the messages of the current minute, which begins with the first message after the last one ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = -math.inf
        self._used = 0

    def take(self, limit: int) -> int | None:
        """None if one more of `limit` messages a minute fits, else the whole seconds until the next minute."""
        now = self._clock()
        if now - self._began >= MINUTE:
            self._began, self._used = now, 0
        if self._used >= limit:
            return max(1, math.ceil(self._began + MINUTE - now))
        self._used += 1
        return None
