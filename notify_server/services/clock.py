"""The time, as services ask for it."""

from collections.abc import Callable
from datetime import UTC, datetime

from notify_server.storage import server_clock
from notify_server.storage.database import ping
from notify_server.storage.documents import Store

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This machine's time in UTC, to the millisecond, which is as fine as MongoDB stores it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def database_clock(database: Store) -> Clock:
    """The database's time in UTC: leases and due times of all processes are by this one clock.

    Where it is not known yet, the clock asks first, and raises DatabaseUnavailable when nobody answers.
    """
    clock = server_clock.of(database)

    def now() -> datetime:
        if not clock.known:
            ping(database)
        return clock.now()

    return now
