"""What notifications say to those who look at them: in their locale, and with their own fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from notify_server.domain.notification import Notification
from notify_server.domain.user import User
from notify_server.storage.devices import Devices
from notify_server.storage.inbox import Entry
from notify_server.storage.notifications import Notifications
from notify_server.storage.users import Users

Pair = tuple[Notification, Entry]


@dataclass(frozen=True, slots=True)
class Wording:
    """Puts the words of one reader into notifications; asks for users and devices only where texts depend on them."""

    notifications: Notifications
    users: Users
    devices: Devices

    def read(self, entries: Sequence[Entry]) -> list[Pair]:
        """What `entries` say, in their order, with one query for all of them; without those that say nothing."""
        found = self.notifications.among(sorted({entry.notification for entry in entries})) if entries else []
        known = {notification.id: notification for notification in found}
        pairs = [(known[entry.notification], entry) for entry in entries if entry.notification in known]
        return list(zip(self.said(pairs), (entry for _, entry in pairs), strict=True))

    def said(self, pairs: Sequence[Pair]) -> list[Notification]:
        """Each notification with the `message` that the user of its entry reads, in the order of `pairs`.

        The locale is that of the entry, or else of the device that was heard of last, or else the template's default.
        """
        people = self._people(pairs)
        spoken = self._spoken(pairs)
        return [_said(pair, people, spoken) for pair in pairs]

    def _people(self, pairs: Iterable[Pair]) -> Mapping[str, User]:
        wanted = {entry.user for notification, entry in pairs if notification.texts and notification.texts.fields}
        return {user.id: user for user in self.users.among(sorted(wanted))} if wanted else {}

    def _spoken(self, pairs: Iterable[Pair]) -> Mapping[str, str]:
        wanted = {entry.user for notification, entry in pairs if notification.texts and entry.locale is None}
        return self.devices.locales(sorted(wanted)) if wanted else {}


def _said(pair: Pair, people: Mapping[str, User], spoken: Mapping[str, str]) -> Notification:
    notification, entry = pair
    if notification.texts is None:
        return notification
    locale = notification.texts.choose(entry.locale, spoken.get(entry.user))
    return replace(notification, message=notification.said(locale, people.get(entry.user) or User(entry.user)))
