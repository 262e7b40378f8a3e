"""What a gateway tells its open sockets: new notifications of the realtime channel."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from notify_server import failpoints
from notify_server.domain.batch import Batch
from notify_server.domain.inbox import Place
from notify_server.domain.notification import Channel, Notification, State
from notify_server.domain.registry import Note, Status
from notify_server.errors import TurnedBack
from notify_server.services.clock import Clock
from notify_server.services.told import Told, told
from notify_server.services.wording import Wording
from notify_server.storage.backlog import Backlog
from notify_server.storage.inbox import Entry
from notify_server.storage.sequenced import Sequenced
from notify_server.storage.sequences import Sequences

AT_ONCE = 8  # pages: some thousand events, between which the sockets of a gateway are written to

_COMPARED = 5.0  # seconds between two looks at the counter

_DETAIL = "emitted to an open socket"


@dataclass(frozen=True, slots=True)
class Reached:
    """An announcement, and those of its recipients who have a socket at one gateway."""

    batch: Batch
    users: Sequence[str]


@dataclass(frozen=True, slots=True)
class Announced:
    """What is told by one announcement, to whom: users who are told the same come together."""

    sequence: int
    notification: Notification
    told: Sequence[tuple[Told, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Sources:
    """The stores that announcements are read from and noted in."""

    sequences: Sequences
    backlog: Backlog
    wording: Wording
    entries: Sequenced


class Announcements:
    """The announcements, in the one order that they have. Safe for many threads."""

    def __init__(self, sources: Sources, clock: Clock, compared: float = _COMPARED) -> None:
        self._sources = sources
        self._clock = clock
        self._compared = compared
        self._compared_at = monotonic()
        self._behind = False  # the counter, when it was looked at last

    def last(self) -> int:
        """The sequence number of the newest one."""
        return self._sources.sequences.last()

    def following(self, sequence: int) -> list[Batch]:
        """Some announcements after this sequence number, in order; each with the whole page of recipients.

        Raises TurnedBack where that number was never given by this database, which is looked at now and then.
        """
        found = self._sources.backlog.announced(sequence, AT_ONCE)
        if not found:
            self._compare(sequence)
        return found

    def _compare(self, sequence: int) -> None:
        if monotonic() < self._compared_at + self._compared:
            return
        self._compared_at = monotonic()
        last = self.last()
        if self._behind and last < sequence:
            raise TurnedBack(f"Announcement {sequence} was told, and the database knows {last}: was it restored?")
        self._behind = last < sequence  # for a moment that is so after a failover, too

    def read(self, reached: Sequence[Reached]) -> list[Announced]:
        """What to tell, in the same order; nothing to those from whose inbox it has gone, or of what is over."""
        ids = sorted({each.batch.key.notification for each in reached})
        notifications = {found.id: found for found in self._sources.wording.notifications.among(ids)}
        now = self._clock()
        live = [each for each in reached if _is_open(notifications.get(each.batch.key.notification), now)]
        found = [self._announced(each, notifications[each.batch.key.notification]) for each in live]
        failpoints.passes("announcement.read")
        return found

    def _announced(self, reached: Reached, notification: Notification) -> Announced:
        """Who is told the same is known without their entries, unless these say through which groups they were reached,
        or in which locale they are told.
        """
        if (notification.audience.groups or notification.texts) and notification.payload is None:
            parts = self._alike(notification, self._sources.entries.among({notification.id: reached.users}))
        else:
            others = self._sources.entries.beyond_pending(notification.id, reached.users)
            fresh = [user for user in reached.users if user not in others]
            parts = self._alike(notification, [each for each in others.values() if each is not None])
            if fresh:
                parts.append((told(notification, _fresh(notification, fresh[0])), fresh))
        return Announced(reached.batch.sequence or 0, notification, parts)

    def _alike(self, notification: Notification, entries: Sequence[Entry]) -> list[tuple[Told, Sequence[str]]]:
        """Users who are told the same together."""
        alike: dict[Any, list[tuple[Notification, Entry]]] = defaultdict(list)
        said = self._sources.wording.said([(notification, entry) for entry in entries])
        for each, entry in zip(said, entries, strict=True):
            seen = (*entry.groups, entry.status, entry.place, entry.read_at, each.message.title, each.message.body)
            alike[() if notification.payload is not None else seen].append((each, entry))
        return [(told(*pairs[0]), [entry.user for _, entry in pairs]) for pairs in alike.values()]

    def age(self, notification: Notification) -> float:
        """Seconds since a notification was accepted, or since its time had come."""
        return (self._clock() - (notification.send_at or notification.created_at)).total_seconds()

    def emitted(self, users: Sequence[tuple[Notification, Sequence[str]]]) -> None:
        """Note that notifications went out to open sockets of these users."""
        failpoints.passes("announcement.emitted")
        note = Note(self._clock(), detail=_DETAIL, attempts=1)
        for push in (True, False):
            who: dict[str, list[str]] = defaultdict(list)
            for notification, reached in users:
                if (Channel.PUSH in notification.channels) is push:
                    who[notification.id] += reached
            if who:
                self._sources.entries.emitted(who, note, push_follows=push)


def _is_open(notification: Notification | None, now: datetime) -> bool:
    return notification is not None and notification.state is not State.CANCELLED and now < notification.expires_at


def _fresh(notification: Notification, user: str) -> Entry:
    """An entry that nothing has happened to."""
    return Entry(user, notification.id, Status.PENDING, Place.UNREAD, (), None)
