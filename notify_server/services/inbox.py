"""The inbox: what a user was notified of, and has read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notify_server import metrics
from notify_server.domain.inbox import VISIBLE, Place
from notify_server.domain.notification import Notification, State
from notify_server.domain.registry import Note, Status
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.services.wording import Wording
from notify_server.storage.documents import Document
from notify_server.storage.inbox import Entry, Inbox, Selection
from notify_server.storage.updates import Update, Updates

_DETAIL = "inbox"  # what the history says of a read that came this way


class View(StrEnum):
    """Which entries to list."""

    ALL = "all"
    UNREAD = "unread"
    READ = "read"

    @property
    def places(self) -> Sequence[Place]:
        """Where they lie."""
        return VISIBLE if self is View.ALL else (Place(self.value),)


@dataclass(frozen=True, slots=True)
class Item:
    """A notification as its recipient finds it. `read_at` is when they first read it, and stays."""

    user: str
    notification: Notification
    groups: Sequence[str]
    status: Status
    is_read: bool
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list: of one group through which the user was reached, of one category; None: of any."""

    view: View = View.ALL
    group: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Items newest first, and the last entry that was looked at, where there are more."""

    items: Sequence[Item]
    last: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What is unread: in all, by group through which it came, and by category."""

    unread: int
    groups: Mapping[str, int]
    categories: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Marked:
    """What to mark as read: of these groups or categories, or everything (None); accepted before a time."""

    groups: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    before: datetime | None = None


class Reading:
    """A user's own entries. Those of others are as unknown as those that do not exist."""

    def __init__(self, inbox: Inbox, wording: Wording, updates: Updates, clock: Clock) -> None:
        self._inbox = inbox
        self._updates = updates
        self._wording = wording
        self._clock = clock

    def page(self, user: str, wanted: Filter, after: str | None, limit: int) -> Page:
        """At most `limit` items, from the one after notification `after`.

        Fewer where a notification has just been cancelled, and its entries not yet.
        """
        filters: Document = {"groups": wanted.group, "category": wanted.category}
        filters = {name: value for name, value in filters.items() if value is not None}
        found = self._inbox.page(user, wanted.view.places, filters, after, limit + 1)
        shown = found[:limit]
        return Page(items(shown, self._wording), shown[-1].notification if len(found) > limit else None)

    def get(self, user: str, notification: str) -> Item:
        """One item. Raises NotFound."""
        entry = self._inbox.find(user, notification)
        for item in items([entry], self._wording) if entry is not None else ():
            return item
        raise NotFound(f"There is no notification {notification[:64]!r}.")

    def unread(self, user: str) -> int:
        """How many entries are unread."""
        return self._inbox.unread(user)

    def unread_of(self, users: Sequence[str]) -> Mapping[str, int]:
        """The same for each of `users` who has any."""
        return self._inbox.unread_of(users)

    def counts(self, user: str) -> Counts:
        """What is unread, counted now."""
        total, groups, categories = 0, Counter[str](), Counter[str]()
        for category, through, count in self._inbox.unread_alike(user):
            total += count
            groups.update(dict.fromkeys(through, count))
            if category is not None:
                categories[category] += count
        return Counts(total, groups, categories)

    def mark(self, user: str, notification: str, *, read: bool) -> Item:
        """Mark one item, and return it. Raises NotFound."""
        self.get(user, notification)
        self._inbox.mark_one(user, notification, self._note(), read=read)
        item = self.get(user, notification)
        self._updates.send(Update(user, {notification: item.status}, is_read=item.is_read))
        return item

    def mark_read(self, user: str, wanted: Marked) -> int:
        """Mark as read what is unread. Returns how many."""
        selection = Selection(wanted.groups, wanted.categories, wanted.before, self._just_before(user, wanted.before))
        marked = self._inbox.mark_read(user, selection, self._note())
        metrics.RECEIPTS.labels("accepted").inc(marked)
        if marked:
            self._updates.send(Update(user, marked=_named(wanted)))
        return marked

    def _just_before(self, user: str, before: datetime | None) -> list[str]:
        """What was accepted before a time, but in the same second: ids tell no more than seconds."""
        ids = self._inbox.accepted_in(user, before) if before is not None else []
        found = self._wording.notifications.among(ids) if ids else []
        return [notification.id for notification in found if before is not None and notification.created_at < before]

    def _note(self) -> Note:
        return Note(self._clock(), detail=_DETAIL)


def _named(wanted: Marked) -> Mapping[str, list[str] | str | None]:
    """A selection as sockets are told of it: None stands for any."""
    return {
        "groups": None if wanted.groups is None else list(wanted.groups),
        "categories": None if wanted.categories is None else list(wanted.categories),
        "before": None if wanted.before is None else wanted.before.isoformat(),
    }


def items(entries: Sequence[Entry], wording: Wording) -> list[Item]:
    """Entries with what their notifications say."""
    return [
        _item(notification, entry) for notification, entry in wording.read(entries) if _is_there(notification, entry)
    ]


def _is_there(notification: Notification, entry: Entry) -> bool:
    """A cancelled notification is gone at once, also where its entries are still being cancelled."""
    return not (notification.state is State.CANCELLED and entry.status is Status.PENDING)


def _item(notification: Notification, entry: Entry) -> Item:
    return Item(entry.user, notification, entry.groups, entry.status, entry.place is Place.READ, entry.read_at)
