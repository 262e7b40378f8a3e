"""The whole registry, walked in the order of notifications and users: an order that no change of an entry touches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bson import ObjectId

from notify_server.domain.notification import MAX_TTL
from notify_server.domain.registry import Status
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entries_after, object_id
from notify_server.storage.notification_document import labels_of

PAGE = 1000  # entries read at once: flat memory, however many there are
LATEST = timedelta(seconds=MAX_TTL, days=7)  # after its time within which an audience is expanded, however it waited
SKEW = timedelta(minutes=1)  # by which clocks of the processes that accept and enter may differ, and more
FIRST = datetime(1970, 1, 1, tzinfo=UTC)  # that an id can name

_HEADS = 500  # notifications read at once
_ENTERED = "history.0.at"
_HEAD = dict.fromkeys(
    ("category", "community", "recipients", "expanded", "created_at", "send_at", "audience.communities"), 1
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries: entered from `start` on and before `end`; the rest narrows, where it is set."""

    start: datetime | None
    end: datetime
    category: str | None = None
    community: str | None = None
    group: str | None = None
    status: Status | None = None
    notification: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A notification, as an export tells of it. `recipients` is final where it is `expanded`."""

    id: str
    category: str | None
    community: str | None
    recipients: int
    expanded: bool
    due_at: datetime


@translated
class RegistryWalk:
    """Reads `notifications` and `registry` in pages, and keeps no cursor open between two of them."""

    def __init__(self, database: Store) -> None:
        self._notifications = database["notifications"]
        self._registry = database["registry"]

    def heads(self, selection: Selection, begin: str | None) -> Iterator[Head]:
        """Notifications that may have entries of `selection`, by id, from `begin` on."""
        conditions, start, floor = _of(selection), selection.start, None
        if selection.notification is not None:
            conditions["_id"] = object_id(selection.notification)
        elif start is not None:
            since = earliest(start)
            floor, due = ObjectId.from_datetime(since), {"$gte": since, "$lt": selection.end + SKEW}
            yield from self._scheduled(conditions | {"send_at": due}, floor, begin)
        yield from self._since(selection, conditions, floor, begin)

    def _scheduled(self, conditions: Document, before: ObjectId, begin: str | None) -> Iterator[Head]:
        """Those that were accepted long before the period, for a time in it or shortly before."""
        found = self._notifications.find(conditions | {"_id": {"$lt": before}}, {"_id": 1}, hint="by_schedule")
        ids = sorted(document["_id"] for document in found if begin is None or document["_id"] >= object_id(begin))
        for first in range(0, len(ids), _HEADS):
            page = self._notifications.find({"_id": {"$in": ids[first : first + _HEADS]}}, _HEAD).sort("_id", 1)
            yield from (_head(document) for document in page)

    def _since(
        self, selection: Selection, conditions: Document, floor: ObjectId | None, begin: str | None
    ) -> Iterator[Head]:
        index = "_id_" if selection.category is None else "by_category"  # both are in the order that is needed
        bounds: Document = {"$lt": ObjectId.from_datetime(selection.end + SKEW)}
        starts = [start for start in (floor, begin and object_id(begin)) if start]
        if starts:
            bounds["$gte"] = max(starts)
        while True:
            narrowed = {"$and": [conditions, {"_id": bounds}]}
            page = list(self._notifications.find(narrowed, _HEAD, hint=index).sort("_id", 1).limit(_HEADS))
            yield from (_head(document) for document in page)
            if len(page) < _HEADS:
                return
            bounds = {"$lt": bounds["$lt"], "$gt": page[-1]["_id"]}

    def reaches(self, notification: str, start: datetime) -> bool:
        """Whether anything of it can have been entered from `start` on: audiences are entered in the order of users."""
        n = object_id(notification)
        last = self._registry.find_one({"_id": entries_after(n, "")}, {"history": {"$slice": 1}}, sort=[("_id", -1)])
        return last is not None and last["history"][0]["at"] >= start - SKEW

    def page(self, selection: Selection, notification: str, after: str) -> list[Document]:
        """At most PAGE entries of one notification in order of user id, from the one after user `after`."""
        n = object_id(notification)
        if selection.status is None:
            which: Document = {"_id": entries_after(n, after)}
            order = "_id"
        else:
            which = {"_id.n": n, "status": selection.status.value, "_id.u": {"$gt": after}}
            order = "_id.u"
        return list(self._registry.find(which | _among(selection), {"inbox": 0}).sort(order, 1).limit(PAGE))

    def together(self, selection: Selection, notifications: Sequence[str]) -> list[Document]:
        """The entries of some notifications with few recipients, in order of notification and user id."""
        which: Document = {"_id.n": {"$in": [object_id(notification) for notification in notifications]}}
        if selection.status is not None:
            which["status"] = selection.status.value
        found = self._registry.find(which | _among(selection), {"inbox": 0}, hint="by_notification")
        return sorted(found, key=lambda entry: (entry["_id"]["n"], entry["_id"]["u"]))


def earliest(start: datetime) -> datetime:
    """When what is entered from `start` on can have been due, or accepted unless it was scheduled, at the earliest."""
    return max(start, FIRST + LATEST) - LATEST


def _of(selection: Selection) -> Document:
    conditions: Document = {}
    if selection.category is not None:
        conditions["category"] = selection.category
    if selection.group is not None:
        conditions["audience.groups"] = selection.group
    if selection.community is not None:
        alone = {"community": None, "audience.communities": [selection.community]}
        conditions["$or"] = [{"community": selection.community}, alone]
    return conditions


def _among(selection: Selection) -> Document:
    """The conditions on entries that no index helps with."""
    entered = {"$lt": selection.end} | ({"$gte": selection.start} if selection.start else {})
    return {_ENTERED: entered} | ({"groups": selection.group} if selection.group is not None else {})


def _head(document: Document) -> Head:
    return Head(
        str(document["_id"]),
        document["category"],
        labels_of(document).community,
        document["recipients"],
        document["expanded"],
        document["send_at"] or document["created_at"],
    )
