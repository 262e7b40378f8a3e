"""The collection `changes`: a journal of the notifications whose entries are about to change.

A mark is written before the registry is: {ns: ids of notifications in a row, at: when, hold: seconds}. Until it has
lain there for `hold` seconds its writer may go on changing entries of those notifications without a further one. Who
counts therefore counts only after that time, by their own clock from when they first saw the mark, and then removes it:
no clocks are compared, and no write comes after its count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import Binary, ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id

COLLECTION = "changes"
_ID = 12  # bytes


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

    def marks(self, limit: int = 0, session: ClientSession | None = None, most: int | None = None) -> list[Mark]:
        """The marks that lie there, at most `limit` of them (0: all), those of the last seconds for the most part.

        The oldest first; no more of them where those before name `most` notifications.
        """
        found: list[Mark] = []
        named = 0
        with self._all.find({}, session=session, hint="_id_").sort("_id", 1).limit(limit) as documents:
            for document in documents:
                found.append(_mark(document))
                named += len(found[-1].notifications)
                if most is not None and named >= most:
                    break
        return found

    def settle(self, counted: Iterable[tuple[Mark, Sequence[str]]]) -> None:
        """Take these notifications, which were counted since it ran out, off each mark; what says nothing then goes."""
        over: list[ObjectId] = []
        writes: list[UpdateOne] = []
        for mark, notifications in counted:
            if left := set(mark.notifications).difference(notifications):
                writes.append(UpdateOne({"_id": ObjectId(mark.id)}, {"$set": {"ns": Binary(packed(left))}}))
            else:
                over.append(ObjectId(mark.id))
        if writes:
            self._all.bulk_write(writes, ordered=False)
        if over:
            self._all.delete_many({"_id": {"$in": over}})


def _mark(document: Document) -> Mark:
    return Mark(str(document["_id"]), unpacked(document["ns"]), document["at"], document["hold"])


def packed(notifications: Iterable[str]) -> bytes:
    """Ids as a mark has them: a tenth of the work of an array of them. Raises NotFound where one cannot be an id."""
    return b"".join(map(_binary, notifications))


def _binary(notification: str) -> bytes:
    try:
        binary = bytes.fromhex(notification)  # a sixth of the time of an ObjectId
    except ValueError:
        binary = b""
    return binary if len(binary) == _ID else object_id(notification).binary


def unpacked(ids: bytes) -> list[str]:
    """The ids of a mark."""
    return [ids[start : start + _ID].hex() for start in range(0, len(ids), _ID)]
