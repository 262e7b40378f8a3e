"""The collection `registry`: one entry per recipient of a notification.

Every update names the statuses it may start from in its filter, taken from TRANSITIONS, so two writers can never
both win and a late or repeated event changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.database import Database

from notify_server.domain.audience import Recipient
from notify_server.domain.registry import TRANSITIONS, Event, Note, Reason, Status, sources
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, insert_new, object_id

Who = Mapping[str, Sequence[str]]  # entries: users by notification


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The recipients of one page of a notification."""

    notification: str
    category: str | None
    recipients: Sequence[Recipient]


@translated
class Registry:
    """Writes of the delivery engine."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]

    def insert(self, arrivals: Sequence[Arrivals], at: datetime) -> None:
        """Write the entries of some pages; those that a crashed run wrote already stay as they are."""
        insert_new(self._all, [entry for page in arrivals for entry in _entries(page, at)])

    def move(self, event: Event, who: Who, note: Note) -> int:
        """Apply `event` to those of these entries that stand where it may start. Returns how many moved."""
        guard = {"_id": _any_of(who), "status": {"$in": sources(event)}}
        return self._all.update_many(guard, transition(event, note)).modified_count

    def move_all(self, event: Event, notification: str, note: Note) -> int:
        """The same for every entry of a notification."""
        guard = {"_id.n": object_id(notification), "status": {"$in": sources(event)}}
        return self._all.update_many(guard, transition(event, note)).modified_count

    def resend(self, who: Who, at: datetime, resends: int) -> int:
        """Sent → pending for resend number `resends`, once per entry however often a crash repeats it."""
        guard = {"_id": _any_of(who), "status": {"$in": sources(Event.RESEND)}, "resends": {"$lt": resends}}
        note = Note(at, Reason.UNCONFIRMED, f"resend {resends}: no device confirmed it")
        update = transition(Event.RESEND, note)
        update["$set"]["resends"] = resends
        return self._all.update_many(guard, update).modified_count

    def hold(self, who: Who, note: Note) -> None:
        """Say why pending entries stay pending. What costs an attempt goes into the history each time, other once."""
        guard: Document = {"_id": _any_of(who), "status": Status.PENDING.value}
        if not note.attempts:
            guard["reason"] = {"$ne": note.reason}
        update = {"$set": {"reason": note.reason}, "$push": {"history": _line(Status.PENDING, note)}}
        self._all.update_many(guard, _counting(update, note))

    def standing(self, who: Who, statuses: Sequence[Status]) -> set[tuple[str, str]]:
        """(notification, user) of those of these entries that stand at one of `statuses`."""
        found = self._all.find({"_id": _any_of(who), "status": {"$in": [s.value for s in statuses]}}, {"_id": 1})
        return {(str(document["_id"]["n"]), document["_id"]["u"]) for document in found}

    def waiting(self, user: str, reason: Reason) -> list[str]:
        """Notifications of which `user` has a pending entry with this reason."""
        found = self._all.find({"_id.u": user, "status": Status.PENDING.value, "reason": reason.value}, {"_id": 1})
        return [str(document["_id"]["n"]) for document in found]

    def erase(self, user: str) -> int:
        """Remove every entry of a person. Returns how many."""
        return self._all.delete_many({"_id.u": user}).deleted_count


def transition(event: Event, note: Note) -> Document:
    """The update that moves an entry by `event`: status, its time, reason and one line of history."""
    target = TRANSITIONS[event].target
    values = {"status": target.value, "reason": note.reason, **_times(target, note.at)}
    return _counting({"$set": values, "$push": {"history": _line(target, note)}}, note)


def _line(status: Status, note: Note) -> Document:
    return {"status": status.value, "at": note.at, "detail": note.detail}


def _counting(update: Document, note: Note) -> Document:
    return update | {"$inc": {"attempts": note.attempts}} if note.attempts else update


def _times(target: Status, at: datetime) -> Mapping[str, datetime]:
    timed = {Status.PENDING, Status.SENT, Status.RECEIVED, Status.READ}
    return {f"{target.value}_at": at} if target in timed else {}


def _any_of(who: Who) -> Document:
    ids = ((object_id(notification), users) for notification, users in who.items())
    return {"$in": [entry_id(n, user) for n, users in ids for user in users]}


def _entries(page: Arrivals, at: datetime) -> Iterator[Document]:
    n, pending, suppressed = object_id(page.notification), Status.PENDING.value, Status.SUPPRESSED.value
    for recipient in page.recipients:
        reason = recipient.suppressed and recipient.suppressed.value
        status = suppressed if reason else pending
        yield {
            "_id": {"n": n, "u": recipient.user},
            "status": status,
            "reason": reason,
            "groups": recipient.groups,
            "category": page.category,
            "attempts": 0,
            "resends": 0,
            "pending_at": at,
            "sent_at": None,
            "received_at": None,
            "read_at": None,
            "history": [{"status": status, "at": at, "detail": reason}],
        }
