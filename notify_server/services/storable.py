"""What is refused of a notification because it would not fit into one document of the database, which has 16 MiB.

It has to be found before it is stored: notifications are stored together, and one that is too large would take others
with it.
"""

from collections.abc import Mapping

from notify_server.domain.notification import Notification
from notify_server.errors import InvalidInput

MOST = 14 * 1024 * 1024  # bytes: the rest is for what is added later, and for names and lengths
_EACH = 16  # bytes that an item of a list needs besides its text
_FEW = 1_000  # users without mails of their own, who need no counting


def check(notification: Notification) -> None:
    """Raises InvalidInput, which names the largest part, where all of it is too large."""
    if len(notification.audience.users) <= _FEW and not (notification.mails or notification.attachments):
        return
    sizes = _sizes(notification)
    if (total := sum(sizes.values())) > MOST:
        path = max(sizes, key=lambda each: sizes[each])
        message = f"All of it takes {total} bytes, of which this takes {sizes[path]}; it may take {MOST}."
        raise InvalidInput({path: [message]})


def _sizes(notification: Notification) -> Mapping[str, int]:
    """Bytes in UTF-8, by field of the payload."""
    users = sum(len(user.encode()) + _EACH for user in notification.audience.users)
    mails = sum(_bytes(mail.subject) + _bytes(mail.text) + _bytes(mail.html) for mail in notification.mails.values())
    files = sum(len(attachment.content) for attachment in notification.attachments)
    said = "action" if notification.action is not None else "template"
    return {"users": users, said: mails, "email.attachments": files}


def _bytes(text: str | None) -> int:
    return len(text.encode()) if text else 0
