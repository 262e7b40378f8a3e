"""The registry as open sockets are told of it: entries of announced pages, in the order of their sequence numbers."""

from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pymongo.database import Database

from notify_server.domain.inbox import VISIBLE
from notify_server.domain.registry import Event, Note, sources
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id
from notify_server.storage.inbox import SHOWN, Entry, entry
from notify_server.storage.registry import UNPUSHED, Who, any_of, transition

_FIELDS = {**SHOWN, "sequence": 1}
_VISIBLE = {"$in": [place.value for place in VISIBLE]}


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

    def among(self, who: Who) -> list[Entry]:
        """Those of these entries that are in their users' inboxes."""
        return [entry(found) for found in self._all.find({"_id": any_of(who), "inbox": _VISIBLE}, SHOWN)]

    def number(self, user: str, notification: str) -> int | None:
        """The sequence number of the user's own entry; None where there is none."""
        found = self._all.find_one({"_id": entry_id(object_id(notification), user)}, {"sequence": 1})
        return None if found is None else found.get("sequence")

    def between(self, user: str, after: int, until: int, limit: int) -> list[Numbered]:
        """At most `limit` entries in the user's inbox with a number in (after, until], the newest first."""
        return self._newest({"_id.u": user, "sequence": {"$gt": after, "$lte": until}}, limit)

    def since(self, user: str, made: datetime, until: int, limit: int) -> list[Numbered]:
        """The same of notifications whose ids were made in the second that holds `made`, or after it."""
        later = {"_id.n": {"$gte": ObjectId.from_datetime(made)}}
        return self._newest({"_id.u": user, "sequence": {"$lte": until}} | later, limit)

    def _newest(self, conditions: Document, limit: int) -> list[Numbered]:
        found = self._all.find(conditions | {"inbox": _VISIBLE}, _FIELDS, hint="by_sequence")
        return [Numbered(each["sequence"], entry(each)) for each in found.sort("sequence", -1).limit(limit)]

    def emitted(self, who: Who, note: Note, *, push_follows: bool) -> int:
        """An open socket got it: what was not sent is `sent`. Returns how many moved.

        Where `push_follows`, it is marked as unpushed: FCM has not accepted it, and is to be asked.
        """
        guard = {"_id": any_of(who), "status": {"$in": sources(Event.SEND)}}
        update = transition(Event.SEND, note)
        if push_follows:
            update["$set"][UNPUSHED] = True
        return self._all.update_many(guard, update).modified_count


def made_at(notification: str) -> datetime:
    """When this id was made, to the second. Raises NotFound where it cannot be an id."""
    return object_id(notification).generation_time
