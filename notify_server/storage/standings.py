"""What notifications count towards, and how many recipients they have so far."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.client_session import ClientSession

from notify_server.domain.statistics import Labels
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.notification_document import labels_of

_FIELDS = dict.fromkeys(("category", "community", "audience.communities", "audience.groups", "recipients"), 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A notification: its labels, the groups that it addresses, and whom its expansion has passed."""

    id: str
    labels: Labels
    groups: Sequence[str]
    recipients: int


@translated
class Standings:
    """Reads `notifications`, and of each no more than this."""

    def __init__(self, database: Store) -> None:
        self._all = database["notifications"]

    def of(self, notifications: Sequence[str], session: ClientSession) -> list[Standing]:
        """Those of these notifications that exist and are not retired."""
        ids = [object_id(notification) for notification in notifications]
        these = {"_id": {"$in": ids}, "retired_at": None}
        return [_standing(document) for document in self._all.find(these, _FIELDS, session=session)] if ids else []


def _standing(document: Document) -> Standing:
    audience = document["audience"]
    labels = labels_of(document)
    return Standing(str(document["_id"]), labels, audience["groups"], document["recipients"])
