"""What users have muted, and what that stops of what is on its way to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.database import Database

from notify_server.domain.inbox import Place
from notify_server.domain.notification import Notification
from notify_server.domain.registry import Event, Reason, Status, sources
from notify_server.domain.user import Mutable
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id
from notify_server.storage.journal import Journal
from notify_server.storage.notification_document import from_document

_ENTRY_FIELD = {Mutable.GROUPS: "groups", Mutable.CATEGORIES: "category"}
_UNDER_WAY = [*sources(Event.MUTE), Status.SENT.value]  # `sent` may be sent once more


@dataclass(frozen=True, slots=True)
class Underway:
    """A notification that may still be sent to a user, who was reached through `groups`.

    Of the users whom its audience names, it has this one alone, if they are among them.
    """

    notification: Notification
    groups: Sequence[str]


@translated
class Subscriptions:
    """Reads and writes `users.muted`, and the entries of what was muted."""

    def __init__(self, database: Database[Document]) -> None:
        self._users = database["users"]
        self._registry = database["registry"]
        self._notifications = database["notifications"]
        self._journal = Journal(database)

    def mute(self, user: str, kind: Mutable, name: str, most: int, now: datetime) -> bool:
        """Note it with a known user; False where they have muted `most` others of this kind already."""
        field = f"muted.{kind.value}"
        room = {"$or": [{field: name}, {f"{field}.{most - 1}": {"$exists": False}}]}
        done = self._users.update_one({"_id": user} | room, {"$addToSet": {field: name}, "$set": {"updated_at": now}})
        return done.matched_count == 1

    def unmute(self, user: str, kind: Mutable, name: str, now: datetime) -> None:
        """Forget it, where it was muted."""
        field = f"muted.{kind.value}"
        self._users.update_one({"_id": user, field: name}, {"$pull": {field: name}, "$set": {"updated_at": now}})

    def under_way(self, user: str, kind: Mutable, name: str, now: datetime) -> list[Underway]:
        """What may still be sent to `user` of a category, or has reached them through a group."""
        ours = {"_id.u": user, "inbox": Place.UNREAD.value, "status": {"$in": _UNDER_WAY}, _ENTRY_FIELD[kind]: name}
        groups = {found["_id"]["n"]: found["groups"] for found in self._registry.find(ours, {"groups": 1})}
        if not groups:
            return []
        open_ones = {"_id": {"$in": list(groups)}, "open": True, "expires_at": {"$gt": now}}
        stages: list[Document] = [
            {"$match": open_ones},
            {"$unset": ["mails", "attachments"]},
            {"$set": {"audience.users": _narrowed(user)}},
        ]
        found = self._notifications.aggregate(stages)
        return [Underway(from_document(document), groups[document["_id"]]) for document in found]

    def suppress(self, user: str, notifications: Sequence[str], reason: Reason, at: datetime) -> int:
        """Stop what is not sent yet, and what was sent from being sent again. Returns how many entries.

        One update decides for each entry, by where it stands at that moment: a `pending` one is `suppressed`, but where
        it was sent before and waits for a resend or another device, it is `sent` for good.
        """
        ids = [entry_id(object_id(notification), user) for notification in notifications]
        guard = {"_id": {"$in": ids}, "status": {"$in": _UNDER_WAY}, "muted": {"$ne": True}}
        with self._journal.changing(notifications):
            return self._registry.update_many(guard, [{"$set": _muted(reason, at)}]).modified_count


def _muted(reason: Reason, at: datetime) -> Document:
    """Pipeline expressions: what becomes of an entry that was muted."""
    pending = {"$eq": ["$status", Status.PENDING.value]}
    unsent = {"$and": [pending, {"$eq": ["$sent_at", None]}]}
    status = {"$cond": [unsent, Status.SUPPRESSED.value, Status.SENT.value]}
    line = {"status": status, "at": at, "detail": {"$cond": [unsent, reason.value, f"{reason.value}: not sent again"]}}
    return {
        "muted": True,
        "status": status,
        "reason": {"$cond": [unsent, reason.value, None]},
        "inbox": {"$cond": [unsent, Place.HIDDEN.value, "$inbox"]},
        "history": {"$cond": [pending, {"$concatArrays": ["$history", [line]]}, "$history"]},
    }


def _narrowed(user: str) -> Document:
    """A pipeline expression: of the users whom an audience names, this one alone, if they are among them."""
    name = {"$literal": user}
    return {"$cond": [{"$in": [name, "$audience.users"]}, [name], []]}
