"""The collection `batches`: the queue. A leased batch carries its owner and a `due_at` in the future."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.batch import Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.batch_document import from_document, key_document, to_document
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, object_id


@translated
class Batches:
    """Leases, settles and recalls batches."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["batches"]
        self._client = database.client

    def add(self, batch: Batch) -> Batch:
        """Store `batch`; where a crashed run stored one under the same key, that one counts and is returned."""
        try:
            self._all.insert_one(to_document(batch))
        except DuplicateKeyError:
            found = self._all.find_one({"_id": key_document(batch.key)})
            return batch if found is None else from_document(found)
        return batch

    def find(self, key: BatchKey) -> Batch | None:
        """The batch with this key."""
        found = self._all.find_one({"_id": key_document(key)})
        return None if found is None else from_document(found)

    def lease(self, channel: Channel, owner: str, now: datetime, until: datetime) -> Batch | None:
        """Take the most urgent due batch until `until`: high rank first, then the one due longest."""
        for rank in Rank:
            found = self._all.find_one_and_update(
                {"_id.c": channel.value, "stage": Stage.DISPATCH.value, "rank": rank.value, "due_at": {"$lte": now}},
                {"$set": {"owner": owner, "due_at": until}},
                sort=[("due_at", 1)],
                return_document=ReturnDocument.AFTER,
            )
            if found is not None:
                return from_document(found)
        return None

    def holds(self, owner: str, batch: Batch) -> bool:
        """Whether `owner` still has the lease."""
        return self._all.find_one(_owned(batch, owner), {"_id": 1}) is not None

    def give_back(self, batch: Batch, owner: str, due_at: datetime) -> None:
        """End the lease of an unsettled batch: anyone may take it from `due_at` on."""
        self._all.update_one(_owned(batch, owner), {"$set": {"owner": None, "due_at": due_at}})

    def settle(self, batch: Batch, owner: str, successor: Batch | None, split: Sequence[Batch]) -> bool:
        """End a dispatch: the batch becomes `successor` or goes, and `split` are stored, all or nothing.

        False, and nothing is changed, when the lease was lost.
        """
        if not split:
            return self._replace(batch, owner, successor, None)
        with self._client.start_session() as session:
            return session.with_transaction(lambda s: self._split(batch, owner, successor, split, s))

    def _split(
        self, batch: Batch, owner: str, successor: Batch | None, split: Sequence[Batch], session: ClientSession
    ) -> bool:
        if not self._replace(batch, owner, successor, session):
            return False
        self._all.insert_many([to_document(part) for part in split], session=session)
        return True

    def _replace(self, batch: Batch, owner: str, successor: Batch | None, session: ClientSession | None) -> bool:
        if successor is None:
            return self._all.delete_one(_owned(batch, owner), session=session).deleted_count == 1
        replacement = to_document(successor)
        return self._all.replace_one(_owned(batch, owner), replacement, session=session).modified_count == 1

    def renew(self, batches: Iterable[BatchKey], owner: str, until: datetime) -> None:
        """Keep those of these leases that `owner` still has for longer."""
        keys = [key_document(key) for key in batches]
        self._all.update_many({"_id": {"$in": keys}, "owner": owner}, {"$set": {"due_at": until}})

    def resign(self, owner: str, now: datetime) -> None:
        """End every lease of `owner`."""
        ours = {"owner": {"$eq": owner, "$type": "string"}}  # the type is what lets the partial index serve
        self._all.update_many(ours, {"$set": {"owner": None, "due_at": now}})

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

    def dispatching(self, notification: str) -> bool:
        """Whether any batch of the notification still waits to be sent."""
        waiting = {"_id.n": object_id(notification), "stage": Stage.DISPATCH.value}
        return self._all.find_one(waiting, {"_id": 1}) is not None

    def drop(self, notification: str) -> int:
        """Remove what is left of a notification that is over. Returns how many batches."""
        return self._all.delete_many({"_id.n": object_id(notification)}).deleted_count

    def announced(self, channel: Channel, since: datetime) -> list[Batch]:
        """What was announced on `channel` since then, oldest first."""
        found = self._all.find(
            {
                "_id.c": channel.value,
                "stage": Stage.ANNOUNCE.value,
                "rank": {"$in": [rank.value for rank in Rank]},
                "due_at": {"$gte": since},
            }
        )
        return [from_document(document) for document in found.sort("due_at", 1)]

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


def _owned(batch: Batch, owner: str) -> Document:
    return {"_id": key_document(batch.key), "owner": owner}
