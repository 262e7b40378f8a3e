"""The collection `signals`: wake-up calls between processes.

A small capped collection, followed by a tailable cursor. A change stream would do the same, but each one makes
mongod look through the whole oplog, which holds two entries a recipient: measured at 10 to 15 µs of mongod's time
per recipient and listener. A signal that is lost delays work until the next poll, and does no other harm.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from time import sleep

from pymongo import CursorType
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from notify_server.storage.database import translated
from notify_server.storage.documents import Store

COLLECTION = "signals"
SIZE = 65_536  # bytes: about a thousand signals
_AWAIT = 500  # milliseconds
_REST = 0.002  # seconds between two signals of one process
_EMPTY = 0.2  # seconds until a cursor that died, as it does on an empty collection, is opened again


class Signals:
    """Sends signals from a thread of its own, at most one every 2 ms: a request waits for none."""

    def __init__(self, database: Store) -> None:
        self._all = database.get_collection(COLLECTION, write_concern=WriteConcern(w=1))
        self._asked = Event()
        self._thread: Thread | None = None

    def send(self) -> None:
        """Tell every worker that there may be new work. Returns at once."""
        self._asked.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._run, name="signals", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            with suppress(PyMongoError):  # the workers poll besides
                self._all.insert_one({"at": datetime.now(UTC)})
            sleep(_REST)


@translated
def heard(database: Store) -> Iterator[bool]:
    """Yield True for each signal, at first for those of the past too, and False about twice a second without any.

    Ends when the cursor dies or the connection breaks: the caller opens another.
    """
    with database[COLLECTION].find(cursor_type=CursorType.TAILABLE_AWAIT).max_await_time_ms(_AWAIT) as cursor:
        while cursor.alive:
            yield next(cursor, None) is not None
    sleep(_EMPTY)
