"""The collection `registry`: one entry per recipient of a notification.

Every update names the statuses it may start from in its filter, taken from TRANSITIONS, so two writers can never
both win and a late or repeated event changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo import UpdateMany
from pymongo.database import Database

from notify_server.domain.audience import Recipient
from notify_server.domain.inbox import Place, place
from notify_server.domain.notification import Channel
from notify_server.domain.registry import TRANSITIONS, Event, Note, Reason, Status, sources
from notify_server.domain.signs import SIGNS
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, insert_new, object_id
from notify_server.storage.journal import Journal

OVERRIDDEN = "mandatory: muted, sent all the same"

Who = Mapping[str, Sequence[str]]  # entries: users by notification

UNPUSHED = "unpushed"  # set while an entry is `sent` by an open socket alone, and push follows

_UNMUTED = {"muted": {"$ne": True}}
_PENDING = {"status": Status.PENDING.value}
_SOCKET_ALONE: Document = {"status": Status.SENT.value, UNPUSHED: True}
_CONFIRMED_UNPUSHED: Document = {
    "status": {"$in": [Status.RECEIVED.value, Status.READ.value]},
    "history.detail": {"$not": {"$regex": SIGNS[f"{Channel.PUSH}/sent"]}},
}
_RESENT = _UNMUTED | {"reason": {"$ne": Reason.NO_DEVICE.value}}  # a new device is sent what it waits for all the same
_UNSENT: Document = {"$or": [_PENDING, _SOCKET_ALONE]}  # to be pushed


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The recipients of one page of a notification; `mailed`: it goes by mail."""

    notification: str
    category: str | None
    recipients: Sequence[Recipient]
    mailed: bool = False


