"""Notifications, as the backend looks at them after it has handed them over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notify_server.domain.notification import Notification
from notify_server.storage.documents import Document
from notify_server.storage.entries import Entries
from notify_server.storage.notifications import Notifications
from notify_server.storage.users import Users


@dataclass(frozen=True, slots=True)
class Listed:
    """A notification, and the number of its recipients so far."""

    notification: Notification
    recipients: int


@dataclass(frozen=True, slots=True)
class Standing(Listed):
    """The same with its entries by status, which takes a look at each of them.

    `erased` are the entries of people who were erased, by the status that they had.
    """

    counts: Mapping[str, int]
    erased: Mapping[str, int]


class Inspection:
    """Answers: what became of it?"""

    def __init__(self, notifications: Notifications, entries: Entries, users: Users) -> None:
        self._notifications = notifications
        self._entries = entries
        self._users = users

    def get(self, notification: str) -> Standing:
        """One notification with its counts. Raises NotFound."""
        found, recipients = self._notifications.get(notification)
        counts, erased = self._entries.counts(notification), self._entries.erased(notification)
        return Standing(found, recipients, counts, erased)

    def content(self, notification: str) -> Notification:
        """The same without its counts. Raises NotFound."""
        return self._notifications.get(notification)[0]

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[Listed]:
        """Notifications newest first, after the one with id `after`; filters category, community, state, from, to."""
        return [Listed(*found) for found in self._notifications.page(filters, after, limit)]

    def registry(self, notification: str, status: str | None, after: str | None, limit: int) -> list[Document]:
        """Entries of a notification in order of user id, after user `after`. Raises NotFound."""
        self._notifications.get(notification)
        return self._entries.of_notification(notification, status, after, limit)

    def entry(self, notification: str, user: str) -> Document | None:
        """The entry of one user; None where they are not among its recipients, or not yet. Raises NotFound."""
        self._notifications.get(notification)
        return self._entries.find(notification, user)

    def among(self, notifications: Sequence[str]) -> Mapping[str, Notification]:
        """Those of these notifications that exist, by id."""
        return {found.id: found for found in self._notifications.among(notifications)}

    def registry_of_user(self, user: str, after: str | None, limit: int) -> list[Document]:
        """Entries of a user, newest first, after the one of notification `after`. Raises NotFound."""
        self._users.get(user)
        return self._entries.of_user(user, after, limit)
