"""The collection `changes`: a journal of the notifications whose entries are about to change.

A mark is written before the registry is: {ns: notifications, at: when, hold: seconds}. Until it has lain there for
`hold` seconds its writer may go on changing entries of those notifications without a further one. Who counts
therefore counts only after that time, by their own clock from when they first saw the mark, and then removes it: no
clocks are compared, and no write comes after its count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id

COLLECTION = "changes"


@dataclass(frozen=True, slots=True)
class Mark:
    """Entries of `notifications` may have changed since `at` without having been counted."""

    id: str
    notifications: Sequence[str]
    at: datetime
    hold: float


@translated
class Changes:
    """Reads the journal, and removes what was counted."""

    def __init__(self, database: Store) -> None:
        self._all = database[COLLECTION]

    def marks(self, limit: int = 0, session: ClientSession | None = None) -> list[Mark]:
        """The marks that lie there, at most `limit` of them (0: all), those of the last seconds for the most part."""
        return [_mark(document) for document in self._all.find({}, session=session, hint="_id_").limit(limit)]

    def settle(self, counted: Mapping[str, Sequence[str]]) -> None:
        """Take these notifications, which were counted since it ran out, off each mark; what says nothing then goes."""
        writes = [
            UpdateOne({"_id": ObjectId(mark)}, {"$pullAll": {"ns": list(map(object_id, notifications))}})
            for mark, notifications in counted.items()
        ]
        if writes:
            self._all.bulk_write(writes, ordered=False)
            self._all.delete_many({"_id": {"$in": [ObjectId(mark) for mark in counted]}, "ns": []})


def _mark(document: Document) -> Mark:
    return Mark(str(document["_id"]), [str(n) for n in document["ns"]], document["at"], document["hold"])
