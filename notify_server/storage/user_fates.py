"""What became of everything that one user was sent."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bson import ObjectId

from notify_server.domain.inbox import Place
from notify_server.domain.registry import Reason, Status
from notify_server.domain.tally import Fate
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

_ANY_PLACE = {"$in": [place.value for place in Place]}  # leads to the index `by_user`
_SHOWN = {"status": 1, "reason": 1, "received_at": 1, "read_at": 1, "history": {"$slice": 1}}
_SKEW = timedelta(minutes=1)  # by which clocks of the processes that accept and enter may differ, and more


@translated
class UserFates:
    """Reads entries by their user."""

    def __init__(self, database: Store) -> None:
        self._registry = database["registry"]

    def of(self, user: str, category: str | None, until: datetime) -> Iterator[Fate]:
        """Entries of `user`, newest notification first; all that were entered before `until` are among them."""
        accepted = {"$lt": ObjectId.from_datetime(until + _SKEW)}
        conditions: Document = {"_id.u": user, "inbox": _ANY_PLACE, "_id.n": accepted}
        if category is not None:
            conditions["category"] = category
        for entry in self._registry.find(conditions, _SHOWN):
            yield _fate(entry)


def _fate(entry: Document) -> Fate:
    reason = entry["reason"] and Reason(entry["reason"])
    entered = entry["history"][0]["at"]
    return Fate(Status(entry["status"]), reason, entered, entry["received_at"], entry["read_at"])
