"""Receipts, as guarded updates of the registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne
from pymongo.database import Database

from notify_server.domain.registry import Event, Note, Status, sources
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id
from notify_server.storage.registry import transition


@dataclass(frozen=True, slots=True)
class Receipt:
    """A device's report. `event` is RECEIVE or READ; `at` is the device's own time, already made plausible."""

    notification: str
    event: Event
    at: datetime
    device: str | None


@translated
class Receipts:
    """Writes of the devices."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]

    def statuses(self, user: str, notifications: Sequence[str]) -> Mapping[str, Status]:
        """The status of each of these notifications that has an entry for `user`; others are left out."""
        ids = [entry_id(object_id(notification), user) for notification in set(notifications)]
        found = self._all.find({"_id": {"$in": ids}}, {"status": 1})
        return {str(document["_id"]["n"]): Status(document["status"]) for document in found}

    def record(self, user: str, receipts: Sequence[Receipt]) -> None:
        """Apply the receipts in the order given; one whose entry stands further already changes nothing."""
        writes = [write for receipt in receipts for write in _writes(user, receipt)]
        if writes:
            self._all.bulk_write(writes, ordered=True)


def _writes(user: str, receipt: Receipt) -> list[UpdateOne]:
    """The updates of one receipt: a read that overtook its received sets both times."""
    update = transition(receipt.event, Note(receipt.at, detail=receipt.device and f"device {receipt.device}"))
    identity = {"_id": entry_id(object_id(receipt.notification), user)}
    unreceived = [status for status in sources(receipt.event) if status != Status.RECEIVED.value]
    if receipt.event is Event.RECEIVE:
        return [UpdateOne(identity | {"status": {"$in": unreceived}}, update)]
    both = update | {"$set": update["$set"] | {"received_at": receipt.at}}
    return [
        UpdateOne(identity | {"status": Status.RECEIVED.value}, update),
        UpdateOne(identity | {"status": {"$in": unreceived}}, both),
    ]
