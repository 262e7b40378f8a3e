"""The registry as its user sees it: pages, counts, and marks of what they have read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import MaxKey, ObjectId
from pymongo import UpdateMany
from pymongo.database import Database

from notify_server.domain.inbox import VISIBLE, Place
from notify_server.domain.registry import Event, Note, Status, sources
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id
from notify_server.storage.journal import Journal
from notify_server.storage.registry import transition

_PAGE = 2000  # entries that one write marks as read: it is to take much less than a mark holds

SHOWN = {"status": 1, "inbox": 1, "groups": 1, "read_at": 1, "locale": 1}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the inbox, without what the notification says; `locale` is the one in which it says it."""

    user: str
    notification: str
    status: Status
    place: Place
    groups: Sequence[str]
    read_at: datetime | None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries that came through any of `groups` or are of any of `categories`; None: all of them.

    `before` leaves out what was accepted in that second or after it, except for those named in `besides`.
    """

    groups: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    before: datetime | None = None
    besides: Sequence[str] = ()


@translated
class Inbox:
    """Reads and marks a user's own entries in `registry`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]
        self._journal = Journal(database)

    def page(self, user: str, places: Sequence[Place], filters: Document, after: str | None, limit: int) -> list[Entry]:
        """At most `limit` entries, newest notification first, from the one after notification `after`.

        `filters`: a `category`, and one of the `groups` through which the user was reached.
        """
        conditions = of(user, places) | filters
        if after is not None:
            conditions["_id.n"] = {"$lt": object_id(after)}
        return [entry(found) for found in self._all.find(conditions, SHOWN).sort("_id.n", -1).limit(limit)]

    def find(self, user: str, notification: str) -> Entry | None:
        """One entry, if it is in the inbox."""
        found = self._all.find_one(_visible(user, notification), SHOWN)
        return None if found is None else entry(found)

    def unread(self, user: str) -> int:
        """How many entries are unread: keys of the index are counted, and no entry is read."""
        return self._all.count_documents(of(user, [Place.UNREAD]))

    def unread_of(self, users: Sequence[str]) -> dict[str, int]:
        """The same for each of `users` who has any: for many a fraction of what one after the other would cost."""
        theirs = {"_id.u": {"$in": list(users)}, "inbox": Place.UNREAD.value}
        counted = {"$group": {"_id": "$_id.u", "count": {"$sum": 1}}}
        found = self._all.aggregate([{"$match": theirs}, counted], hint="by_user")
        return {each["_id"]: each["count"] for each in found}

    def unread_alike(self, user: str) -> Iterator[tuple[str | None, Sequence[str], int]]:
        """The unread entries by category and groups through which they came: few kinds, whatever their number."""
        alike = {"_id": {"category": "$category", "groups": "$groups"}, "count": {"$sum": 1}}
        for found in self._all.aggregate([{"$match": of(user, [Place.UNREAD])}, {"$group": alike}], hint="by_user"):
            yield found["_id"]["category"], found["_id"]["groups"], found["count"]

    def accepted_in(self, user: str, second: datetime) -> list[str]:
        """The unread notifications whose id was made in the second that holds this time."""
        bounds = {"$gte": ObjectId.from_datetime(second), "$lt": _next(second)}
        found = self._all.find(of(user, [Place.UNREAD]) | {"_id.n": bounds}, {"_id": 1})
        return [str(document["_id"]["n"]) for document in found]

    def mark_one(self, user: str, notification: str, note: Note, *, read: bool) -> None:
        """Mark an entry that is in the inbox; one that is marked so already stays as it is."""
        if read:
            with self._journal.changing([notification]):
                self._read(_visible(user, notification), note)
        else:
            marked = _visible(user, notification) | {"inbox": Place.READ.value}
            self._all.update_one(marked, {"$set": {"inbox": Place.UNREAD.value}})

    def mark_read(self, user: str, selection: Selection, note: Note) -> int:
        """Mark all that is selected as read. Returns how many were unread."""
        updated = 0
        after: ObjectId | MaxKey = MaxKey()
        while page := self._unread(user, selection, after):
            theirs = of(user, [Place.UNREAD]) | {"_id.n": {"$in": page}}
            with self._journal.changing(map(str, page)):
                updated += self._read(theirs, note)
            after = page[-1]
        return updated

    def _unread(self, user: str, selection: Selection, after: ObjectId | MaxKey) -> list[ObjectId]:
        """The next page of what is selected, newest first."""
        conditions = {"$and": [of(user, [Place.UNREAD]), {"_id.n": {"$lt": after}}, _selected(selection)]}
        found = self._all.find(conditions, {"_id": 1}, hint="by_user").sort("_id.n", -1).limit(_PAGE)
        return [document["_id"]["n"] for document in found]

    def _read(self, conditions: Document, note: Note) -> int:
        """A read receipt for what has none, and no more than the mark for what is `read` already.

        An entry that no device has confirmed was received by the same token.
        """
        unread = conditions | {"inbox": Place.UNREAD.value}
        update = transition(Event.READ, note)
        unreceived = [status for status in sources(Event.READ) if status != Status.RECEIVED.value]
        both = update | {"$set": update["$set"] | {"received_at": note.at}}
        writes = [
            UpdateMany(unread | {"status": Status.RECEIVED.value}, update),
            UpdateMany(unread | {"status": {"$in": unreceived}}, both),
            UpdateMany(unread | {"status": Status.READ.value}, {"$set": {"inbox": Place.READ.value}}),
        ]
        return self._all.bulk_write(writes).modified_count


def of(user: str, places: Sequence[Place]) -> Document:
    """The condition on a user's entries that lie in `places`."""
    return {"_id.u": user, "inbox": {"$in": [place.value for place in places]}}


def _visible(user: str, notification: str) -> Document:
    return {"_id": entry_id(object_id(notification), user), "inbox": {"$in": [place.value for place in VISIBLE]}}


def _selected(selection: Selection) -> Document:
    """Conditions on entries; those on groups and categories are alternatives, the one on time is not."""
    named = {"groups": selection.groups, "category": selection.categories}
    ways: list[Document] = [{field: {"$in": list(names)}} for field, names in named.items() if names is not None]
    conditions: list[Document] = [{"$or": ways}] if ways else []
    if selection.before is not None:
        besides = [object_id(notification) for notification in selection.besides]
        earlier = {"_id.n": {"$lt": ObjectId.from_datetime(selection.before)}}
        conditions.append({"$or": [earlier, {"_id.n": {"$in": besides}}]})
    return {"$and": conditions} if conditions else {}


def _next(second: datetime) -> ObjectId:
    seconds = int(second.timestamp()) + 1
    return ObjectId(seconds.to_bytes(4, "big") + bytes(8))


def entry(document: Document) -> Entry:
    """The entry of a document that has the fields SHOWN."""
    return Entry(
        user=document["_id"]["u"],
        notification=str(document["_id"]["n"]),
        status=Status(document["status"]),
        place=Place(document["inbox"]),
        groups=document["groups"],
        read_at=document["read_at"],
        locale=document.get("locale"),
    )
