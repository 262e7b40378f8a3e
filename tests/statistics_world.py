"""Random notifications with random entries, counted as the scheduler counts; and a plain recount, slow and independent.

The recount shares nothing with what it is held against: it looks at every entry of the registry, one by one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bson import Binary, ObjectId

from notify_server.domain.notification import Audience, Message, Notification
from notify_server.storage.changes import COLLECTION, packed
from notify_server.storage.counts import LEASE, Counts
from notify_server.storage.documents import Store
from notify_server.storage.leases import Leases
from notify_server.storage.notification_document import to_document

Entry = dict[str, Any]

GROUPS = ("class-101", "class-102", "choir")
COMMUNITIES = ("school-1", "school-2")
CATEGORIES = ("booking", "news", None)
STATUSES = ("pending", "sent", "received", "read", "suppressed", "failed", "expired", "cancelled")
REASONS = {
    "pending": ("no_device", "unconfirmed", None),
    "suppressed": ("muted_group", "muted_category"),
    "failed": ("unregistered", "payload_rejected"),
    "expired": ("ttl_over",),
    "cancelled": ("cancelled_by_backend",),
}
CHANNELS = ("push", "realtime", "email")
_OTHER_WAYS: tuple[dict[str, Any], ...] = ({}, {}, {"over": []}, {"sequence": 1}, {"over": ["email"], "sequence": 2})
_LINES = (
    "attempt 1: accepted for 1 of 1 devices",
    "attempt 1: unregistered",
    "attempt 1: unavailable",
    "emitted to an open socket",
    "mail, attempt 1: accepted (250)",
    "mail, attempt 1: bad_address (550)",
    "mail, attempt 1: deferred",
    "mail: address_blocked",
    "mail delivered to the recipient's server",
    "mail opened",
    "mail bounced (5.1.1)",
)
_WEIGHTS = (2, 6, 6, 10, 2, 2, 1, 1)
_OWNER = "tests"


@dataclass
class World:
    """`users` are all who have an entry. Entries are read once: they are to change by `notify` and `change` alone."""

    database: Store
    rng: Random
    users: Sequence[str] = tuple(f"u{number:02}" for number in range(30))
    notifications: dict[str, Notification] = field(default_factory=dict)
    _read: list[tuple[datetime, Entry, Entry]] | None = None

    def notify(self, at: datetime, recipients: int = 6, **fields: Any) -> str:
        """One notification that is expanded from `at` on, with that many entries; its id."""
        rng = self.rng
        made: dict[str, Any] = {
            "category": rng.choice(CATEGORIES),
            "community": rng.choice((*COMMUNITIES, None)),
            "audience": Audience(
                groups=tuple(sorted(rng.sample(GROUPS, rng.randrange(3)))),
                communities=tuple(sorted(rng.sample(COMMUNITIES, rng.randrange(3)))),
                everyone=True,
            ),
        } | fields
        identity = str(ObjectId(int(at.timestamp()).to_bytes(4, "big") + rng.randbytes(8)))
        notification = Notification(id=identity, message=Message("t"), created_at=at, **made)
        document = to_document(notification) | {"recipients": recipients, "expanded": True, "state": "done"}
        self.database["notifications"].insert_one(document)
        users = sorted(rng.sample(self.users, recipients))
        entered = sorted(at + timedelta(milliseconds=rng.randrange(40 * 60_000)) for _ in users)
        entries = [self._entry(notification, user, time) for user, time in zip(users, entered, strict=True)]
        self.database["registry"].insert_many(entries)
        self._read = None
        self.notifications[identity] = notification
        return identity

    def count(self, *notifications: str) -> None:
        """Count these notifications, or all of them, as the scheduler does."""
        leases, now = Leases(self.database), datetime.now(UTC)
        assert leases.hold(LEASE, _OWNER, now, now + timedelta(minutes=5))
        assert Counts(self.database).count_brief(notifications or list(self.notifications), _OWNER, now)
        leases.release(LEASE, _OWNER)

    def mark(self, *notifications: str, at: datetime) -> None:
        """Note in the journal that entries of these are about to change."""
        self.database[COLLECTION].insert_one({"ns": Binary(packed(notifications)), "at": at, "hold": 10.0})

    def change(self, notification: str) -> None:
        """Let every entry of a notification be another, as receipts do: that is counted later, or not yet."""
        for entry in self.database["registry"].find({"_id.n": ObjectId(notification)}):
            made = self._entry(self.notifications[notification], entry["_id"]["u"], entry["history"][0]["at"])
            self.database["registry"].replace_one({"_id": entry["_id"]}, made)
        self._read = None

    def _entry(self, notification: Notification, user: str, at: datetime) -> Entry:
        rng = self.rng
        status = rng.choices(STATUSES, _WEIGHTS)[0]
        late = timedelta(milliseconds=int(rng.lognormvariate(8, 2)))
        received = at + late if status in ("received", "read") else None
        read = at + late + timedelta(milliseconds=int(rng.lognormvariate(11, 2))) if status == "read" else None
        through = [group for group in notification.audience.groups if rng.random() < 0.6]
        return {
            "_id": {"n": ObjectId(notification.id), "u": user},
            "status": status,
            "reason": rng.choice(REASONS[status]) if status in REASONS else None,
            "inbox": "hidden" if status == "suppressed" else "unread",
            "groups": through,
            "category": notification.category,
            "attempts": 1,
            "resends": 0,
            "pending_at": at + timedelta(hours=rng.randrange(3)),
            "sent_at": at + timedelta(seconds=1) if status in ("sent", "received", "read") else None,
            "received_at": received,
            "read_at": read,
            "history": [
                {"status": "pending", "at": at, "detail": None},
                *({"status": status, "at": at + timedelta(days=1), "detail": detail} for detail in self._details()),
            ],
            **rng.choice(_OTHER_WAYS),
        }

    def _details(self) -> list[str | None]:
        return [None, *self.rng.sample(_LINES, self.rng.randrange(4))]

    def entries(self, start: datetime, end: datetime, **which: str) -> Iterator[tuple[datetime, Entry]]:
        """Each entry that was entered from `start` on and before `end`, and when; `which` names what it belongs to."""
        for entered, entry, notification in self._all():
            if start <= entered < end and _belongs(entry, notification, which):
                yield entered, entry

    def _all(self) -> list[tuple[datetime, Entry, Entry]]:
        """Every entry, when it was entered, and its notification."""
        if self._read is None:
            documents = {found["_id"]: found for found in self.database["notifications"].find()}
            found = self.database["registry"].find()
            self._read = [(each["history"][0]["at"], each, documents[each["_id"]["n"]]) for each in found]
        return self._read


def _belongs(entry: Entry, notification: Entry, which: Mapping[str, str]) -> bool:
    named, communities = notification["community"], notification["audience"]["communities"]
    community = communities[0] if named is None and len(communities) == 1 else named
    is_of: dict[str, Callable[[str], bool]] = {
        "category": lambda category: notification["category"] == category,
        "community": lambda name: community == name,
        "group": lambda group: group in entry["groups"],
        "user": lambda user: entry["_id"]["u"] == user,
        "notification": lambda identity: str(entry["_id"]["n"]) == identity,
        "status": lambda status: entry["status"] == status,
    }
    return all(is_of[name](value) for name, value in which.items())


def counts(entries: Iterable[Entry]) -> dict[str, Any]:
    """Recipients, entries by status, and the rates."""
    found = Counter(entry["status"] for entry in entries)
    tried = sum(count for status, count in found.items() if status not in ("suppressed", "cancelled"))
    return {
        "recipients": sum(found.values()),
        **{status: found[status] for status in STATUSES},
        "delivery_rate": (found["received"] + found["read"]) / tried if tried else None,
        "read_rate": found["read"] / tried if tried else None,
    }


def seconds(entries: Iterable[Entry], name: str) -> list[float]:
    """How long each took to be received or read, in order."""
    return sorted((e[name] - e["history"][0]["at"]).total_seconds() for e in entries if e[name] is not None)


def reasons(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    """How many stand at a status for a reason."""
    return Counter((entry["status"], entry["reason"]) for entry in entries if entry["reason"])


def channels(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    """How many each channel has sent, and what came of it, as histories say; of push alone, by where they stand."""
    return Counter(pair for entry in entries for pair in set(_by_channel(entry)))


def _by_channel(entry: Entry) -> Iterator[tuple[str, str]]:
    if "over" not in entry and "sequence" not in entry:
        if entry["status"] in ("sent", "received", "read") or entry["reason"] == "unconfirmed":
            yield "push", "sent"
        if entry["status"] == "failed":
            yield "push", "failed"
        return
    lines = " | ".join(line["detail"] or "" for line in entry["history"])
    if ": accepted for" in lines:
        yield "push", "sent"
    elif ": unregistered" in lines or (entry["status"] == "failed" and entry["reason"] in REASONS["failed"]):
        yield "push", "failed"
    if "emitted" in lines:
        yield "realtime", "sent"
    if any(words in lines for words in (": accepted (250)", "mail delivered", "mail opened", "mail bounced")):
        yield "email", "sent"
    else:
        yield from (("email", name) for name, words in _UNSENT.items() if words in lines)
    yield from (("email", name) for name, words in _LATER if words in lines)


_UNSENT = {"failed": "bad_address", "suppressed": "address_blocked"}
_LATER = (
    ("received", "mail delivered"), ("received", "mail opened"), ("read", "mail opened"), ("bounced", "mail bounced"),
)  # fmt: skip


def point(at: datetime, interval: str, zone: str) -> str:
    """The name of the hour, day, week or month that `at` is in, on the wall."""
    local = at.astimezone(ZoneInfo(zone))
    if interval == "hour":
        offset = local.strftime("%z")
        return local.strftime(f"%Y-%m-%dT%H:00{offset[:3]}:{offset[3:5]}")
    return local.strftime({"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}[interval])


def series(entries: Iterable[tuple[datetime, Entry]], interval: str, zone: str) -> dict[str, dict[str, Any]]:
    """The counts of each hour, day, week or month in which anything was entered."""
    together: dict[str, list[Entry]] = {}
    for at, entry in entries:
        together.setdefault(point(at, interval, zone), []).append(entry)
    return {name: counts(found) for name, found in together.items()}
