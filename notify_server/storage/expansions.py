"""The queue side of `notifications`: who expands which audience, how far it is, and when it is over.

A lease is `owner` plus a `due_at` in the future. When its owner dies, `due_at` passes and anyone may claim it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne, WriteConcern
from pymongo.database import Database

from notify_server.domain.audience import is_brief
from notify_server.domain.batch import Rank
from notify_server.domain.notification import Channel, Notification, State
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, object_id
from notify_server.storage.notification_document import WITHOUT_MAILS, from_document

# A cancelled audience is still expanded: each of its recipients gets an entry that says so.
_UNEXPANDED = [State.ACCEPTED.value, State.DISPATCHING.value, State.CANCELLED.value]
_SCHEDULED = {"state": State.SCHEDULED.value}
_ANY_RANK = {"$in": [rank.value for rank in Rank]}  # leads to the index `to_expand`


@dataclass(frozen=True, slots=True)
class Claim:
    """A notification whose audience this owner expands from `cursor` on."""

    notification: Notification
    cursor: str

    @property
    def brief(self) -> bool:
        """Whether the audience is a page of named users, of which nothing has been expanded."""
        return not self.cursor and is_brief(self.notification.audience)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a dispatcher must know before it sends: the state, how far the registry is filled, and if it is mailed."""

    state: State
    expires_at: datetime
    cursor: str
    expanded: bool
    mailed: bool = False

    def covers(self, page: str) -> bool:
        """Whether every recipient of the page that begins after `page` has its entry."""
        return self.expanded or self.cursor > page


@translated
class Expansions:
    """Leases and progress of audiences."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["notifications"]
        self._unconfirmed = self._all.with_options(write_concern=WriteConcern(w=1))

    def claim(
        self, owner: str, now: datetime, until: datetime, limit: int, ranks: Sequence[Rank] = tuple(Rank)
    ) -> list[Claim]:
        """Lease the most urgent notifications whose audience is not fully expanded, at most `limit`, until `until`.

        No majority is waited for: where an election takes a claim back, its owner finds the lease lost at the cursor.
        """
        waiting = {"expanded": False, "state": {"$in": _UNEXPANDED}, "due_at": {"$lte": now}, "rank": {"$in": ranks}}
        found = self._all.find(waiting, {"_id": 1}).sort([("rank", 1), ("due_at", 1)]).limit(limit)
        ids = [document["_id"] for document in found]
        if not ids:
            return []
        ours = {"_id": {"$in": ids}}
        begun = [{"$set": {"owner": owner, "due_at": until, "state": _begun()}}]
        self._unconfirmed.update_many(ours | waiting, begun)
        claimed = self._all.find(ours | {"owner": owner, "due_at": until}, WITHOUT_MAILS)
        return [Claim(from_document(document), document["cursor"]) for document in claimed.sort("_id", 1)]

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

    def complete(self, pages: Sequence[tuple[str, str, int]], owner: str) -> bool:
        """End the expansion of audiences of one page: (notification, last user, recipients).

        False when a lease was lost: then nobody knows here which of them were ended.
        """
        writes = [
            UpdateOne(
                {"_id": object_id(notification), "owner": owner, "cursor": "", "expanded": False},
                {"$set": {"cursor": last, "expanded": True, "owner": None}, "$inc": {"recipients": recipients}},
            )
            for notification, last, recipients in pages
        ]
        return self._all.bulk_write(writes, ordered=False).modified_count == len(writes)

    def oldest_due(self, now: datetime) -> datetime | None:
        """Since when the notification that waits longest for somebody to expand it has been due; None: none waits."""
        waiting = {"expanded": False, "state": {"$in": _UNEXPANDED}, "rank": _ANY_RANK, "due_at": {"$lte": now}}
        found = self._all.find_one(waiting, {"due_at": 1}, sort=[("due_at", 1)])
        return None if found is None else found["due_at"]

    def renew(self, notifications: Iterable[str], owner: str, until: datetime) -> None:
        """Keep those of these leases that `owner` still has for longer."""
        ids = [object_id(notification) for notification in notifications]
        self._all.update_many({"_id": {"$in": ids}, "owner": owner, "expanded": False}, {"$set": {"due_at": until}})

    def resign(self, owner: str, now: datetime) -> None:
        """End every lease of `owner`."""
        ours = {"expanded": False, "rank": _ANY_RANK, "owner": owner}
        self._all.update_many(ours, {"$set": {"owner": None, "due_at": now}})

    def progress(self, notifications: Sequence[str]) -> Mapping[str, Progress]:
        """What a dispatcher must know of each of these notifications that exists."""
        fields = ("state", "expires_at", "cursor", "expanded", "channels")
        found = self._all.find({"_id": {"$in": [object_id(notification) for notification in notifications]}}, fields)
        return {
            str(document["_id"]): Progress(
                State(document["state"]),
                document["expires_at"],
                document["cursor"],
                document["expanded"],
                Channel.EMAIL.value in document["channels"],
            )
            for document in found
        }

    def finish(self, notifications: Sequence[str]) -> int:
        """Dispatching → done, for those whose audience is expanded. Returns how many."""
        done = self._all.update_many(
            {
                "_id": {"$in": [object_id(notification) for notification in notifications]},
                "expanded": True,
                "state": State.DISPATCHING.value,
            },
            {"$set": {"state": State.DONE.value}},
        )
        return done.modified_count

    def unfinished(self, limit: int) -> list[str]:
        """The oldest fully expanded notifications that are still dispatching."""
        found = self._all.find({"state": State.DISPATCHING.value, "expanded": True}, {"_id": 1})
        return [str(document["_id"]) for document in found.sort("_id", 1).limit(limit)]

    def next_release(self) -> datetime | None:
        """When the next of the scheduled notifications is due; None where none is scheduled."""
        found = self._all.find_one(_SCHEDULED, {"due_at": 1}, sort=[("due_at", 1)], hint="to_release")
        return None if found is None else found["due_at"]

    def release(self, now: datetime) -> int:
        """Scheduled notifications whose time has come → accepted. Returns how many."""
        due = _SCHEDULED | {"due_at": {"$lte": now}}
        return self._all.update_many(due, {"$set": {"state": State.ACCEPTED.value}}, hint="to_release").modified_count

    def expired(self, now: datetime, limit: int) -> list[str]:
        """Fully expanded notifications whose time to live is over and that are still open."""
        found = self._all.find({"open": True, "expanded": True, "expires_at": {"$lte": now}}, {"_id": 1})
        return [str(document["_id"]) for document in found.limit(limit)]

    def close(self, notification: str) -> None:
        """Nothing of it will ever be sent again."""
        unsaid = {"mails": "", "attachments": ""}
        self._all.update_one({"_id": object_id(notification)}, {"$set": {"open": False}, "$unset": unsaid})
        self.finish([notification])

    def reap(self, now: datetime) -> int:
        """Take the names of dead owners off notifications whose lease ran out. Returns how many."""
        dead = {"expanded": False, "rank": _ANY_RANK, "due_at": {"$lte": now}, "owner": {"$ne": None}}
        return self._all.update_many(dead, {"$set": {"owner": None}}).modified_count


def _begun() -> Document:
    """A pipeline expression: the state after a claim; a cancelled notification stays cancelled."""
    return {"$cond": [{"$eq": ["$state", State.CANCELLED.value]}, "$state", State.DISPATCHING.value]}
