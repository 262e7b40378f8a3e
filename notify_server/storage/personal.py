"""All that is stored about one person, as it is stored, in pages."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bson import ObjectId

from notify_server.domain.inbox import Place
from notify_server.domain.rfc3339 import written
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entry_id
from notify_server.storage.traces import waiting_for

_ANY_PLACE = {"$in": [place.value for place in Place]}  # leads to the index `by_user`
_PAGE = 200  # entries read at once: flat memory, however many there are


@translated
class Personal:
    """Reads what export shows. Values are what JSON knows, and times."""

    def __init__(self, database: Store) -> None:
        self._users = database["users"]
        self._devices = database["devices"]
        self._registry = database["registry"]
        self._notifications = database["notifications"]

    def profile(self, user: str) -> Document | None:
        """What is known of the user themselves."""
        found = self._users.find_one({"_id": user})
        return None if found is None else _plain({"id": found.pop("_id"), **found})

    def devices(self, user: str) -> list[Document]:
        """Their devices with the targets."""
        found = self._devices.find({"_id.u": user}).sort("_id.d", 1)
        return [_plain({"id": document.pop("_id")["d"], **document}) for document in found]

    def page(self, user: str, after: str | None) -> list[Document]:
        """The next page of their registry entries, newest first, each with the `message` of its notification."""
        conditions: Document = {"_id.u": user, "inbox": _ANY_PLACE}
        if after is not None:
            conditions["_id.n"] = {"$lt": ObjectId(after)}
        entries = list(self._registry.find(conditions).sort("_id.n", -1).limit(_PAGE))
        ids = [entry["_id"]["n"] for entry in entries]
        found = self._notifications.find({"_id": {"$in": ids}}, {"message": 1, "created_at": 1, "community": 1})
        messages = {notification["_id"]: notification for notification in found} if ids else {}
        return [_entry(entry, messages.get(entry["_id"]["n"], {})) for entry in entries]

    def waiting(self, user: str) -> Iterator[Document]:
        """Notifications that name them and of which they have no entry yet."""
        shown = dict.fromkeys(("message", "created_at", "send_at", "expires_at", "category", "community"), 1)
        for found in self._notifications.find(waiting_for(user), shown):
            n = found.pop("_id")
            if self._registry.find_one({"_id": entry_id(n, user)}, {"_id": 1}) is None:
                yield _plain({"notification_id": str(n), **found})


def _entry(entry: Document, notification: Document) -> Document:
    n = entry.pop("_id")["n"]
    notification.pop("_id", None)
    written: Document = _plain({"notification_id": str(n), **entry, "notification": notification or None})
    return written


def _plain(value: Any) -> Any:
    """`value` with its times as RFC 3339."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return written(value)
    return value
