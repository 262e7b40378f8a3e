"""The collection `sequences`: the one order in which announcements become visible.

A page of a realtime notification gets its entries, its number and its place among the announcements in one transaction.
Every such transaction changes the one counter, so of two at a time one begins again: they commit in the order of their
numbers, and nobody ever sees a number before a lower one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.read_concern import ReadConcern

from notify_server import failpoints
from notify_server.domain.batch import Batch, Stage
from notify_server.storage.batch_document import to_document
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.journal import Journal
from notify_server.storage.majority import in_transaction
from notify_server.storage.registry import Arrivals, entries

COLLECTION = "sequences"
REALTIME = "realtime"
# `entered` counts the recipients that have entries, `recipients` those that the cursor has passed.
_UNENTERED: Document = {"expanded": False, "$expr": {"$eq": [{"$ifNull": ["$entered", 0]}, "$recipients"]}}


@dataclass(frozen=True, slots=True)
class NewPage:
    """A page to be entered: where it begins, its batches, of which one is its announcement, and its recipients."""

    cursor: str
    batches: Sequence[Batch]
    arrivals: Arrivals


@translated
class Sequences:
    """Numbers announcements."""

    def __init__(self, database: Store) -> None:
        self._database = database
        self._counters = database[COLLECTION]
        self._notifications = database["notifications"]
        self._batches = database["batches"]
        self._registry = database["registry"]
        self._journal = Journal(database)

    def last(self) -> int:
        """The number of the newest announcement that no failover can take back; 0 where there was none."""
        durable = self._counters.with_options(read_concern=ReadConcern("majority"))
        found = durable.find_one({"_id": REALTIME})
        return 0 if found is None else int(found["last"])

    def enter(self, pages: Sequence[NewPage], owner: str, at: datetime, *, new: bool = False) -> bool:
        """Write the entries of `pages`, and their batches unless they are there, and announce them in their order.

        False, and nothing is written, where one of them was entered before or `owner` has lost a lease; or where they
        are to be `new`, and a batch is there.
        """

        def write(session: ClientSession) -> bool:
            first = self._take(len(pages), session)
            if not self._hold(pages, owner, session):
                session.abort_transaction()
                return False
            numbered = list(enumerate(pages, first))
            writes = [_batch_write(batch, number) for number, page in numbered for batch in page.batches]
            stored = self._batches.bulk_write(writes, ordered=False, session=session).upserted_count
            if new and stored != len(writes):
                session.abort_transaction()
                return False
            documents = [entry for number, page in numbered for entry in entries(page.arrivals, at, number)]
            self._registry.insert_many(documents, ordered=False, session=session)
            failpoints.passes("sequencing.written")
            return True

        with self._journal.entering(page.arrivals.notification for page in pages):
            entered = in_transaction(self._database, write)
        failpoints.passes("sequencing.committed")
        return entered

    def _take(self, count: int, session: ClientSession) -> int:
        """The first of `count` numbers. It comes first: who meets another transaction has done nothing yet."""
        more = {"$inc": {"last": count}}
        found = self._counters.find_one_and_update({"_id": REALTIME}, more, upsert=True, session=session)
        return 1 if found is None else int(found["last"]) + 1

    def _hold(self, pages: Sequence[NewPage], owner: str, session: ClientSession) -> bool:
        """Whether every lease is ours, and none of the pages entered; two owners of one wait for each other here."""
        writes = [
            UpdateOne(
                {"_id": object_id(page.arrivals.notification), "owner": owner, "cursor": page.cursor} | _UNENTERED,
                {"$inc": {"entered": len(page.arrivals.recipients)}},
            )
            for page in pages
        ]
        return self._notifications.bulk_write(writes, ordered=False, session=session).modified_count == len(writes)


def _batch_write(batch: Batch, number: int) -> UpdateOne:
    """A batch is there already where it was stored to fix who is in the page."""
    made = to_document(batch)
    key = made.pop("_id")
    numbered = {"$set": {"sequence": number}} if batch.stage is Stage.ANNOUNCE else {}
    return UpdateOne({"_id": key}, {"$setOnInsert": made, **numbered}, upsert=True)
