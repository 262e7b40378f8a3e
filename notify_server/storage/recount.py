"""What the registry adds up to: the parts of a notification, counted from its entries.

MongoDB adds up what is alike and hands over the times that devices took: 3 to 4 µs an entry, both sides together, where
reading the entries takes 8 to 9. For brief notifications, of which nothing is alike, both cost the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from notify_server.domain.periods import floor
from notify_server.domain.registry import Reason, Status
from notify_server.domain.signs import SIGNS, signs
from notify_server.domain.statistics import Part, merged
from notify_server.domain.tally import Fate, names, standing, step_of
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entries_after, object_id

FIELDS = ("status", "reason", "groups", "history", "received_at", "read_at", "over", "sequence")  # what makes a part
_SIGNED = ("over", "sequence")  # one of them is there where an entry goes by mail, or to open sockets
_ENTERED = {"$first": "$history.at"}
_BRANCHES = [
    {"case": {"$regexMatch": {"input": "$$detail", "regex": pattern}}, "then": sign} for sign, pattern in SIGNS.items()
]
_SIGN = {"$switch": {"branches": _BRANCHES, "default": None}}
# What domain/signs.py says of an entry, each sign once; null where push is alone, and nothing of its history is read.
SIGNS_OF: dict[str, Any] = {
    "$cond": [
        {"$or": [{"$gt": [f"${field}", None]} for field in _SIGNED]},
        {"$setUnion": [{"$map": {"input": "$history.detail", "as": "detail", "in": _SIGN}}]},
        None,
    ]
}
_ALIKE: dict[str, Any] = {
    "_id": {
        "n": "$_id.n",
        "status": "$status",
        "reason": "$reason",
        "groups": "$groups",
        "signs": SIGNS_OF,
        "quarter": {"$dateTrunc": {"date": _ENTERED, "unit": "minute", "binSize": 15}},
    },
    "count": {"$sum": 1},
    "received": {"$push": {"$subtract": ["$received_at", _ENTERED]}},  # milliseconds, or null
    "read": {"$push": {"$subtract": ["$read_at", _ENTERED]}},
}


@translated
class Recount:
    """Counts entries of `registry`; in a session, as they are in its snapshot."""

    def __init__(self, database: Store) -> None:
        self._all = database["registry"]

    def of(self, notifications: Sequence[str], session: ClientSession | None = None) -> Mapping[str, list[Part]]:
        """The parts of each of these notifications: in all they should not have more than some thousand entries."""
        these = {"_id.n": {"$in": [object_id(notification) for notification in notifications]}}
        found = self._parts(these, "by_notification", session) if notifications else {}
        return {notification: found.get(object_id(notification), []) for notification in notifications}

    def between(
        self, notification: str, after: str, to: str | None, session: ClientSession | None = None
    ) -> Sequence[Part]:
        """The parts of the entries of the users after `after`, up to `to`; None: to the last one."""
        n = object_id(notification)
        return self._parts({"_id": entries_after(n, after, to)}, "_id_", session).get(n, [])

    def boundary(self, notification: str, after: str, size: int, session: ClientSession | None = None) -> str | None:
        """The last of the `size` users that come after `after`; None where there are no more than these."""
        n = object_id(notification)
        found = (
            self._all.find({"_id": entries_after(n, after)}, {"_id": 1}, session=session)
            .sort("_id", 1)
            .skip(size - 1)
            .limit(2)
        )
        users = [document["_id"]["u"] for document in found]
        return users[0] if len(users) == 2 else None

    def _parts(self, which: Document, index: str, session: ClientSession | None) -> Mapping[ObjectId, list[Part]]:
        together: dict[ObjectId, list[Part]] = {}
        stages: list[Mapping[str, Any]] = [{"$match": which}, {"$group": _ALIKE}]
        for row in self._all.aggregate(stages, hint=index, session=session):
            key = row["_id"]
            tally = _tally(key, row)
            together.setdefault(key["n"], []).extend(_by_group(key["quarter"], key["groups"], tally))
        return {n: merged(parts) for n, parts in together.items()}


def parts_of(entries: Iterable[Document]) -> list[Part]:
    """The parts of entries that were read, with FIELDS at least."""
    parts: list[Part] = []
    for entry in entries:
        entered = entry["history"][0]["at"]
        reason = entry["reason"] and Reason(entry["reason"])
        signed = signs(line["detail"] for line in entry["history"]) if any(map(entry.__contains__, _SIGNED)) else None
        fate = Fate(Status(entry["status"]), reason, entered, entry["received_at"], entry["read_at"], signed)
        parts += _by_group(floor(entered), entry["groups"], Counter(names(fate)))
    return merged(parts)


def given(found: Sequence[str | None] | None) -> frozenset[str] | None:
    """The signs of SIGNS_OF, without what stands for lines that give none."""
    return None if found is None else frozenset(sign for sign in found if sign)


def _tally(key: Document, row: Document) -> dict[str, int]:
    status, reason = Status(key["status"]), key["reason"] and Reason(key["reason"])
    count: int = row["count"]
    tally = dict.fromkeys(standing(status, reason, given(key["signs"])), count)
    for name in ("received", "read"):
        steps = Counter(step_of(milliseconds) for milliseconds in row[name] if milliseconds is not None)
        tally |= {f"{name}@{step}": count for step, count in steps.items()}
    return tally


def _by_group(quarter: datetime, groups: Sequence[str], tally: Mapping[str, int]) -> list[Part]:
    return [Part(quarter, group, tally) for group in (None, *sorted(set(groups)))]
