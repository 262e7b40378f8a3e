"""The collection `batches`, as dispatchers use it. A leased batch carries its owner and a `due_at` in the future."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from pymongo import DeleteOne, ReplaceOne, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.batch import SIZE, Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.batch_document import from_document, key_document, to_document
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, not_new
from notify_server.storage.majority import confirmed, in_transaction

_FEW = 100  # users of a batch that counts as small: what is to be tried again of a page is smaller, as a rule
_TOGETHER = 24  # small batches that are leased together with the first, if they are no more than a page with it


@dataclass(frozen=True, slots=True)
class Settled:
    """A dispatched batch, what it becomes (None: it goes), and the batches split off from it."""

    batch: Batch
    successor: Batch | None = None
    split: Sequence[Batch] = ()


@translated
class Batches:
    """Stores, leases and settles batches."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["batches"]

    def add(self, batch: Batch) -> Batch:
        """Store `batch`; where a crashed run stored one under the same key, that one counts and is returned."""
        while True:
            try:
                self._all.insert_one(to_document(batch))
            except DuplicateKeyError:
                if found := confirmed(self._all, {"_id": key_document(batch.key)}):
                    return from_document(found)
            else:
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

    def add_all(self, batches: Sequence[Batch]) -> set[BatchKey]:
        """Store `batches`. Returns those that a crashed run had stored already, which stay as they are."""
        return {batches[place].key for place in not_new(self._all, [to_document(batch) for batch in batches])}

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
        first = from_document(found)
        if len(first.users) > _FEW:
            return [first]
        return [first, *self._lease_few(due | {"rank": found["rank"]}, SIZE - len(first.users), owner, until)]

    def _lease_few(self, due: Document, room: int, owner: str, until: datetime) -> list[Batch]:
        """Those that are due longest of the small ones, with `room` users at most together."""
        small = due | {f"users.{_FEW}": {"$exists": False}}
        found = self._all.find(small, {"size": {"$size": "$users"}}).sort("due_at", 1).limit(_TOGETHER)
        documents = list(found)
        totals = accumulate(document["size"] for document in documents)
        ids = [document["_id"] for document, total in zip(documents, totals, strict=True) if total <= room]
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

    def let_go(self, batches: Iterable[BatchKey], owner: str, now: datetime) -> None:
        """End these leases: anyone may take the batches."""
        keys = [key_document(key) for key in batches]
        self._all.update_many({"_id": {"$in": keys}, "owner": owner}, {"$set": {"owner": None, "due_at": now}})

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


def _owned(batch: Batch, owner: str) -> Document:
    return {"_id": key_document(batch.key), "owner": owner}


def _replacement(settled: Settled, owner: str) -> ReplaceOne[Document] | DeleteOne:
    uncalled = _owned(settled.batch, owner) | {"calls": settled.batch.calls}
    if settled.successor is None:
        return DeleteOne(uncalled)
    return ReplaceOne(uncalled, to_document(settled.successor))
