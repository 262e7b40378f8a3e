"""The collection `changes`: a journal of the notifications whose entries are about to change.

A mark is written before the registry is: {ns: notifications, at: when, hold: seconds}. Until it has lain there for
`hold` seconds its writer may go on changing entries of those notifications without a further one. Who counts
therefore counts only after that time, by their own clock from when they first saw the mark, and then removes it: no
clocks are compared, and no write comes after its count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pymongo.client_session import ClientSession

from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

COLLECTION = "changes"


@dataclass(frozen=True, slots=True)
class Mark:
    """Entries of `notifications` may have changed since `at` without having been counted."""

    id: ObjectId
    notifications: Sequence[str]
    at: datetime
    hold: float


@translated
class Changes:
    """Reads the journal, and removes what was counted."""

    def __init__(self, database: Store) -> None:
        self._all = database[COLLECTION]

    def marks(self, session: ClientSession | None = None) -> list[Mark]:
        """Every mark that lies there: those of the last seconds, and of what is counted rarely because it is large."""
        return [_mark(document) for document in self._all.find({}, session=session)]

    def remove(self, marks: Iterable[ObjectId]) -> None:
        """Remove marks whose notifications were counted since they ran out."""
        ids = list(marks)
        if ids:
            self._all.delete_many({"_id": {"$in": ids}})


def _mark(document: Document) -> Mark:
    return Mark(document["_id"], [str(n) for n in document["ns"]], document["at"], document["hold"])
