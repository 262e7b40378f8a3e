"""How many requests may be under way at once."""

import time
from collections.abc import Callable

from notify_server.channels.fcm.multiplexer import STREAMS

_FIRST = 4  # connections
_ENOUGH = 12_000  # messages a second: FCM's default quota and a little more. Times the latency, so many are under way


class Window:
    """Few connections cost least for each message; where answers come from afar there are more, up to `connections`, as
    many as FCM's default quota needs.

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
        if self._answers >= self.size:  # each stream has had a turn
            if self._ticks() - self._since > self.size / _ENOUGH:
                self.size = min(self.size + STREAMS, self._most)
            self._begin()

    def rest(self) -> None:
        """Nothing is under way: what comes next may find answers quicker."""
        self.size = self._first

    def _begin(self) -> None:
        self._answers, self._since = 0, self._ticks()
