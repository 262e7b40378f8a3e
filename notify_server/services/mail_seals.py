"""Mails made ready in the moment in which they are sent, so that few of them are in memory at any time.

What is the same for several is made once: attachments for all mails of a notification, a mail for all who read the
same. Of each mail that shows fields of its reader there are as many as are on their way.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from notify_server.domain.mail import MailTransport, Sealed
from notify_server.domain.notification import Attachment, Notification
from notify_server.domain.texts import Mail
from notify_server.services.mail_sorting import Sheet

_KEPT = 2  # notifications whose attachments and mails are kept ready: mails are sent in the order of these


@dataclass(slots=True)
class _Ready:
    """What is ready of one notification."""

    enclosed: Any
    sealed: dict[Mail, Sealed] = field(default_factory=dict)


class Seals:
    """For one transport. Safe for many threads. `attachments` reads those of a notification."""

    def __init__(
        self,
        transport: MailTransport,
        reply_to: str | None,
        attachments: Callable[[str], Sequence[Attachment]],
    ) -> None:
        self._transport = transport
        self._reply_to = reply_to
        self._attachments = attachments
        self._kept: OrderedDict[str, _Ready] = OrderedDict()
        self._lock = Lock()

    def of(self, notification: Notification, sheet: Sheet) -> Sealed:
        """The mail of this sheet. Raises ValueError where no mail may hold what it says."""
        reply_to = notification.reply_to or self._reply_to
        with self._lock:
            ready = self._ready(notification.id)
            if sheet.reader is None:
                if sheet.mail not in ready.sealed:
                    ready.sealed[sheet.mail] = self._transport.seal(sheet.mail, reply_to, ready.enclosed)
                return ready.sealed[sheet.mail]
        return self._transport.seal(sheet.mail.filled(sheet.reader), reply_to, ready.enclosed)

    def _ready(self, notification: str) -> _Ready:
        if notification not in self._kept:
            self._kept[notification] = _Ready(self._transport.enclose(self._attachments(notification)))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[notification]
