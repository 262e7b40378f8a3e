"""What a notification says by mail in one locale: from its template, or from its message where it has none."""

from collections.abc import Mapping

from notify_server.domain.notification import Notification
from notify_server.domain.texts import Mail
from notify_server.services.keeping import Keeping
from notify_server.storage.notifications import Notifications

_KEPT = 8_000_000  # characters of mails: those of four notifications with as much as they may have
_LONGEST_SUBJECT = 200  # characters; longer ones are cut by whoever shows them


class Mails:
    """The mails of notifications, read once each: they never change. Safe for many threads."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications
        self._kept = Keeping[Mapping[str, Mail]](_KEPT, _size)

    def of(self, notification: Notification, locale: str | None) -> Mail:
        """The mail in one of the locales that there are, for any reader: their own fields are to be filled in.

        Where the template has no mail of its own, or there is no template (None), title and body make the mail. The
        subject is one line. Raises NotFound.
        """
        if notification.texts is None or locale is None:
            return _plain(notification, None)
        mails = self._kept.get(notification.id, lambda: self._notifications.mails(notification.id))
        return mails.get(locale) or _plain(notification, locale)


def _size(mails: Mapping[str, Mail]) -> int:
    """Characters, and as many as a small mail has in any case."""
    return 1000 + sum(len(mail.subject) + len(mail.text) + len(mail.html or "") for mail in mails.values())


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SUBJECT else f"{text[: _LONGEST_SUBJECT - 1].rstrip()}…"


def _plain(notification: Notification, locale: str | None) -> Mail:
    message = notification.said(locale)
    body = message.body or message.title or ""
    subject = _shortened(" ".join((message.title or body).split()))
    return Mail(subject, body if message.link is None else f"{body}\n\n{message.link}")
