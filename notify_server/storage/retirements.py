"""Removing notifications that are old: first they are in the archive of the statistics, then their entries go."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bson import ObjectId

from notify_server.domain.notification import State
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entries_after, object_id

_OVER = {"state": {"$in": [State.DONE.value, State.CANCELLED.value]}, "open": False, "retired_at": None}

_FIRST_ID = datetime.fromtimestamp(0, UTC)  # no id says an earlier time


@translated
class Retirements:
    """Finds what is to be retired, and removes what was."""

    def __init__(self, database: Store) -> None:
        self._notifications = database["notifications"]
        self._registry = database["registry"]
        self._others = [database[name] for name in ("batches", "resends")]

    def over(self, before: datetime, limit: int) -> list[str]:
        """Notifications that were accepted and expired before then, and of which nothing will be sent any more."""
        if before < _FIRST_ID:
            return []
        old = _OVER | {"_id": {"$lt": ObjectId.from_datetime(before)}, "expires_at": {"$lt": before}}
        found = self._notifications.find(old, {"_id": 1}, hint="by_state").limit(limit)
        return [str(document["_id"]) for document in found]

    def retired(self, limit: int) -> list[str]:
        """Those that are in the archive, and not removed."""
        found = self._notifications.find({"retired_at": {"$exists": True}}, {"_id": 1}, hint="to_remove").limit(limit)
        return [str(document["_id"]) for document in found]

    def remove_entries(self, notification: str, after: str, limit: int) -> Sequence[str]:
        """Remove at most `limit` of its entries, of the users that come after `after`. Returns these users in order.

        So that a page does not begin with all those that are gone, and that MongoDB still has to step over.
        """
        theirs = {"_id": entries_after(object_id(notification), after)}
        found = self._registry.find(theirs, {"_id": 1}).sort("_id", 1).limit(limit)
        ids: Sequence[Document] = [document["_id"] for document in found]
        if ids:
            self._registry.delete_many({"_id": {"$in": ids}})
        return [key["u"] for key in ids]

    def remove(self, notification: str) -> None:
        """Remove the notification itself, which has no entries any more."""
        n = object_id(notification)
        for collection in self._others:
            collection.delete_many({"_id.n": n})
        self._notifications.delete_one({"_id": n})
