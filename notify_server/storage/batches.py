"""The collection `batches`: the queue. A leased batch carries its owner and a `due_at` in the future."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import DeleteOne, ReplaceOne, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.batch import Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.batch_document import from_document, key_document, to_document
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, insert_new, object_id
from notify_server.storage.majority import confirmed, in_transaction

_FEW = 20  # users of a batch that counts as small
_TOGETHER = 24  # small batches that are leased together with the first


@dataclass(frozen=True, slots=True)
class Settled:
    """A dispatched batch, what it becomes (None: it goes), and the batches split off from it."""

    batch: Batch
    successor: Batch | None = None
    split: Sequence[Batch] = ()


@translated
class Batches:
    """Leases, settles and recalls batches."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["batches"]

    def add(self, batch: Batch) -> Batch:
        """Store `batch`; where a crashed run stored one under the same key, that one counts and is returned."""
        try:
            self._all.insert_one(to_document(batch))
        except DuplicateKeyError:
            found = confirmed(self._all, {"_id": key_document(batch.key)})
            return batch if found is None else from_document(found)
        return batch

    def call(self, batch: Batch) -> None:
        """Store `batch`; where it is there already, maybe in dispatch, see to it that it is dispatched once more."""
        while self.add(batch) is not batch:
            called = self._all.update_one({"_id": key_document(batch.key)}, {"$inc": {"calls": 1}})
            if called.matched_count:
                return

    def awaited(self, notification: str, users: Sequence[str]) -> set[str]:
        """Those of `users` who have a batch of their own, because they waited for a device."""
        keys = [key_document(BatchKey.awaited(notification, user)) for user in users]
        found = self._all.find({"_id": {"$in": keys}}, {"users": 1})
        return {user for document in found for user in document["users"]}

    def find(self, key: BatchKey) -> Batch | None:
        """The batch with this key."""
        found = self._all.find_one({"_id": key_document(key)})
        return None if found is None else from_document(found)

    def add_all(self, batches: Sequence[Batch]) -> bool:
        """Store `batches`; False when a crashed run had stored one of them already, which stays as it is."""
        return insert_new(self._all, [to_document(batch) for batch in batches]) == len(batches)

    def lease(
        self, channel: Channel, owner: str, now: datetime, until: datetime, ranks: Sequence[Rank] = tuple(Rank)
    ) -> list[Batch]:
        """Take the most urgent due batch of `ranks` until `until`: high rank first, then the one due longest.

        Where that one is small, others of its kind come with it: they cost little more together than one alone.
        An owner leases once at a time: leases that end at the same moment could not be told apart.
        """
        due = {"_id.c": channel.value, "stage": Stage.DISPATCH.value, "due_at": {"$lte": now}}
        found = self._all.find_one_and_update(
            due | {"rank": {"$in": [rank.value for rank in ranks]}},
            {"$set": {"owner": owner, "due_at": until}},
            sort=[("rank", 1), ("due_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if found is None:
            return []
        few = len(found["users"]) <= _FEW
        return [from_document(found), *(self._lease_few(due | {"rank": found["rank"]}, owner, until) if few else ())]

    def _lease_few(self, due: Document, owner: str, until: datetime) -> list[Batch]:
        small = due | {f"users.{_FEW}": {"$exists": False}}
        ids = [document["_id"] for document in self._all.find(small, {"_id": 1}).sort("due_at", 1).limit(_TOGETHER)]
        if not ids:
            return []
        self._all.update_many({"_id": {"$in": ids}} | due, {"$set": {"owner": owner, "due_at": until}})
        leased = self._all.find({"_id": {"$in": ids}, "owner": owner, "due_at": until})
        return [from_document(document) for document in leased]

    def holds(self, owner: str, batch: Batch) -> bool:
        """Whether `owner` still has the lease."""
        return self._all.find_one(_owned(batch, owner), {"_id": 1}) is not None

    def give_back(self, batch: Batch, owner: str, due_at: datetime) -> None:
        """End the lease of an unsettled batch: anyone may take it from `due_at` on."""
        self._all.update_one(_owned(batch, owner), {"$set": {"owner": None, "due_at": due_at}})

    def settle(self, settlements: Sequence[Settled], owner: str) -> int:
        """End dispatches: each batch becomes its successor or goes, and what is split off is stored with that.

        Where a lease was lost, or the batch was called meanwhile, nothing is changed. Returns how many those are.
        """
        plain = [_replacement(settled, owner) for settled in settlements if not settled.split]
        kept = 0
        if plain:
            done = self._all.bulk_write(plain, ordered=False)
            kept = done.modified_count + done.deleted_count
        kept += sum(self._split(settled, owner) for settled in settlements if settled.split)
        return len(settlements) - kept

    def _split(self, settled: Settled, owner: str) -> bool:
        """All or nothing: a batch that is replaced without its parts would lose recipients."""

        def write(session: ClientSession) -> bool:
            done = self._all.bulk_write([_replacement(settled, owner)], session=session)
            if not done.modified_count + done.deleted_count:
                return False
            self._all.insert_many([to_document(part) for part in settled.split], session=session)
            return True

        return in_transaction(self._all.database, write)

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


def _waiting(notification: str) -> Document:
    return {"_id.n": object_id(notification), "stage": Stage.DISPATCH.value}


def _owned(batch: Batch, owner: str) -> Document:
    return {"_id": key_document(batch.key), "owner": owner}


def _replacement(settled: Settled, owner: str) -> ReplaceOne[Document] | DeleteOne:
    uncalled = _owned(settled.batch, owner) | {"calls": settled.batch.calls}
    if settled.successor is None:
        return DeleteOne(uncalled)
    return ReplaceOne(uncalled, to_document(settled.successor))
