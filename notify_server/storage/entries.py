"""The registry as it is read: pages of entries and counts by status."""

from collections.abc import Mapping
from typing import Any

from pymongo.database import Database

from notify_server.domain.inbox import Place
from notify_server.domain.registry import Status
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id

_SHOWN = (
    "status",
    "reason",
    "groups",
    "attempts",
    "pending_at",
    "sent_at",
    "received_at",
    "read_at",
    "history",
)


@translated
class Entries:
    """Reads `registry`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]
        self._notifications = database["notifications"]

    def of_notification(self, notification: str, status: str | None, after: str | None, limit: int) -> list[Document]:
        """At most `limit` entries in order of user id, from the one after user `after`."""
        conditions: Document = {"_id.n": object_id(notification)}
        conditions["status"] = status if status else {"$in": [s.value for s in Status]}
        conditions["_id.u"] = {"$gt": after or ""}
        found = self._all.find(conditions).sort("_id.u", 1).limit(limit)
        return [_shown(document) for document in found]

    def of_user(self, user: str, after: str | None, limit: int) -> list[Document]:
        """At most `limit` entries, newest notification first, from the one after notification `after`."""
        conditions: Document = {"_id.u": user, "inbox": {"$in": [place.value for place in Place]}}
        if after is not None:
            conditions["_id.n"] = {"$lt": object_id(after)}
        found = self._all.find(conditions).sort("_id.n", -1).limit(limit)
        return [_shown(document) for document in found]

    def find(self, notification: str, user: str) -> Document | None:
        """The entry of one user."""
        found = self._all.find_one({"_id": entry_id(object_id(notification), user)})
        return found and _shown(found)

    def counts(self, notification: str) -> Mapping[str, int]:
        """Entries by status, counted now; every status is there."""
        counts = {status.value: 0 for status in Status}
        stages: list[Mapping[str, Any]] = [
            {"$match": {"_id.n": object_id(notification)}},
            {"$group": {"_id": "$status", "count": {"$sum": 1}}},
        ]
        for row in self._all.aggregate(stages, hint="by_notification"):
            counts[row["_id"]] = row["count"]
        return counts

    def count(self, notification: str, status: Status) -> int:
        """How many entries have this status: keys of the index are counted, and those of no other status."""
        return self._all.count_documents({"_id.n": object_id(notification), "status": status.value})

    def erased(self, notification: str) -> Mapping[str, int]:
        """The entries of people who were erased, by the status that they had; every status is there."""
        found: Document = self._notifications.find_one({"_id": object_id(notification)}, {"erased": 1}) or {}
        erased: Mapping[str, int] = found.get("erased", {})
        return {status.value: erased.get(status.value, 0) for status in Status}


def _shown(document: Document) -> Document:
    entry = {name: document[name] for name in _SHOWN}
    return {"notification_id": str(document["_id"]["n"]), "user_id": document["_id"]["u"], **entry}
