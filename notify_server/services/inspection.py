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
class Standing:
    """A notification, the number of its recipients so far, and its entries by status.

    `erased` are the entries of people who were erased, by the status that they had.
    """

    notification: Notification
    recipients: int
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
        return self._counted([self._notifications.get(notification)])[0]

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[Standing]:
        """Notifications newest first, after the one with id `after`; filters category, community, state, from, to."""
        return self._counted(self._notifications.page(filters, after, limit))

    def registry(self, notification: str, status: str | None, after: str | None, limit: int) -> list[Document]:
        """Entries of a notification in order of user id, after user `after`. Raises NotFound."""
        self._notifications.get(notification)
        return self._entries.of_notification(notification, status, after, limit)

    def registry_of_user(self, user: str, after: str | None, limit: int) -> list[Document]:
        """Entries of a user, newest first, after the one of notification `after`. Raises NotFound."""
        self._users.get(user)
        return self._entries.of_user(user, after, limit)

    def _counted(self, found: Sequence[tuple[Notification, int]]) -> list[Standing]:
        ids = [notification.id for notification, _ in found]
        counts, erased = self._entries.counts(ids), self._entries.erased(ids)
        return [Standing(n, recipients, counts[n.id], erased[n.id]) for n, recipients in found]
