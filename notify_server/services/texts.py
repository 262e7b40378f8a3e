"""What a notification says by mail in one locale: from its template, or from its message where it has none."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from notify_server.domain.notification import Notification
from notify_server.domain.texts import Mail
from notify_server.storage.notifications import Notifications

_KEPT = 32  # notifications
_MOST = 4_000_000  # characters of all that are kept; the newest is kept in any case
_LONGEST_SUBJECT = 200  # characters; longer ones are cut by whoever shows them


class Mails:
    """The mails of notifications, read once each: they never change. Safe for many threads."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications
        self._kept: OrderedDict[str, Mapping[str, Mail]] = OrderedDict()
        self._lock = Lock()

    def of(self, notification: Notification, locale: str | None) -> Mail:
        """The mail in one of the locales that there are, for any reader: their own fields are to be filled in.

        Where the template has no mail of its own, or there is no template (None), title and body make the mail. The
        subject is one line. Raises NotFound.
        """
        if notification.texts is None or locale is None:
            return _plain(notification, None)
        return self._mails(notification.id).get(locale) or _plain(notification, locale)

    def _mails(self, notification: str) -> Mapping[str, Mail]:
        with self._lock:
            kept = self._kept.get(notification)
        if kept is None:
            kept = self._notifications.mails(notification)
            with self._lock:
                self._kept[notification] = kept
                while len(self._kept) > 1 and (len(self._kept) > _KEPT or self._size() > _MOST):
                    self._kept.popitem(last=False)
        return kept

    def _size(self) -> int:
        return sum(len(mail.text) + len(mail.html or "") for mails in self._kept.values() for mail in mails.values())


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SUBJECT else f"{text[: _LONGEST_SUBJECT - 1].rstrip()}…"


def _plain(notification: Notification, locale: str | None) -> Mail:
    message = notification.said(locale)
    body = message.body or message.title or ""
    subject = _shortened(" ".join((message.title or body).split()))
    return Mail(subject, body if message.link is None else f"{body}\n\n{message.link}")
