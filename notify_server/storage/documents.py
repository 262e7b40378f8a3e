"""The one spelling of ids, and the one way of repeatable inserts, for every collection."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson import MaxKey, ObjectId
from bson.errors import InvalidId
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from notify_server.errors import NotFound

Document = dict[str, Any]
Store = Database[Document]  # what every collection is opened from
_DUPLICATE_KEY = 11000


def new_id(at: datetime | None = None) -> str:
    """A fresh notification id: an ObjectId in hexadecimal, so ids sort by the second of `at`.

    Lists and marks go by that, so it must be when the notification was accepted; None: what this machine takes for now.
    """
    made = ObjectId()
    return str(made if at is None else ObjectId(int(at.timestamp()).to_bytes(4, "big") + made.binary[4:]))


def object_id(notification: str) -> ObjectId:
    """The stored form of a notification id. Raises NotFound when it cannot be one: it then names nothing."""
    try:
        return ObjectId(notification)
    except InvalidId:
        raise NotFound(f"There is no notification {notification[:64]!r}.") from None


def entry_id(notification: ObjectId, user: str | MaxKey) -> Document:
    """The `_id` of a registry entry; the order of its fields is part of it."""
    return {"n": notification, "u": user}


def entries_after(notification: ObjectId, after: str, to: str | None = None) -> Document:
    """The condition on the `_id` of entries of the users after `after`, up to `to`; None: to the last one."""
    last = {"$lt": entry_id(notification, MaxKey())} if to is None else {"$lte": entry_id(notification, to)}
    return {"$gt": entry_id(notification, after)} | last


def insert_new(collection: Collection[Document], documents: Sequence[Document]) -> int:
    """Insert those of `documents` whose `_id` is not there yet and leave the others alone. Returns how many."""
    return len(documents) - len(not_new(collection, documents))


def not_new(collection: Collection[Document], documents: Sequence[Document]) -> list[int]:
    """Insert those of `documents` of which no unique key is there yet. Returns the places of the others."""
    if not documents:
        return []
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        problems = error.details["writeErrors"]
        if error.details["writeConcernErrors"] or any(problem["code"] != _DUPLICATE_KEY for problem in problems):
            raise
        return [problem["index"] for problem in problems]
    return []
