"""MongoDB's time, by which every process goes: what the clock of a machine says, and how it jumps, is no matter.

The driver asks each server every five seconds how it is; its answer to `hello` carries its time (MongoDB manual,
"hello", localTime). Between two answers the time since boot goes on, which nobody sets and which counts while a
machine sleeps (clock_gettime(2), CLOCK_BOOTTIME).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pymongo import monitoring

from notify_server.storage.documents import Store

_TOLERANCE = 0.05  # seconds by which answers differ though no clock was set: their ways take longer or shorter


def since_boot() -> float:
    """Seconds since the machine was started, those included in which it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ServerClock(monitoring.ServerHeartbeatListener):
    """The time of a primary (or mongos), as the driver's monitors hear it. Safe for many threads."""

    def __init__(self, ticks: Callable[[], float] = since_boot) -> None:
        self._ticks = ticks
        self._origin: datetime | None = None  # the server's time at tick 0
        self._last: datetime | None = None  # the same, as the last answer had it
        self.election: object = None  # by which the primary came, that was heard of last; None: mongos tells of none

    @property
    def known(self) -> bool:
        """Whether a server has told its time yet."""
        return self._origin is not None

    def now(self) -> datetime:
        """The server's time in UTC, to the millisecond, which is as fine as MongoDB stores it. Raises RuntimeError
        before it is `known`.
        """
        if self._origin is None:
            raise RuntimeError("No server has told its time yet.")
        now = self._origin + timedelta(seconds=self._ticks())
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def hear(self, local: datetime) -> None:
        """A server answers that its time is `local`, UTC without a zone.

        An answer may be late, when this process or the network stood still, but never early. So what sets the clock
        forward counts, by however little, and what sets it back only if the next answer says the same.
        """
        before, last = self._origin, self._last
        self._last = origin = local.replace(tzinfo=UTC) - timedelta(seconds=self._ticks())
        if before is None or origin > before or (not _close(origin, before) and _close(origin, last)):
            self._origin = origin

    def started(self, event: monitoring.ServerHeartbeatStartedEvent) -> None:
        """Called by the driver before it asks."""

    def succeeded(self, event: monitoring.ServerHeartbeatSucceededEvent) -> None:
        """Called by the driver with an answer."""
        if event.reply.is_writable and "localTime" in event.reply.document:
            self.election = event.reply.election_id  # before the driver sends it anything
            self.hear(event.reply.document["localTime"])

    def failed(self, event: monitoring.ServerHeartbeatFailedEvent) -> None:
        """Called by the driver when none came."""


def of(database: Store) -> ServerClock:
    """The clock that `connect` gave to this database's client."""
    listeners = database.client.options.event_listeners
    return next(listener for listener in listeners if isinstance(listener, ServerClock))


def _close(one: datetime, other: datetime | None) -> bool:
    return other is not None and abs((one - other).total_seconds()) < _TOLERANCE
