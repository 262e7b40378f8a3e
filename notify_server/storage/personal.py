"""All that is stored about one person, as it is stored, in pages."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from bson import ObjectId

from notify_server.domain.inbox import Place
from notify_server.domain.rfc3339 import written
from notify_server.domain.texts import Mail
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entry_id
from notify_server.storage.notification_document import texts
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
        self._mails = database["mails"]
        self._contents = database["mail_contents"]

    def profile(self, user: str) -> Document | None:
        """What is known of the user themselves."""
        found = self._users.find_one({"_id": user})
        return None if found is None else _plain({"id": found.pop("_id"), **found})

    def devices(self, user: str) -> list[Document]:
        """Their devices with the targets."""
        found = self._devices.find({"_id.u": user}).sort("_id.d", 1)
        return [_plain({"id": document.pop("_id")["d"], **document}) for document in found]

    def page(self, user: str, after: str | None) -> list[Document]:
        """The next page of their registry entries, newest first, each with the `message` that they were sent.

        In the locale that the entry names, and else in the default one of its template.
        """
        conditions: Document = {"_id.u": user, "inbox": _ANY_PLACE}
        if after is not None:
            conditions["_id.n"] = {"$lt": ObjectId(after)}
        entries = list(self._registry.find(conditions).sort("_id.n", -1).limit(_PAGE))
        ids = [entry["_id"]["n"] for entry in entries]
        shown = dict.fromkeys(("message", "texts", "created_at", "community"), 1)
        found = list(self._notifications.find({"_id": {"$in": ids}}, shown)) if ids else []
        messages = {notification["_id"]: notification for notification in found}
        reader = self._reader(user) if any("texts" in notification for notification in found) else User(user)
        return [_entry(entry, messages.get(entry["_id"]["n"], {}), reader) for entry in entries]

    def _reader(self, user: str) -> User:
        known: dict[str, Any] = self._users.find_one({"_id": user}, [field.value for field in UserField]) or {}
        return User(**{"id": user} | {name: value for name, value in known.items() if name != "_id"})

    def mails(self, user: str) -> Iterator[Document]:
        """The mails to them, newest notification first, each with its `message`, as long as that is kept."""
        reader = self._reader(user)
        for found in self._mails.find({"user": user}).sort("_id", -1).batch_size(_PAGE):
            said = self._contents.find_one({"_id": found["content"]}, {"_id": 0, "ends_at": 0})
            message = said and asdict(Mail(**said).filled(replace(reader, email=found["address"])))
            mail = {"id": found.pop("_id"), "notification_id": str(found.pop("n"))}
            yield _plain({**mail, **found, "message": message})

    def waiting(self, user: str) -> Iterator[Document]:
        """Notifications that name them and of which they have no entry yet."""
        shown = dict.fromkeys(("message", "created_at", "send_at", "expires_at", "category", "community"), 1)
        for found in self._notifications.find(waiting_for(user), shown):
            n = found.pop("_id")
            if self._registry.find_one({"_id": entry_id(n, user)}, {"_id": 1}) is None:
                yield _plain({"notification_id": str(n), **found})


def _entry(entry: Document, notification: Document, reader: User) -> Document:
    n = entry.pop("_id")["n"]
    shown = {name: value for name, value in notification.items() if name not in {"_id", "texts"}}
    if (said := texts(notification)) is not None:
        shown["message"] = shown["message"] | asdict(said.of(entry.get("locale")).filled(reader))
    written: Document = _plain({"notification_id": str(n), **entry, "notification": shown or None})
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
