"""What an open socket is told of a notification: its inbox item, or exactly the payload that the backend gave."""

from dataclasses import dataclass
from typing import Any

from notify_server.domain.inbox import Place
from notify_server.domain.notification import Notification
from notify_server.domain.rfc3339 import written
from notify_server.storage.inbox import Entry


@dataclass(frozen=True, slots=True)
class Told:
    """The arguments of an event: what is told, and what the client needs to know of it."""

    content: dict[str, Any]
    origin: dict[str, Any]


def told(notification: Notification, entry: Entry, *, replayed: bool = False) -> Told:
    """What a socket of the entry's user is told. Equal for all who were reached through the same groups."""
    created_at = written(notification.created_at)
    origin = {"id": notification.id, "created_at": created_at, "replayed": replayed}
    if (content := notification.content) is not None:
        return Told(content, origin)
    return Told(_item(notification, entry) | {"created_at": created_at}, origin)


def _item(notification: Notification, entry: Entry) -> dict[str, Any]:
    message = notification.message
    return {
        "id": notification.id,
        "title": message.title,
        "body": message.body,
        "image": message.image,
        "link": message.link,
        "data": dict(message.data),
        "category": notification.category,
        "groups": list(entry.groups),
        "status": entry.status.value,
        "is_read": entry.place is Place.READ,
        "read_at": None if entry.read_at is None else written(entry.read_at),
    }
