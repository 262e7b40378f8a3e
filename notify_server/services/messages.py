"""The notifications being sent, encoded once and kept for as long as they are in use."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from notify_server.domain.notification import Notification
from notify_server.domain.push import Encoded, PushTransport
from notify_server.errors import InvalidInput
from notify_server.storage.notifications import Notifications

_FRESH = timedelta(seconds=60)  # the time to live inside the message is off by no more than this
_KEPT = 128  # notifications


@dataclass(frozen=True, slots=True)
class Ready:
    """A notification, its message for one transport, and when that was made; by locale, too, where it has texts."""

    notification: Notification
    encoded: Encoded
    at: datetime
    locales: Mapping[str, Encoded] = field(default_factory=dict)


class Messages:
    """A cache over `notifications` and the transport's encoder. Safe for many threads."""

    def __init__(self, notifications: Notifications, transport: PushTransport) -> None:
        self._notifications = notifications
        self._transport = transport
        self._kept: OrderedDict[str, Ready] = OrderedDict()
        self._lock = Lock()

    def prefetch(self, notifications: Sequence[str], now: datetime) -> None:
        """Read with one query what `get` would read one by one."""
        missing = [notification for notification in notifications if self._fresh(notification, now) is None]
        for found in self._notifications.among(missing) if len(missing) > 1 else ():
            with suppress(InvalidInput):  # `get` says so
                self._make(found, now)

    def get(self, notification: str, now: datetime) -> Ready:
        """The message as it is to be sent at `now`. Raises NotFound, and InvalidInput where FCM would refuse it."""
        return self._fresh(notification, now) or self._make(self.notification(notification), now)

    def notification(self, notification: str) -> Notification:
        """What is to be sent, as it was accepted. Raises NotFound."""
        return self._notifications.get(notification)[0]

    def _fresh(self, notification: str, now: datetime) -> Ready | None:
        with self._lock:
            ready = self._kept.get(notification)
        return None if ready is None or now - ready.at > _FRESH else ready

    def _make(self, notification: Notification, now: datetime) -> Ready:
        ready = self._encode(notification, now)
        with self._lock:
            self._kept[notification.id] = ready
            self._kept.move_to_end(notification.id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return ready

    def _encode(self, notification: Notification, now: datetime) -> Ready:
        texts = notification.texts
        if texts is None:
            return Ready(notification, self._transport.encode(notification, now), now)
        said = {locale: replace(notification, message=notification.said(locale)) for locale in texts.locales}
        encoded = {locale: self._transport.encode(each, now) for locale, each in said.items()}
        return Ready(notification, encoded[texts.default], now, encoded)
