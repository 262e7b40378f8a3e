"""What a gateway tells its open sockets: new notifications of the realtime channel."""

from collections import OrderedDict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from notify_server import failpoints
from notify_server.domain.batch import Batch, BatchKey
from notify_server.domain.notification import Channel, Notification, State
from notify_server.domain.registry import Event, Note, Status
from notify_server.services.clock import Clock
from notify_server.storage.backlog import Backlog
from notify_server.storage.documents import Document
from notify_server.storage.entries import Entries
from notify_server.storage.expansions import Expansions
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Registry

_OVERLAP = timedelta(seconds=60)  # how late an announcement is still found, when its expander was slow
_REMEMBERED = 100_000  # announcements


@dataclass(frozen=True, slots=True)
class Announcement:
    """A page of a notification's recipients, whose entries are there."""

    notification: Notification
    users: Sequence[str]


@dataclass(frozen=True, slots=True)
class Announced:
    """The stores that announcements are read from and noted in."""

    backlog: Backlog
    expansions: Expansions
    notifications: Notifications
    entries: Entries
    registry: Registry


class Announcements:
    """The announcements that one gateway has not made yet. Not safe for many threads at once."""

    def __init__(self, stores: Announced, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._since = clock()
        self._made: OrderedDict[BatchKey, None] = OrderedDict()

    def fresh(self) -> list[Announcement]:
        """What is to be announced now; each page once."""
        since = max(self._since, self._clock() - _OVERLAP)
        found = (self._ready(batch) for batch in self._stores.backlog.announced(Channel.REALTIME, since))
        return [announcement for announcement in found if announcement is not None]

    def _ready(self, batch: Batch) -> Announcement | None:
        if batch.key in self._made:
            return None
        progress = self._stores.expansions.progress([batch.key.notification]).get(batch.key.notification)
        if progress is None or not progress.covers(batch.key.page):
            return None  # the entries are still being written
        self._remember(batch.key)
        if progress.state is State.CANCELLED or self._clock() >= progress.expires_at:
            return None
        notification, _ = self._stores.notifications.get(batch.key.notification)
        return Announcement(notification, batch.users)

    def _remember(self, key: BatchKey) -> None:
        self._made[key] = None
        while len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)

    def items(self, announcement: Announcement, users: Set[str]) -> dict[str, Document]:
        """The inbox item of each recipient among `users` who has not muted it."""
        reached = [user for user in announcement.users if user in users]
        if not reached:
            return {}
        entries = self._stores.entries.among(announcement.notification.id, reached)
        failpoints.passes("announcement.read")
        return {
            entry["user_id"]: _item(announcement.notification, entry)
            for entry in entries
            if entry["status"] != Status.SUPPRESSED
        }

    def emitted(self, announcement: Announcement, users: Sequence[str]) -> None:
        """Note that it went out to an open socket of each of `users`."""
        if users:
            failpoints.passes("announcement.emitted")
            note = Note(self._clock(), detail="emitted to an open socket", attempts=1)
            self._stores.registry.move(Event.SEND, {announcement.notification.id: users}, note)


def _item(notification: Notification, entry: Document) -> dict[str, Any]:
    message = notification.message
    return {
        "id": notification.id,
        "title": message.title,
        "body": message.body,
        "image": message.image,
        "link": message.link,
        "data": dict(message.data),
        "category": notification.category,
        "groups": list(entry["groups"]),
        "status": entry["status"],
        "is_read": entry["status"] == Status.READ,
        "created_at": notification.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "read_at": None,
    }
