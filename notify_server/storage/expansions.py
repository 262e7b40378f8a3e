"""The queue side of `notifications`: who expands which audience, how far it is, and when it is over.

A lease is `owner` plus a `due_at` in the future. When its owner dies, `due_at` passes and anyone may claim it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pymongo import ReturnDocument
from pymongo.database import Database

from notify_server.domain.batch import Rank
from notify_server.domain.notification import Notification, State
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, object_id
from notify_server.storage.notification_document import from_document

# A cancelled audience is still expanded: each of its recipients gets an entry that says so.
_UNEXPANDED = [State.ACCEPTED.value, State.DISPATCHING.value, State.CANCELLED.value]
_ANY_RANK = {"$in": [rank.value for rank in Rank]}  # leads to the index `to_expand`


@dataclass(frozen=True, slots=True)
class Claim:
    """A notification whose audience this owner expands from `cursor` on."""

    notification: Notification
    cursor: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a dispatcher must know before it sends: the state, and how far the registry is filled."""

    state: State
    expires_at: datetime
    cursor: str
    expanded: bool

    def covers(self, page: str) -> bool:
        """Whether every recipient of the page that begins after `page` has its entry."""
        return self.expanded or self.cursor > page


@translated
class Expansions:
    """Leases and progress of audiences."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["notifications"]

    def claim(self, owner: str, now: datetime, until: datetime) -> Claim | None:
        """Lease the most urgent notification whose audience is not fully expanded, until `until`."""
        found = self._all.find_one_and_update(
            {"expanded": False, "state": {"$in": _UNEXPANDED}, "due_at": {"$lte": now}},
            [{"$set": {"owner": owner, "due_at": until, "state": _begun()}}],
            sort=[("rank", 1), ("due_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if found is None else Claim(from_document(found), found["cursor"])

    def advance(self, notification: str, owner: str, cursors: tuple[str, str], recipients: int, *, last: bool) -> bool:
        """Move the cursor past a page whose batches and entries are stored; after the `last`, end the lease.

        False, and nothing is changed, when the lease was lost.
        """
        ended = {"expanded": True, "owner": None} if last else {}
        done = self._all.update_one(
            {"_id": object_id(notification), "owner": owner, "cursor": cursors[0], "expanded": False},
            {"$set": {"cursor": cursors[1], **ended}, "$inc": {"recipients": recipients}},
        )
        return done.modified_count == 1

    def renew(self, notifications: Iterable[str], owner: str, until: datetime) -> None:
        """Keep those of these leases that `owner` still has for longer."""
        ids = [object_id(notification) for notification in notifications]
        self._all.update_many({"_id": {"$in": ids}, "owner": owner, "expanded": False}, {"$set": {"due_at": until}})

    def resign(self, owner: str, now: datetime) -> None:
        """End every lease of `owner`."""
        ours = {"expanded": False, "rank": _ANY_RANK, "owner": owner}
        self._all.update_many(ours, {"$set": {"owner": None, "due_at": now}})

    def progress(self, notification: str) -> Progress | None:
        """What a dispatcher must know, or None where there is no such notification."""
        fields = ("state", "expires_at", "cursor", "expanded")
        found = self._all.find_one({"_id": object_id(notification)}, fields)
        if found is None:
            return None
        return Progress(State(found["state"]), found["expires_at"], found["cursor"], found["expanded"])

    def finish(self, notification: str) -> bool:
        """Dispatching → done, once the audience is expanded."""
        done = self._all.update_one(
            {"_id": object_id(notification), "expanded": True, "state": State.DISPATCHING.value},
            {"$set": {"state": State.DONE.value}},
        )
        return done.modified_count == 1

    def unfinished(self, limit: int) -> list[str]:
        """The oldest fully expanded notifications that are still dispatching."""
        found = self._all.find({"state": State.DISPATCHING.value, "expanded": True}, {"_id": 1})
        return [str(document["_id"]) for document in found.sort("_id", 1).limit(limit)]

    def release(self, now: datetime) -> int:
        """Scheduled notifications whose time has come → accepted. Returns how many."""
        done = self._all.update_many(
            {"expanded": False, "rank": _ANY_RANK, "state": State.SCHEDULED.value, "due_at": {"$lte": now}},
            {"$set": {"state": State.ACCEPTED.value}},
        )
        return done.modified_count

    def expired(self, now: datetime, limit: int) -> list[str]:
        """Fully expanded notifications whose time to live is over and that are still open."""
        found = self._all.find({"open": True, "expanded": True, "expires_at": {"$lte": now}}, {"_id": 1})
        return [str(document["_id"]) for document in found.limit(limit)]

    def close(self, notification: str) -> None:
        """Nothing of it will ever be sent again."""
        self._all.update_one({"_id": object_id(notification)}, {"$set": {"open": False}})
        self.finish(notification)

    def reap(self, now: datetime) -> int:
        """Take the names of dead owners off notifications whose lease ran out. Returns how many."""
        dead = {"expanded": False, "rank": _ANY_RANK, "due_at": {"$lte": now}, "owner": {"$ne": None}}
        return self._all.update_many(dead, {"$set": {"owner": None}}).modified_count


def _begun() -> Document:
    """A pipeline expression: the state after a claim; a cancelled notification stays cancelled."""
    return {"$cond": [{"$eq": ["$state", State.CANCELLED.value]}, "$state", State.DISPATCHING.value]}
