"""Thirty days of a school's notifications, made up, so that the console has something to show."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from notify_server.domain.audience import Recipient
from notify_server.domain.device import Device, Platform, Target, TargetType
from notify_server.domain.inbox import place
from notify_server.domain.notification import Audience, Message, Notification, State
from notify_server.domain.registry import Reason, Status
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Document, Store, new_id
from notify_server.storage.groups import Groups
from notify_server.storage.journal import Journal
from notify_server.storage.notification_document import to_document
from notify_server.storage.registry import Arrivals, entries
from notify_server.storage.users import Users

_DAYS = 30
_GROUPS = ("class-101", "class-102", "class-203", "choir", "football", "teachers")
_TITLES = {
    "booking": ("Booking confirmed", "Room changed", "Lesson moved to Monday 9:00"),
    "news": ("The school's summer fair", "New lunch menu", "Results of the science week"),
    "reminder": ("Homework is due tomorrow", "Bring your sports kit", "Parents' evening at 18:00"),
}
# How entries end, and how often: of 100.
_ENDS: Sequence[tuple[int, Status, Reason | None]] = (
    (58, Status.READ, None),
    (21, Status.RECEIVED, None),
    (8, Status.SENT, None),
    (4, Status.FAILED, Reason.UNREGISTERED),
    (1, Status.FAILED, Reason.SENDER_MISMATCH),
    (3, Status.EXPIRED, Reason.TTL_OVER),
    (4, Status.SUPPRESSED, Reason.MUTED_CATEGORY),
    (1, Status.PENDING, Reason.NO_DEVICE),
)
_PAST = {Status.SENT: (), Status.RECEIVED: (Status.SENT,), Status.READ: (Status.SENT, Status.RECEIVED)}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where to look: a notification that many got, and a user who did not get it."""

    notification: str
    user: str


def fill(database: Store, now: datetime, days: int = _DAYS) -> Scene:
    """Fill an empty database with so many days and today."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    users = _people(database, now - timedelta(days=_DAYS + 5))
    _devices(database, users, now, chance)
    shown = ("", "")
    for day in range(days, -1, -1):
        for at in sorted(now - timedelta(days=day, minutes=chance.randrange(30, 600)) for _ in range(_busy(now, day))):
            shown = _notify(database, users, at, chance) or shown
    return Scene(*shown)


def _busy(now: datetime, day: int) -> int:
    weekend = (now - timedelta(days=day)).weekday() >= 5
    return 1 if weekend else 3


def _people(database: Store, at: datetime) -> dict[str, list[str]]:
    """Users by group."""
    users, groups = Users(database), Groups(database)
    found: dict[str, list[str]] = {}
    for number, group in enumerate(_GROUPS):
        groups.put(group, "school-1", at)
        found[group] = [f"user-{200 * number + each:04}" for each in range(24 + 9 * number)]
        users.mention(found[group], "school-1", at)
        groups.add(group, found[group])
    database["users"].update_many({"_id": {"$regex": "[05]$"}}, {"$set": {"muted.categories": ["reminder"]}})
    database["users"].update_many({"_id": {"$regex": "7$"}}, {"$set": {"muted.categories": ["news"]}})
    return found


def _devices(database: Store, users: dict[str, list[str]], now: datetime, chance: random.Random) -> None:
    devices = Devices(database)
    everybody = sorted({user for group in users.values() for user in group})
    for user in everybody:
        heard = now - timedelta(days=chance.choice((0, 0, 1, 2, 6, 41)), minutes=chance.randrange(600))
        target = Target(TargetType.TOKEN, f"target-of-{user}")
        platform = chance.choice((Platform.ANDROID, Platform.ANDROID, Platform.IOS, Platform.WEB))
        registered = now - timedelta(days=90)
        devices.register(Device(user, "phone", platform, target, True, registered, heard, app_version="2.4.0"))
        if chance.random() < 0.15:
            why = chance.choice((Reason.UNREGISTERED, Reason.UNREGISTERED, Reason.SENDER_MISMATCH))
            devices.deactivate({why: [(user, "phone", target)]}, heard)


def _notify(
    database: Store, users: dict[str, list[str]], at: datetime, chance: random.Random
) -> tuple[str, str] | None:
    """One notification with its entries; its id and a user who did not get it, where there is one."""
    category = chance.choice(sorted(_TITLES))
    groups = sorted(chance.sample(_GROUPS, chance.randint(1, 2)))
    made = Notification(
        id=new_id(at),
        message=Message(
            chance.choice(_TITLES[category]), "Please look into the app.", link="https://school.example/today"
        ),
        audience=Audience(groups=tuple(groups)),
        created_at=at,
        state=State.DONE,
        category=category,
        community="school-1",
    )
    recipients = sorted({user for group in groups for user in users[group]})
    ends = [_end(entry, at, chance) for entry in _entered(made, recipients, users, groups, at)]
    done = {"recipients": len(recipients), "expanded": True, "open": False, "cursor": recipients[-1]}
    with Journal(database).changing([made.id]):
        database["notifications"].insert_one(to_document(made) | done)
        database["registry"].insert_many(ends)
    unlucky = [entry["_id"]["u"] for entry in ends if entry["reason"] == Reason.UNREGISTERED.value]
    return (made.id, unlucky[0]) if unlucky and at.weekday() < 5 else None


def _entered(
    made: Notification, recipients: Sequence[str], users: dict[str, list[str]], groups: Sequence[str], at: datetime
) -> Iterator[Document]:
    reached = [Recipient(user, [group for group in groups if user in users[group]]) for user in recipients]
    yield from entries(Arrivals(made.id, made.category, reached), at + timedelta(milliseconds=300))


def _end(entry: Document, at: datetime, chance: random.Random) -> Document:
    """`entry` as it stands some time later."""
    [(_, status, reason)] = chance.choices(_ENDS, [share for share, _, _ in _ENDS])
    later = at + timedelta(milliseconds=300)
    for passed in (*_PAST.get(status, ()), status):
        later += _delay(passed, chance)
        if passed is not Status.PENDING:
            detail = reason.value if reason and passed is status else _details(passed)
            entry["history"].append({"status": passed.value, "at": later, "detail": detail})
        if f"{passed.value}_at" in entry:
            entry[f"{passed.value}_at"] = later
    moved: dict[str, Any] = {"status": status.value, "reason": reason and reason.value, "inbox": place(status).value}
    return entry | moved | {"attempts": int(status not in {Status.SUPPRESSED, Status.PENDING})}


def _delay(status: Status, chance: random.Random) -> timedelta:
    mean = {Status.SENT: 0.4, Status.RECEIVED: 4.0, Status.READ: 1500.0, Status.EXPIRED: 86_000.0}.get(status, 1.0)
    return timedelta(seconds=chance.lognormvariate(0, 1) * mean)


def _details(status: Status) -> str | None:
    return "phone" if status in {Status.RECEIVED, Status.READ} else None
