"""The collection `mails` as it is listed: newest notification first."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from notify_server.domain.mail import MailRecord
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store
from notify_server.storage.mails import from_document


@translated
class MailPages:
    """Lists mails."""

    def __init__(self, database: Store) -> None:
        self._all = database["mails"]

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[MailRecord]:
        """At most `limit` mails, from the one after the mail `after`.

        Filters: `recipient` (a user), `action` and `status` by equality; `from` and `to` (datetimes) bound the time
        when the notification was accepted.
        """
        conditions = _conditions(filters)
        if after is not None:
            conditions["_id"] = {**conditions.get("_id", {}), "$lt": after}
        return [from_document(document) for document in self._all.find(conditions).sort("_id", -1).limit(limit)]


def _conditions(filters: Mapping[str, Any]) -> Document:
    fields = {"recipient": "user", "action": "action", "status": "status"}
    conditions: Document = {field: filters[name] for name, field in fields.items() if filters.get(name) is not None}
    bounds = {
        operator: str(ObjectId.from_datetime(filters[name]))
        for name, operator in (("from", "$gte"), ("to", "$lt"))
        if filters.get(name) is not None
    }
    return conditions | ({"_id": bounds} if bounds else {})
