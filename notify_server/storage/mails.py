"""The collection `mails`, as the engine uses it: what becomes of each mail; and `mail_contents`, what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from notify_server.domain.mail import MailRecord, digest, mail_id
from notify_server.domain.registry import Event, Reason, Status, sources
from notify_server.domain.texts import Mail
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, insert_new, object_id

_PENDING = {"status": Status.PENDING.value}
_TARGETS = {Event.RECEIVE: Status.RECEIVED, Event.READ: Status.READ, Event.BOUNCE: Status.FAILED}
_FIELDS = [field.name for field in fields(MailRecord) if field.name not in {"id", "notification"}]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was said of a mail: `changes` are fields of MailRecord; `attempts` is how many it cost."""

    id: str
    status: Status
    at: datetime
    attempts: int
    changes: Mapping[str, Any]


@translated
class Mails:
    """Writes and reads mails one batch at a time."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["mails"]
        self._contents = database["mail_contents"]

    def enter(self, records: Sequence[MailRecord]) -> None:
        """Store mails that are not there yet."""
        insert_new(self._all, [_to_document(record) for record in records])

    def say(self, mails: Sequence[tuple[str, Mail]], ends_at: datetime) -> None:
        """Store what mails say under the names that `content_id` gave."""
        insert_new(self._contents, [{"_id": name, **asdict(mail), "ends_at": ends_at} for name, mail in mails])

    def among(self, who: Mapping[str, Sequence[str]]) -> list[MailRecord]:
        """The mails of these users, by notification, that are there."""
        ids = [mail_id(notification, user) for notification, users in who.items() for user in users]
        return [from_document(document) for document in self._all.find({"_id": {"$in": ids}})]

    def find(self, mail: str) -> MailRecord | None:
        """One mail."""
        found = self._all.find_one({"_id": mail})
        return None if found is None else from_document(found)

    def content(self, name: str | None) -> Mail | None:
        """What a mail says, as long as it is kept."""
        found = self._contents.find_one({"_id": name}, {"_id": 0, "ends_at": 0})
        return None if found is None else Mail(**found)

    def record(self, recorded: Sequence[Recorded]) -> list[bool]:
        """Write what was said of mails: pending ones move by it, and sent ones that expired on their way.

        Of others it is kept all the same: their service has reported of them before we knew that it has them. True for
        each, as a write group asks.
        """
        if len(recorded) == 1:
            self._all.update_one({"_id": recorded[0].id}, _outcome(recorded[0]))  # half the work of a bulk of one
        else:
            writes = [UpdateOne({"_id": each.id}, _outcome(each)) for each in recorded]
            self._all.bulk_write(writes, ordered=False)
        return [True] * len(recorded)

    def resend(self, who: Mapping[str, Sequence[str]], resends: int, at: datetime) -> None:
        """Sent or received → pending for resend number `resends`, once however often a crash repeats it."""
        ids = [mail_id(notification, user) for notification, users in who.items() for user in users]
        accepted = {"$in": [Status.SENT.value, Status.RECEIVED.value]}
        sent = {"_id": {"$in": ids}, "status": accepted, "resends": {"$lt": resends}}
        change = {"status": Status.PENDING.value, "reason": None, "resends": resends, "updated_at": at}
        self._all.update_many(sent, {"$set": change})

    def move(self, mail: str, event: Event, at: datetime, detail: str | None = None) -> bool:
        """What the mail service reported, be it before we knew that it has the mail.

        False where the mail does not stand where that may happen.
        """
        target = _TARGETS[event]
        changes: Document = {"status": target.value, "updated_at": at, "reason": None, "detail": detail}
        if target is Status.FAILED:
            changes["reason"] = Reason.BOUNCED.value
        else:
            changes[f"{target.value}_at"] = at
        before = sources(event) if event is not Event.BOUNCE else [*sources(event), Status.PENDING.value]
        guard: Document = {"_id": mail, "status": {"$in": before}}
        if event is Event.RECEIVE:  # its server took it, before it came back
            guard["reason"] = {"$ne": Reason.BOUNCED.value}
        return self._all.update_one(guard, {"$set": changes}).modified_count == 1

    def awaiting(self, user: str) -> list[str]:
        """Notifications of which the mail to `user` waits for an address."""
        waiting = {"user": user, "reason": Reason.NO_ADDRESS.value}
        return [str(document["n"]) for document in self._all.find(waiting | _PENDING, {"n": 1}, hint="awaiting")]

    def cancel(self, notification: str, held: Sequence[str], at: datetime) -> int:
        """Pending → cancelled, but for those of users who are being mailed at this moment. Returns how many."""
        left = {"n": object_id(notification), "user": {"$nin": list(held)}} | _PENDING
        return self._close(left, Status.CANCELLED, Reason.CANCELLED_BY_BACKEND, at)

    def expire(self, now: datetime) -> int:
        """Pending → expired, where the time to live is over. Returns how many."""
        return self._close({"expires_at": {"$lte": now}} | _PENDING, Status.EXPIRED, Reason.TTL_OVER, now)

    def _close(self, which: Document, status: Status, reason: Reason, at: datetime) -> int:
        change = {"status": status.value, "reason": reason.value, "updated_at": at}
        return self._all.update_many(which, {"$set": change}).modified_count


def content_id(notification: str, mail: Mail) -> str:
    """Under which name a notification's mails that say this are kept."""
    return notification + digest(mail)[:32]


def _outcome(recorded: Recorded) -> list[Document]:
    """The update, by a pipeline: what was said is kept wherever the mail stands, and moves it where it may be moved."""
    sent = recorded.status is Status.SENT
    moved = [Status.PENDING.value, Status.EXPIRED.value] if sent else [Status.PENDING.value]
    told = {"status": recorded.status.value, "updated_at": recorded.at}
    told |= {name: recorded.changes[name] for name in ("reason", "detail") if name in recorded.changes}
    kept = {name: value for name, value in recorded.changes.items() if name not in told}
    if sent:
        kept["sent_at"] = recorded.at
    where_it_may = {"$cond": [{"$in": ["$status", moved]}, {"$literal": told}, {}]}
    attempts = {"attempts": {"$add": ["$attempts", recorded.attempts]}}
    merged = {"$mergeObjects": ["$$ROOT", {"$literal": kept}, where_it_may, attempts]}
    return [{"$replaceWith": merged}]


def _to_document(record: MailRecord) -> Document:
    written = {name: getattr(record, name) for name in _FIELDS}
    written["status"] = record.status.value
    written["reason"] = record.reason and record.reason.value
    return {"_id": record.id, "n": object_id(record.notification), **written}


def from_document(document: Document) -> MailRecord:
    """The mail that was written."""
    plain: dict[str, Any] = {name: document.get(name) for name in _FIELDS}
    plain["status"] = Status(document["status"])
    plain["reason"] = document["reason"] and Reason(document["reason"])
    return MailRecord(id=document["_id"], notification=str(document["n"]), **plain)
