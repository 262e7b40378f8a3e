"""What became of everything that one user was sent."""

from collections.abc import Iterator

from bson import ObjectId

from notify_server.domain.inbox import Place
from notify_server.domain.periods import Period
from notify_server.domain.registry import Reason, Status
from notify_server.domain.tally import Fate
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entry_id
from notify_server.storage.recount import SIGNS_OF, given
from notify_server.storage.registry_walk import FIRST, PAGE, SKEW, earliest

_ANY_PLACE = {"$in": [place.value for place in Place]}  # leads to the index `by_user`
_ENTERED = {"$first": "$history.at"}
_SHOWN = {"status": 1, "reason": 1, "received_at": 1, "read_at": 1, "entered_at": _ENTERED, "signs": SIGNS_OF}


@translated
class UserFates:
    """Reads entries by their user."""

    def __init__(self, database: Store) -> None:
        self._registry = database["registry"]
        self._notifications = database["notifications"]

    def of(self, user: str, category: str | None, period: Period) -> Iterator[Fate]:
        """Entries of `user` that were entered in `period`."""
        since, until = earliest(period.start), max(period.end, FIRST) + SKEW
        floor, end = ObjectId.from_datetime(since), ObjectId.from_datetime(until)
        conditions: Document = {"history.0.at": {"$gte": period.start, "$lt": period.end}}
        if category is not None:
            conditions["category"] = category
        recent: Document = {"_id.u": user, "inbox": _ANY_PLACE, "_id.n": {"$gte": floor, "$lt": end}}
        for which in (recent, *self._scheduled(user, floor, {"$gte": since, "$lt": until})):
            yield from map(_fate, self._registry.find(which | conditions, _SHOWN))

    def _scheduled(self, user: str, before: ObjectId, due: Document) -> Iterator[Document]:
        """Their entries of what was accepted long before the period, for a time in it or shortly before; in pages."""
        which = {"send_at": due, "_id": {"$lt": before}}
        found = self._notifications.find(which, {"_id": 1}, hint="by_schedule")
        keys = [entry_id(document["_id"], user) for document in found]
        return ({"_id": {"$in": keys[first : first + PAGE]}} for first in range(0, len(keys), PAGE))


def _fate(entry: Document) -> Fate:
    reason = entry["reason"] and Reason(entry["reason"])
    times = entry["entered_at"], entry["received_at"], entry["read_at"]
    return Fate(Status(entry["status"]), reason, *times, given(entry["signs"]))
