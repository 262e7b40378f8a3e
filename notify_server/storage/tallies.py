"""The collection `tallies`: what of a notification has been counted, and is in the roll-ups.

`_id`: {n: notification, c: number of the chunk}. A chunk is a range of the entries in the order of user ids, those
after `after`, up to `to` (null: there is no end), or those of erased people (number ERASED). `parts`: [{q: start of a
quarter of an hour, g: group or null for the whole, t: tally}]. `at`: when it was counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import MaxKey, ObjectId
from pymongo import DeleteOne, ReplaceOne
from pymongo.client_session import ClientSession

from notify_server.domain.statistics import Part
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id

ERASED = -1  # the number of the chunk of people who were erased: their entries are gone, and kept as parts alone


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some entries of a notification, as they were counted. `number` ERASED has no bounds."""

    notification: str
    number: int
    after: str
    to: str | None
    parts: Sequence[Part]
    at: datetime


@translated
class Tallies:
    """Reads and replaces tallies."""

    def __init__(self, database: Store) -> None:
        self._all = database["tallies"]

    def of(self, notifications: Sequence[str], session: ClientSession | None = None) -> Mapping[str, list[Chunk]]:
        """What was counted of each of these notifications, in the order of chunks; those never counted have none."""
        chunks: dict[str, list[Chunk]] = {notification: [] for notification in notifications}
        first = [{"n": object_id(notification), "c": number} for notification in chunks for number in (ERASED, 0)]
        for chunk in self._found({"_id": {"$in": first}}, session) if first else ():
            chunks[chunk.notification].append(chunk)
        # Brief notifications have no more, and there may be thousands: ranges of so many cost far more than keys.
        large = [notification for notification, found in chunks.items() if found and found[-1].to is not None]
        ranges = [_chunks_of(object_id(notification), 1) for notification in large]
        for chunk in self._found({"$or": ranges}, session) if ranges else ():
            chunks[chunk.notification].append(chunk)
        return chunks

    def whole(self, notifications: Sequence[str], session: ClientSession | None = None) -> Mapping[str, list[Chunk]]:
        """The same, with chunks that should not be there: for proofs, and where everything is to go."""
        chunks: dict[str, list[Chunk]] = {notification: [] for notification in notifications}
        ranges = [_chunks_of(object_id(notification)) for notification in chunks]
        for chunk in self._found({"$or": ranges}, session) if ranges else ():
            chunks[chunk.notification].append(chunk)
        return chunks

    def _found(self, which: Document, session: ClientSession | None) -> list[Chunk]:
        return list(map(from_document, self._all.find(which, session=session).sort("_id", 1)))

    def among(
        self, chunks: Sequence[tuple[str, int]], session: ClientSession | None = None
    ) -> Mapping[tuple[str, int], Chunk]:
        """Those of these chunks (notification, number) that were counted."""
        keys = [{"n": object_id(notification), "c": number} for notification, number in chunks]
        found = self._all.find({"_id": {"$in": keys}}, session=session) if keys else ()
        return {(chunk.notification, chunk.number): chunk for chunk in map(from_document, found)}

    def parts(self, notification: str, session: ClientSession | None = None) -> list[Part]:
        """The parts of all its chunks; there may be several of one quarter and group."""
        return [part for chunk in self.whole([notification], session)[notification] for part in chunk.parts]

    def page(self, after: tuple[str, int] | None, limit: int) -> list[Chunk]:
        """At most `limit` chunks in the order of notifications, from the one after `after` (notification, number)."""
        later = {} if after is None else {"_id": {"$gt": {"n": object_id(after[0]), "c": after[1]}}}
        return list(map(from_document, self._all.find(later).sort("_id", 1).limit(limit)))

    def holding(self, user: str, notifications: Sequence[str], session: ClientSession | None = None) -> dict[str, int]:
        """In which chunk this user is counted, or would be: of those notifications that have several."""
        firsts = {"_id": {"$in": [{"n": object_id(notification), "c": 0} for notification in notifications]}}
        several = [
            each["_id"]["n"] for each in self._all.find(firsts | {"to": {"$ne": None}}, {"_id": 1}, session=session)
        ]
        chunks: dict[str, int] = {}
        for n in several:
            theirs = {"_id": {"$gte": {"n": n, "c": 0}, "$lt": {"n": n, "c": MaxKey()}}, "after": {"$lt": user}}
            found = self._all.find_one(theirs | {"to": {"$not": {"$lt": user}}}, {"_id": 1}, session=session)
            if found is not None:
                chunks[str(n)] = found["_id"]["c"]
        return chunks

    def remove(self, notifications: Sequence[str], session: ClientSession) -> None:
        """Remove all that was counted of these notifications."""
        ranges = [_chunks_of(object_id(notification)) for notification in notifications]
        if ranges:
            self._all.delete_many({"$or": ranges}, session=session)

    def drop(self, chunk: Chunk) -> None:
        """Remove one chunk."""
        self._all.delete_one({"_id": {"n": object_id(chunk.notification), "c": chunk.number}})

    def replace(self, chunks: Sequence[Chunk], session: ClientSession) -> None:
        """Write these chunks over what there was of them; one without parts is removed unless it has an end."""
        writes = [_write(chunk) for chunk in chunks]
        if writes:
            self._all.bulk_write(writes, ordered=False, session=session)


def from_document(document: Document) -> Chunk:
    """The chunk that a document says."""
    key, parts = document["_id"], from_parts(document["parts"])
    return Chunk(str(key["n"]), key["c"], document["after"], document["to"], parts, document["at"])


def from_parts(stored: Sequence[Document]) -> list[Part]:
    """Parts as they were stored."""
    return [Part(part["q"], part["g"], part["t"]) for part in stored]


def to_parts(parts: Sequence[Part]) -> list[Document]:
    """How parts are stored."""
    return [{"q": part.quarter, "g": part.group, "t": dict(part.tally)} for part in parts]


def _write(chunk: Chunk) -> ReplaceOne[Document] | DeleteOne:
    key = {"_id": {"n": object_id(chunk.notification), "c": chunk.number}}
    if not chunk.parts and chunk.to is None:
        return DeleteOne(key)
    bounds = {"after": chunk.after, "to": chunk.to}
    return ReplaceOne(key, key | bounds | {"parts": to_parts(chunk.parts), "at": chunk.at}, upsert=True)


def _chunks_of(notification: ObjectId, begin: int = ERASED) -> Document:
    return {"_id": {"$gte": {"n": notification, "c": begin}, "$lt": {"n": notification, "c": MaxKey()}}}
