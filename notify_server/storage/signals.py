"""The collection `signals`: wake-up calls between processes.

A small capped collection, followed by a tailable cursor. A change stream would do the same, but each one makes
mongod look through the whole oplog, which holds two entries a recipient: measured at 10 to 15 µs of mongod's time
per recipient and listener. A signal that is lost delays work until the next poll, and does no other harm.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from time import sleep

from pymongo import CursorType
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from notify_server.domain.audience import is_brief
from notify_server.domain.notification import Audience, Channel
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

COLLECTION = "signals"
SIZE = 65_536  # bytes: about a thousand signals
_AWAIT = 500  # milliseconds
_EMPTY = 0.2  # seconds until a cursor that died, as it does on an empty collection, is opened again


class Work(StrEnum):
    """What there may be more of. Who hears of one kind looks for that alone: each look costs the database a query."""

    BRIEF = "brief"  # audiences of a few named users
    LARGE = "large"  # all others
    PUSH = Channel.PUSH.value  # batches: `Work(channel)` are those of a channel that batches are leased of
    EMAIL = Channel.EMAIL.value
    ANNOUNCEMENT = "announcement"  # pages that have a sequence number

    @classmethod
    def of(cls, audience: Audience) -> "Work":
        """What there is more of when this one is to be expanded."""
        return cls.BRIEF if is_brief(audience) else cls.LARGE


AUDIENCES = frozenset({Work.BRIEF, Work.LARGE})
EVERYTHING = frozenset(Work)


class Signals:
    """Sends signals without waiting for an answer: a request that caused one does not pay for it."""

    def __init__(self, database: Store) -> None:
        self._all = database.get_collection(COLLECTION, write_concern=WriteConcern(w=0))

    def send(self, work: Collection[Work]) -> None:
        """Tell every worker and gateway that there may be new work of these kinds."""
        with suppress(PyMongoError):  # they poll besides
            self._all.insert_one({"at": datetime.now(UTC), "for": sorted(work)})


@translated
def heard(database: Store) -> Iterator[frozenset[Work]]:
    """Yield what each signal is about, at first for those of the past too, and nothing about twice a second without.

    Ends when the cursor dies or the connection breaks: the caller opens another.
    """
    with database[COLLECTION].find(cursor_type=CursorType.TAILABLE_AWAIT).max_await_time_ms(_AWAIT) as cursor:
        while cursor.alive:
            signal = next(cursor, None)
            yield frozenset() if signal is None else _work(signal)
    sleep(_EMPTY)


def _work(signal: Document) -> frozenset[Work]:
    """What a signal is about: anything, where another version of us sent it that names no work, or one unknown here."""
    try:
        return frozenset(Work(kind) for kind in signal["for"])
    except (KeyError, ValueError):
        return EVERYTHING
