"""The registry as open sockets are told of it: entries of announced pages, in the order of their sequence numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from bson import ObjectId
from pymongo import UpdateMany
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from notify_server.domain.inbox import VISIBLE
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Event, Note, Status, sources
from notify_server.domain.signs import SIGNS
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id
from notify_server.storage.inbox import SHOWN, Entry, entry
from notify_server.storage.journal import Journal
from notify_server.storage.registry import UNPUSHED, Who, any_of, noted, transition

_FIELDS = {**SHOWN, "sequence": 1}
_BEYOND = [status.value for status in Status if status is not Status.PENDING]
_VISIBLE = {"$in": [place.value for place in VISIBLE]}
_SENT_OTHERWISE: Document = {
    "status": {"$in": [Status.SENT.value, Status.RECEIVED.value, Status.READ.value]},
    "history.detail": {"$not": {"$regex": SIGNS[f"{Channel.REALTIME}/sent"]}},
}


@dataclass(frozen=True, slots=True)
class Numbered:
    """An entry that is in its user's inbox, and the number of its announcement."""

    sequence: int
    entry: Entry


@translated
class Sequenced:
    """Reads and moves entries for gateways."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]
        self._journal = Journal(database)

    def among(self, who: Who) -> list[Entry]:
        """Those of these entries that are in their users' inboxes."""
        return [entry(found) for found in self._all.find({"_id": any_of(who), "inbox": _VISIBLE}, SHOWN)]

    def beyond_pending(self, notification: str, users: Sequence[str]) -> dict[str, Entry | None]:
        """Those of `users` whose entry is not `pending` any more; None where it is not in their inbox.

        Right after an announcement these are few, and nothing is read of the others.
        """
        if not users:
            return {}
        page = {"_id.n": object_id(notification), "_id.u": {"$gte": min(users), "$lte": max(users)}}
        found = self._all.find(page | {"status": {"$in": _BEYOND}}, SHOWN, hint="by_notification")
        entries = (entry(document) for document in found)
        return {each.user: each if each.place in VISIBLE else None for each in entries}

    def number(self, user: str, notification: str) -> int | None:
        """The sequence number of the user's own entry, once no failover can take it back; None where there is none.

        A number that is taken back is given to another announcement, which the user would never be told of.
        """
        durable = self._all.with_options(read_concern=ReadConcern("majority"))
        found = durable.find_one({"_id": entry_id(object_id(notification), user)}, {"sequence": 1})
        return None if found is None else found.get("sequence")

    def between(self, user: str, after: int, until: int, limit: int) -> list[Numbered]:
        """At most `limit` entries in the user's inbox with a number in (after, until], the newest first."""
        numbered = {"_id.u": user, "sequence": {"$gt": after, "$lte": until}, "inbox": _VISIBLE}
        found = self._all.find(numbered, _FIELDS, hint="by_sequence").sort("sequence", -1).limit(limit)
        return [Numbered(each["sequence"], entry(each)) for each in found]

    def since(self, user: str, made: datetime, until: int, limit: int) -> tuple[list[Numbered], bool]:
        """The same of notifications whose ids were made in the second that holds `made`, or after it.

        Any client may ask for any time, so no more than the `limit` newest entries of the inbox are read, those
        for push alone among them. Returns too whether there were more.
        """
        later = {"_id.u": user, "inbox": _VISIBLE, "_id.n": {"$gte": ObjectId.from_datetime(made)}}
        found = list(self._all.find(later, _FIELDS, hint="by_user").sort("_id.n", -1).limit(limit + 1))
        numbered = [Numbered(each["sequence"], entry(each)) for each in found[:limit] if "sequence" in each]
        numbered.sort(key=attrgetter("sequence"), reverse=True)
        return [each for each in numbered if each.sequence <= until], len(found) > limit

    def emitted(self, who: Who, note: Note, *, push_follows: bool) -> int:
        """An open socket got it: what was not sent is `sent`. Returns how many entries have changed.

        What was sent otherwise before stays where it is, and its history tells of the socket, once. Where
        `push_follows`, what was pending is marked as unpushed: FCM has not accepted it, and is to be asked. It keeps
        its reason, which says why it has not been pushed yet; who waits for a device is found by it.
        """
        updates: list[tuple[Document, Document | list[Document]]] = [
            ({"status": {"$in": sources(Event.SEND)}}, transition(Event.SEND, note)),
            (_SENT_OTHERWISE, [{"$set": noted(note)}]),  # the last: what another channel sends meanwhile meets it
        ]
        if push_follows:
            updates.insert(0, ({"status": Status.PENDING.value}, _unpushed(note)))
        writes = [
            UpdateMany({"_id.n": object_id(n), "_id.u": {"$in": list(users)}} | guard, update, hint="by_notification")
            for guard, update in updates
            for n, users in who.items()
        ]
        with self._journal.changing(who):
            return self._all.bulk_write(writes, ordered=True).modified_count if writes else 0


def _unpushed(note: Note) -> Document:
    """The update of a pending entry whose push follows."""
    update = transition(Event.SEND, note)
    del update["$set"]["reason"]
    update["$set"][UNPUSHED] = True
    return update


def made_at(notification: str) -> datetime:
    """When this id was made, to the second. Raises NotFound where it cannot be an id."""
    return object_id(notification).generation_time
