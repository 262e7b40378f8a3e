"""The collection `signals`: wake-up calls between processes.

A small capped collection, followed by a tailable cursor. A change stream would do the same, but each one makes
mongod look through the whole oplog, which holds two entries a recipient: measured at 10 to 15 µs of mongod's time
per recipient and listener. A signal that is lost delays work until the next poll, and does no other harm.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import sleep

from pymongo import CursorType
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from notify_server.storage.database import translated
from notify_server.storage.documents import Store

COLLECTION = "signals"
SIZE = 65_536  # bytes: about a thousand signals
_AWAIT = 500  # milliseconds
_EMPTY = 0.2  # seconds until a cursor that died, as it does on an empty collection, is opened again


class Signals:
    """Sends signals without waiting for an answer: a request that caused one does not pay for it."""

    def __init__(self, database: Store) -> None:
        self._all = database.get_collection(COLLECTION, write_concern=WriteConcern(w=0))

    def send(self) -> None:
        """Tell every worker and gateway that there may be new work."""
        with suppress(PyMongoError):  # they poll besides
            self._all.insert_one({"at": datetime.now(UTC)})


@translated
def heard(database: Store) -> Iterator[bool]:
    """Yield True for each signal, at first for those of the past too, and False about twice a second without any.

    Ends when the cursor dies or the connection breaks: the caller opens another.
    """
    with database[COLLECTION].find(cursor_type=CursorType.TAILABLE_AWAIT).max_await_time_ms(_AWAIT) as cursor:
        while cursor.alive:
            yield next(cursor, None) is not None
    sleep(_EMPTY)
