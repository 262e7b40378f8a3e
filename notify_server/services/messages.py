"""The notifications being sent, encoded once and kept for as long as they are in use."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from notify_server.domain.notification import Notification
from notify_server.domain.push import Encoded, PushTransport
from notify_server.storage.notifications import Notifications

_FRESH = timedelta(seconds=60)  # the time to live inside the message is off by no more than this
_KEPT = 128  # notifications


@dataclass(frozen=True, slots=True)
class Ready:
    """A notification, its message for one transport, and when that was made."""

    notification: Notification
    encoded: Encoded
    at: datetime


class Messages:
    """A cache over `notifications` and the transport's encoder. Safe for many threads."""

    def __init__(self, notifications: Notifications, transport: PushTransport) -> None:
        self._notifications = notifications
        self._transport = transport
        self._kept: OrderedDict[str, Ready] = OrderedDict()
        self._lock = Lock()

    def get(self, notification: str, now: datetime) -> Ready:
        """The message as it is to be sent at `now`. Raises NotFound."""
        with self._lock:
            ready = self._kept.get(notification)
        if ready is None or now - ready.at > _FRESH:
            ready = self._make(notification, now)
        return ready

    def _make(self, notification: str, now: datetime) -> Ready:
        found, _ = self._notifications.get(notification)
        ready = Ready(found, self._transport.encode(found, now), now)
        with self._lock:
            self._kept[notification] = ready
            self._kept.move_to_end(notification)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return ready
