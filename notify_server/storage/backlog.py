"""The collection `batches` as a whole: what waits, what is recalled, and what goes without being sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from notify_server.domain.batch import Batch, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.batch_document import from_document
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, object_id


@translated
class Backlog:
    """Recalls, reaps, withdraws and counts batches; leases none."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["batches"]

    def recall(self, now: datetime) -> int:
        """Confirm → dispatch for every batch whose time to confirm is over: its next resend. Returns how many."""
        done = self._all.update_many(
            {"stage": Stage.CONFIRM.value, "_id.c": Channel.PUSH.value, "due_at": {"$lte": now}},
            {"$set": {"stage": Stage.DISPATCH.value}, "$inc": {"resends": 1}},
        )
        return done.modified_count

    def reap(self, now: datetime) -> int:
        """Take the names of dead owners off batches whose lease ran out. Returns how many."""
        done = self._all.update_many({"owner": {"$type": "string"}, "due_at": {"$lte": now}}, {"$set": {"owner": None}})
        return done.modified_count

    def dispatching(self, notifications: Sequence[str]) -> set[str]:
        """Those of the notifications of which a batch still waits to be sent."""
        ids = [object_id(notification) for notification in notifications]
        found = self._all.distinct("_id.n", {"_id.n": {"$in": ids}, "stage": Stage.DISPATCH.value})
        return {str(n) for n in found}

    def drop(self, notification: str) -> int:
        """Remove what is left of a notification that is over. Returns how many batches."""
        return self._all.delete_many({"_id.n": object_id(notification)}).deleted_count

    def held(self, notification: str, now: datetime) -> set[str]:
        """Users of a notification in a batch that somebody has leased: they may be being sent to at this moment."""
        leased = {"owner": {"$type": "string"}, "due_at": {"$gt": now}}
        found = self._all.find(_waiting(notification) | leased, {"users": 1})
        return {user for document in found for user in document["users"]}

    def withdraw(self, notification: str, cursor: str | None, now: datetime) -> int:
        """Remove what nobody has leased of a notification, of every stage. Returns how many batches.

        Pages that `cursor` has not passed stay, as an expansion may still read them back; None: it has passed all.
        """
        free: Document = {"_id.n": object_id(notification), "$or": [{"owner": None}, {"due_at": {"$lte": now}}]}
        passed = {} if cursor is None else {"_id.k": {"$lt": cursor}}
        return self._all.delete_many(free | passed).deleted_count

    def recall_settled(self, notification: str, waits: Sequence[int], until: datetime, now: datetime) -> int:
        """Confirm → dispatch for what was settled `until` then. Returns how many batches.

        `waits` are the seconds from there to the first, second … check. What was recalled by this is settled later, so
        that calling it again recalls nothing twice.
        """
        recalled = 0
        for resends, wait in enumerate(waits):
            settled = {
                "stage": Stage.CONFIRM.value,
                "resends": resends,
                "due_at": {"$lte": until + timedelta(seconds=wait)},
            }
            done = self._all.update_many(
                {"_id.n": object_id(notification), "_id.c": Channel.PUSH.value} | settled,
                {"$set": {"stage": Stage.DISPATCH.value, "due_at": now}, "$inc": {"resends": 1}},
            )
            recalled += done.modified_count
        return recalled

    def queued(self, notification: str, limit: int) -> int:
        """How many batches of a notification wait to be sent, counted up to `limit`."""
        return self._all.count_documents(_waiting(notification), limit=limit)

    def left(self, notification: str) -> bool:
        """Whether a batch of a notification waits to be sent, or to be sent again."""
        stages = {"$in": [Stage.DISPATCH.value, Stage.CONFIRM.value]}
        ours = {"_id.n": object_id(notification), "stage": stages}
        return self._all.find_one(ours, {"_id": 1}) is not None

    def announced(self, after: int, limit: int) -> list[Batch]:
        """At most `limit` announcements that follow sequence number `after`, in their order.

        Only what no failover can take back: then none can appear later among those that were read.
        """
        durable = self._all.with_options(read_concern=ReadConcern("majority"))
        found = durable.find({"sequence": {"$gt": after}}, hint="by_sequence").sort("sequence", 1).limit(limit)
        return [from_document(document) for document in found]

    def oldest_due(self, channel: Channel, now: datetime) -> datetime | None:
        """When the batch that waits longest came due; None where none waits."""
        found = self._all.find_one(
            {
                "_id.c": channel.value,
                "stage": Stage.DISPATCH.value,
                "rank": {"$in": list(Rank)},
                "due_at": {"$lte": now},
            },
            {"due_at": 1},
            sort=[("due_at", 1)],
        )
        return None if found is None else found["due_at"]


def _waiting(notification: str) -> Document:
    return {"_id.n": object_id(notification), "stage": Stage.DISPATCH.value}
