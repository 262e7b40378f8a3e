"""A registry of a year: a school of 20,000 people, who get 500 notifications each, written straight into the database.

Nine tenths of the entries are of broadcasts to a community, a group of 5,000; the rest of classes of 40. All of it is
over: sent, and received and read by most, some seconds, hours or days after it was entered.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from bson import ObjectId
from pymongo import WriteConcern

from notify_server.domain.inbox import place
from notify_server.domain.notification import Audience, Message, Notification
from notify_server.domain.registry import Status
from notify_server.services.clock import database_clock
from notify_server.services.counting_lease import CountingLease
from notify_server.storage.counts import Counts
from notify_server.storage.documents import Document, Store
from notify_server.storage.leases import Leases
from notify_server.storage.notification_document import to_document
from notify_server.storage.tallies import ERASED

USERS = 20_000
COMMUNITIES = 4
CLASS = 40  # users of a class
CATEGORIES = ("booking", "news", "timetable", "marks", None)
DAYS = 365
_BROADCAST = USERS // COMMUNITIES
_CLASSES = USERS // CLASS
_AT_ONCE = 200  # notifications of classes that are written, and counted, together
_STATUSES = ("read", "received", "sent", "failed", "suppressed", "expired", "cancelled")
_WEIGHTS = (60, 20, 10, 5, 3, 1, 1)
_REASONS = {
    "failed": "unregistered",
    "suppressed": "muted_category",
    "expired": "ttl_over",
    "cancelled": "cancelled_by_backend",
}


@dataclass(frozen=True)
class Sent:
    """A notification, and to which users it went: numbers from `first` on, without `end`."""

    notification: Notification
    first: int
    end: int


def fill(database: Store, entries: int, end: datetime, seed: int = 1) -> None:
    """Write so many entries, all of the year before `end`, with their notifications, users and groups."""
    rng = Random(seed)  # noqa: S311 - not a secret
    fast = database.client.get_database(database.name, write_concern=WriteConcern(w=1))
    _people(fast, end - timedelta(days=DAYS + 1))
    large, small = round(entries * 0.9 / _BROADCAST), round(entries * 0.1 / CLASS)
    made = iter(_notifications(rng, large, small, end))
    with ThreadPoolExecutor(2) as writers:  # while one waits for MongoDB, the other makes documents
        while page := list(islice(made, 50)):
            fast["notifications"].insert_many([_document(sent) for sent in page])
            list(writers.map(lambda sent: fast["registry"].insert_many(list(_entries(sent)), ordered=False), page))


def count(database: Store) -> None:
    """Count all of it, as a scheduler does, without its pauses."""
    lease, counts = CountingLease(Leases(database), "benchmark", database_clock(database)), Counts(database)
    small: list[str] = []
    for found in database["notifications"].find({}, {"recipients": 1}).sort("_id", 1).batch_size(1000):
        if found["recipients"] > CLASS:
            for number in (ERASED, 0):
                _led(lease, lambda n=found["_id"], c=number: counts.count_chunk(str(n), c, lease.owner, lease.now()))
            continue
        small.append(str(found["_id"]))
        if len(small) == _AT_ONCE // 4:
            _led(lease, lambda names=tuple(small): counts.count_brief(names, lease.owner, lease.now()))
            small.clear()
    if small:
        _led(lease, lambda: counts.count_brief(small, lease.owner, lease.now()))


def _led(lease: CountingLease, counted: Any) -> None:
    if not lease.take() or counted() is None:
        raise RuntimeError("somebody else counts")


def user(number: int) -> str:
    """The id of a user."""
    return f"user-{number:05d}"


def groups() -> list[str]:
    """Every group: first those of a whole community, then the classes."""
    return [f"school-{number}" for number in range(COMMUNITIES)] + [f"class-{number:03d}" for number in range(_CLASSES)]


def _people(fast: Store, at: datetime) -> None:
    muted: Document = {"groups": [], "categories": []}
    blank = {"muted": muted, "created_at": at, "updated_at": at, "email": None, "locale": None, "timezone": None}
    users = [
        {"_id": user(number), "community": f"school-{number // _BROADCAST}", **blank}
        | {"groups": [f"class-{number // CLASS:03d}", f"school-{number // _BROADCAST}"]}
        for number in range(USERS)
    ]
    fast["users"].insert_many(users, ordered=False)
    fast["groups"].insert_many([{"_id": group, "community": None, "created_at": at} for group in groups()])


def _notifications(rng: Random, large: int, small: int, end: datetime) -> list[Sent]:
    """In the order of time: by day, between six and eighteen o'clock."""
    made = []
    for number in range(large + small):
        at = (end - timedelta(days=1 + rng.randrange(DAYS))).replace(hour=6) + timedelta(seconds=rng.randrange(43_200))
        size, group = (_BROADCAST, "school-{}") if number < large else (CLASS, "class-{:03d}")
        which = rng.randrange(USERS // size)
        audience = Audience(groups=(group.format(which),))
        identity = str(ObjectId(int(at.timestamp()).to_bytes(4, "big") + rng.randbytes(8)))
        community = f"school-{which * size // _BROADCAST}"
        said = Message("Timetable", "Monday begins at nine.")
        labels: dict[str, Any] = {"category": rng.choice(CATEGORIES), "community": community}
        made.append(Sent(Notification(identity, said, audience, at, **labels), which * size, (which + 1) * size))
    return sorted(made, key=lambda sent: sent.notification.id)


def _document(sent: Sent) -> Document:
    over = {"state": "done", "expanded": True, "open": False, "recipients": sent.end - sent.first}
    return to_document(sent.notification) | over


def _entries(sent: Sent) -> Iterator[Document]:
    """Each user was entered, and sent to, and did or did not receive and read it."""
    made, rng = sent.notification, Random(sent.notification.id)  # noqa: S311
    n, groups_of = ObjectId(made.id), list(made.audience.groups)
    statuses = rng.choices(_STATUSES, _WEIGHTS, k=sent.end - sent.first)
    for number, status in enumerate(statuses):
        at = made.created_at + timedelta(milliseconds=number // 500 * 30)  # a page of 500 after the other
        sent_at = at + timedelta(milliseconds=50)
        received = sent_at + timedelta(milliseconds=int(rng.lognormvariate(8, 2)))
        read = received + timedelta(milliseconds=int(rng.lognormvariate(13, 2)))
        times = {"sent": sent_at, "received": received, "read": read}
        there = ("sent", "received", "read")[: {"sent": 1, "received": 2, "read": 3}.get(status, 0)]
        lines = [{"status": "pending", "at": at, "detail": None}]
        lines += [{"status": each, "at": times[each], "detail": None} for each in there]
        yield {
            "_id": {"n": n, "u": user(sent.first + number)},
            "status": status,
            "reason": _REASONS.get(status),
            "inbox": place(Status(status)).value,
            "groups": groups_of,
            "category": made.category,
            "attempts": 1,
            "resends": 0,
            "pending_at": at,
            **{f"{each}_at": times[each] if each in there else None for each in times},
            "history": lines if there else [*lines, {"status": status, "at": sent_at, "detail": None}],
        }