@translated
class Registry:
    """Writes of the delivery engine."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]
        self._journal = Journal(database)

    def insert(self, arrivals: Sequence[Arrivals], at: datetime) -> None:
        """Write the entries of some pages; those that a crashed run wrote already stay as they are."""
        with self._journal.entering(page.notification for page in arrivals):
            insert_new(self._all, [entry for page in arrivals for entry in entries(page, at)])

    def move(self, event: Event, who: Who, note: Note) -> int:
        """Apply `event` to those of these entries that stand where it may start. Returns how many moved to its target.

        Where it would end an entry that was sent before, that goes back to `sent`, and is not counted.
        """
        with self._journal.changing(who):
            return self._apply(event, {"_id": any_of(who)}, note, sum(len(users) for users in who.values()))

    def move_all(self, event: Event, notification: str, note: Note) -> int:
        """The same for every entry of a notification."""
        with self._journal.changing_all(notification):
            return self._apply(event, {"_id.n": object_id(notification)}, note)

    def _apply(self, event: Event, which: Document, note: Note, most: int | None = None) -> int:
        """Move the entries that match `which`: at most `most`, where that is known."""
        guard = which | {"status": {"$in": sources(event)}}
        if not TRANSITIONS[event].ends_unsent:
            return self._all.update_many(guard, transition(event, note)).modified_count
        ended = self._all.update_many(guard | {"sent_at": None}, transition(event, note)).modified_count
        if ended != most:
            self._all.update_many(guard | {"sent_at": {"$ne": None}}, back_to_sent(note))
        return ended

    def resend(self, who: Who, at: datetime, resends: int) -> int:
        """Sent → pending for resend number `resends`, once per entry however often a crash repeats it.

        What was muted after it was sent is not sent again.
        """
        guard = {"_id": any_of(who), "status": {"$in": sources(Event.RESEND)}, "resends": {"$lt": resends}} | _UNMUTED
        note = Note(at, Reason.UNCONFIRMED, f"resend {resends}: no device confirmed it")
        update = transition(Event.RESEND, note)
        update["$set"]["resends"] = resends
        update["$unset"] = {UNPUSHED: ""}
        with self._journal.changing(who):
            return self._all.update_many(guard, update).modified_count

    def pushed(self, who: Who, note: Note) -> None:
        """The push of what an open socket had got before is over: it was accepted, or there is none.

        That is no move, and a line in the history all the same. So is, once, that FCM accepted what a receipt, or a
        mail that was opened, had moved before we knew: a note without a reason.
        """
        line = _line(Status.SENT, replace(note, detail=note.detail or note.reason))
        update = {"$set": {"reason": None}, "$unset": {UNPUSHED: ""}, "$push": {"history": line}}
        theirs = {"_id": any_of(who)}
        writes = [UpdateMany(theirs | _SOCKET_ALONE, _counting(update, note))]
        if note.reason is None:
            writes.append(UpdateMany(theirs | _CONFIRMED_UNPUSHED, [{"$set": noted(note)}]))
        with self._journal.changing(who):
            self._all.bulk_write(writes)

    def hold(self, who: Who, note: Note, *, told: bool = False) -> None:
        """Say why entries are not pushed yet: they stay `pending`, or where sockets may be `told`, `sent` to one alone.

        What costs an attempt goes into the history each time, other once.
        """
        guard: Document = {"_id": any_of(who)} | (_UNSENT if told else _PENDING)
        if not note.attempts:
            guard["reason"] = {"$ne": note.reason}
        with self._journal.changing(who):
            self._all.update_many(guard, [_held_where_it_stands(note)] if told else _held(note))

    def standing(self, who: Who, statuses: Sequence[Status]) -> Mapping[tuple[str, str], str | None]:
        """The reasons by (notification, user) of those of these entries that stand at one of `statuses`, unmuted."""
        standing = {"_id": any_of(who), "status": {"$in": [s.value for s in statuses]}}
        found = self._all.find(standing | _UNMUTED, {"reason": 1})
        return {(str(document["_id"]["n"]), document["_id"]["u"]): document["reason"] for document in found}

    def unsent(self, who: Who) -> Mapping[tuple[str, str], str | None]:
        """The reasons of those of these entries that are to be pushed: pending, or told to an open socket alone."""
        found = self._all.find({"_id": any_of(who)} | _UNSENT | _UNMUTED, {"reason": 1})
        return {(str(document["_id"]["n"]), document["_id"]["u"]): document["reason"] for document in found}

    def locales(self, who: Who) -> Mapping[tuple[str, str], str]:
        """In which locales recipients get it, by (notification, user), of those of these entries that name one."""
        found = self._all.find({"_id": any_of(who)}, {"locale": 1})
        return {(str(e["_id"]["n"]), e["_id"]["u"]): e["locale"] for e in found if "locale" in e}

    def waiting(self, user: str, reason: Reason) -> list[str]:
        """Notifications of which `user` has an entry that is not pushed yet for this reason."""
        theirs = {"_id.u": user, "inbox": Place.UNREAD.value, "reason": reason.value}
        found = self._all.find(theirs | _UNSENT | _UNMUTED, {"_id": 1})
        return [str(document["_id"]["n"]) for document in found]

    def pending(self, notification: str, after: str, limit: int) -> list[str]:
        """At most `limit` users whose entry is pending, in order of their ids, from the one after `after`."""
        found = self._all.find(_of(notification, Status.PENDING, after), {"_id": 1}).sort("_id.u", 1).limit(limit)
        return [document["_id"]["u"] for document in found]

    def may_be_pushed(self, notification: str) -> bool:
        """Whether anybody was told by a socket alone, and push may follow. Those who stand at sent are read."""
        told = _of(notification, Status.SENT, "") | _SOCKET_ALONE | _UNMUTED
        return self._all.find_one(told, {"_id": 1}, hint="by_notification") is not None

    def unconfirmed(self, notification: str, until: datetime, after: str, limit: int) -> Mapping[str, int]:
        """At most `limit` users to whom it was last sent `until` then, and how often each was resent.

        Who was told by a socket alone, and waits for a device, is not among them.

        In order of their ids, from the one after `after`.
        """
        sent = _of(notification, Status.SENT, after) | {"sent_at": {"$lte": until}} | _RESENT
        found = self._all.find(sent, {"resends": 1}).sort("_id.u", 1).limit(limit)
        return {document["_id"]["u"]: document["resends"] for document in found}

    def unconfirmed_among(self, notification: str, until: datetime, users: Sequence[str]) -> Mapping[str, int]:
        """The same of these `users`."""
        sent = _among(notification, Status.SENT, users) | {"sent_at": {"$lte": until}} | _RESENT
        found = self._all.find(sent, {"resends": 1})
        return {document["_id"]["u"]: document["resends"] for document in found}

    def count_unconfirmed(self, notification: str, users: Sequence[str] | None) -> int:
        """How many of those there are; of these `users` alone, where they are given."""
        guard = _of(notification, Status.SENT, "") if users is None else _among(notification, Status.SENT, users)
        return self._all.count_documents(guard | _RESENT)


def transition(event: Event, note: Note) -> Document:
    """The update that moves an entry by `event`: status, its time, reason, place in the inbox, a line of history."""
    target = TRANSITIONS[event].target
    values = {"status": target.value, "reason": note.reason, "inbox": place(target).value, **_times(target, note.at)}
    return _counting({"$set": values, "$push": {"history": _line(target, note)}}, note)


def back_to_sent(note: Note) -> Document:
    """The update of an entry that was sent before: when that was, and its place in the inbox, stay."""
    line = _line(Status.SENT, replace(note, detail=f"{note.detail or note.reason}: not sent again"))
    return _counting({"$set": {"status": Status.SENT.value, "reason": None}, "$push": {"history": line}}, note)


def _held(note: Note) -> Document:
    return _counting({"$set": {"reason": note.reason}, "$push": {"history": _line(Status.PENDING, note)}}, note)


def _held_where_it_stands(note: Note) -> Document:
    """A stage that does the same at any status, for a quarter more of mongod's time."""
    return {"$set": {"reason": note.reason, **noted(note)}}


