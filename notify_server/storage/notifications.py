"""The collection `notifications`, as its callers see it: accepted payloads and their state."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.notification import Attachment, Notification, State
from notify_server.domain.texts import Mail
from notify_server.errors import NotFound
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, not_new, object_id
from notify_server.storage.majority import confirmed
from notify_server.storage.notification_document import (
    WITHOUT_USERS,
    attachments,
    from_document,
    mails,
    to_document,
)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key for a request, hashed, and the fingerprint of the body that came with it."""

    client: str
    key: str
    fingerprint: str


@translated
class Notifications:
    """Reads and writes `notifications`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["notifications"]

    def add(self, notification: Notification, idempotency: Idempotency | None) -> bool:
        """Insert with majority write concern; False when the idempotency key has been used before."""
        try:
            self._all.insert_one(_document(notification, idempotency))
        except DuplicateKeyError:
            return False
        return True

    def add_all(self, made: Sequence[tuple[Notification, Idempotency | None]]) -> list[bool]:
        """The same for several with one write."""
        if len(made) == 1:
            return [self.add(*made[0])]
        stored = [True] * len(made)
        for number in not_new(self._all, [_document(*each) for each in made]):
            stored[number] = False
        return stored

    def by_idempotency(self, client: str, key: str) -> tuple[Notification, str | None]:
        """The notification made with this key, durably, and the fingerprint of its body. Raises NotFound.

        None: somebody whom it named was erased since, and it went with them.
        """
        theirs = {"idempotency.client": client, "idempotency.key": key}
        found = confirmed(self._all, theirs, WITHOUT_USERS)
        if found is None:
            raise NotFound("No notification was made with this idempotency key.")
        return from_document(found), found["idempotency"].get("fingerprint")

    def get(self, notification: str, session: ClientSession | None = None) -> tuple[Notification, int]:
        """One notification without its named users, and the number of its recipients so far. Raises NotFound."""
        found = self._all.find_one({"_id": object_id(notification)}, WITHOUT_USERS, session=session)
        if found is None:
            raise NotFound(f"There is no notification {notification}.")
        return from_document(found), found["recipients"]

    def mails(self, notification: str) -> dict[str, Mail]:
        """The mails of one notification by locale; none where it was not made from a template. Raises NotFound."""
        found = self._all.find_one({"_id": object_id(notification)}, {"mails": 1})
        if found is None:
            raise NotFound(f"There is no notification {notification}.")
        return mails(found)

    def attachments(self, notification: str) -> tuple[Attachment, ...]:
        """The files that go with its mails. Raises NotFound."""
        found = self._all.find_one({"_id": object_id(notification)}, {"attachments": 1})
        if found is None:
            raise NotFound(f"There is no notification {notification}.")
        return attachments(found)

    def among(self, notifications: Sequence[str]) -> list[Notification]:
        """Those of these notifications that exist, without their named users."""
        ids = [object_id(notification) for notification in notifications]
        return [from_document(document) for document in self._all.find({"_id": {"$in": ids}}, WITHOUT_USERS)]

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[tuple[Notification, int]]:
        """At most `limit` notifications, newest first, from the one after `after`; filters: see `_conditions`."""
        conditions = _conditions(filters)
        if after is not None:
            conditions["_id"] = {**conditions.get("_id", {}), "$lt": object_id(after)}
        found = self._all.find(conditions, WITHOUT_USERS).sort("_id", -1).limit(limit)
        return [(from_document(document), document["recipients"]) for document in found]

    def cancel(self, notification: str) -> bool:
        """Anything that is still open → cancelled, to be swept; what was scheduled is due to be expanded at once."""
        scheduled = {"$eq": ["$state", State.SCHEDULED.value]}
        done = self._all.update_one(
            {"_id": object_id(notification), "state": {"$ne": State.CANCELLED.value}, "open": True},
            [
                {
                    "$set": {
                        "state": State.CANCELLED.value,
                        "unswept": True,
                        "due_at": {"$cond": [scheduled, "$created_at", "$due_at"]},
                    }
                }
            ],
        )
        return done.modified_count == 1

    def unswept(self, limit: int) -> list[str]:
        """Cancelled notifications of which something may be left that is not cancelled, oldest first."""
        found = self._all.find({"unswept": True}, {"_id": 1}).sort("_id", 1).limit(limit)
        return [str(document["_id"]) for document in found]

    def swept(self, notification: str) -> None:
        """Nothing is left of a cancelled notification that could be sent."""
        self._all.update_one(
            {"_id": object_id(notification), "state": State.CANCELLED.value},
            {"$set": {"open": False}, "$unset": {"unswept": "", "mails": "", "attachments": ""}},
        )


def _document(notification: Notification, idempotency: Idempotency | None) -> Document:
    made_by = {} if idempotency is None else {"idempotency": asdict(idempotency)}
    return to_document(notification) | made_by


def _conditions(filters: Mapping[str, Any]) -> Document:
    """`category`, `community`, `state` by equality; `from` and `to` (datetimes) bound the time of acceptance."""
    conditions = {name: filters[name] for name in ("category", "community", "state") if filters.get(name) is not None}
    bounds = {
        operator: ObjectId.from_datetime(filters[name])
        for name, operator in (("from", "$gte"), ("to", "$lt"))
        if filters.get(name) is not None
    }
    return {**conditions, "_id": bounds} if bounds else conditions
