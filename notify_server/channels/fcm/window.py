"""How many requests may be under way at once."""

import time
from collections.abc import Callable

from notify_server.channels.fcm.multiplexer import STREAMS

_FIRST = 4  # connections: they serve FCM's default quota of 10,000 messages a second for as long as …
_SLOW = 0.04  # … an answer takes no more seconds than this (Little's law: 400 under way / 10,000 a second)


class Window:
    """Few connections cost least for each message; where answers come from afar there are more, up to `connections`.

    For one thread. `ticks` is a monotonic clock in seconds.
    """

    def __init__(self, connections: int, ticks: Callable[[], float] = time.monotonic) -> None:
        self._first = min(connections, _FIRST) * STREAMS
        self._most = connections * STREAMS
        self._ticks = ticks
        self.size = self._first
        self._answers = 0  # since …
        self._since = ticks()  # … something waits

    def settled(self, answers: int, *, waiting: bool) -> None:
        """So many have come; `waiting`: there was more to be sent than there was room for, since the last call."""
        if not waiting:
            self._begin()
            return
        self._answers += answers
        if self._answers >= self.size:  # each stream has had a turn, which took as long as an answer does
            if self._ticks() - self._since > _SLOW:
                self.size = min(self.size + STREAMS, self._most)
            self._begin()

    def rest(self) -> None:
        """Nothing is under way: what comes next may find answers quicker."""
        self.size = self._first

    def _begin(self) -> None:
        self._answers, self._since = 0, self._ticks()