def noted(note: Note) -> Document:
    """What a stage sets to add a line of history wherever the entry stands."""
    line = {"status": "$status", "at": note.at, "detail": {"$literal": note.detail or note.reason}}
    history = {"$concatArrays": ["$history", [line]]}
    return {"history": history, "attempts": {"$add": ["$attempts", note.attempts]}}


def _line(status: Status, note: Note) -> Document:
    return {"status": status.value, "at": note.at, "detail": note.detail}


def _counting(update: Document, note: Note) -> Document:
    return update | {"$inc": {"attempts": note.attempts}} if note.attempts else update


def _times(target: Status, at: datetime) -> Mapping[str, datetime]:
    timed = {Status.PENDING, Status.SENT, Status.RECEIVED, Status.READ}
    return {f"{target.value}_at": at} if target in timed else {}


def _of(notification: str, status: Status, after: str) -> Document:
    return {"_id.n": object_id(notification), "status": status.value, "_id.u": {"$gt": after}}


def _among(notification: str, status: Status, users: Sequence[str]) -> Document:
    return {"_id": any_of({notification: users}), "status": status.value}


def any_of(who: Who) -> Document:
    """The condition on the `_id` of these entries."""
    ids = ((object_id(notification), users) for notification, users in who.items())
    return {"$in": [entry_id(n, user) for n, users in ids for user in users]}


def entries(page: Arrivals, at: datetime, sequence: int | None = None) -> Iterator[Document]:
    """The new entries of a page; those who are not muted carry the sequence number of its announcement, if any."""
    n, pending, suppressed = object_id(page.notification), Status.PENDING.value, Status.SUPPRESSED.value
    hidden, unread = Place.HIDDEN.value, Place.UNREAD.value
    for recipient in page.recipients:
        reason = recipient.suppressed and recipient.suppressed.value
        status = suppressed if reason else pending
        detail = OVERRIDDEN if recipient.overridden else reason
        some: Document = {} if sequence is None or reason else {"sequence": sequence}
        if recipient.locale is not None:
            some["locale"] = recipient.locale
        if page.mailed:
            some["over"] = []  # of which channels it has come to the end: see joint.py
        yield some | {
            "_id": {"n": n, "u": recipient.user},
            "status": status,
            "reason": reason,
            "inbox": hidden if reason else unread,
            "groups": recipient.groups,
            "category": page.category,
            "attempts": 0,
            "resends": 0,
            "pending_at": at,
            "sent_at": None,
            "received_at": None,
            "read_at": None,
            "history": [{"status": status, "at": at, "detail": detail}],
        }
