"""Notifications as counting sees them: what their entries count towards, and those of people who were erased."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from notify_server.domain.statistics import Labels, Part, merged
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.notification_document import labels_of
from notify_server.storage.tallies import from_parts, to_parts

_FIELDS = ("category", "community", "audience.communities", "audience.groups", "recipients", "erased_parts", "bereft")
_KEPT = {"retired_at": None}  # what was retired is in the archive, and its entries go


@dataclass(frozen=True, slots=True)
class Subject:
    """A notification that is counted. `groups`: how many it addresses; `recipients`: whom its cursor has passed.

    `erased`: the parts of recipients who were erased; `bereft`: the chunks in which they were counted, and are still.
    """

    id: str
    labels: Labels
    groups: int
    recipients: int
    erased: Sequence[Part]
    bereft: Sequence[int] = ()


@translated
class Subjects:
    """Reads `notifications`, and keeps with them what erased people's entries were."""

    def __init__(self, database: Store) -> None:
        self._all = database["notifications"]

    def of(self, notifications: Iterable[str], session: ClientSession | None = None) -> Mapping[str, Subject]:
        """Those of these notifications that are there and not retired."""
        these = {"_id": {"$in": [object_id(notification) for notification in notifications]}} | _KEPT
        found = self._all.find(these, dict.fromkeys(_FIELDS, 1), session=session)
        return {subject.id: subject for subject in map(_subject, found)}

    def page(self, after: str | None, limit: int, session: ClientSession | None = None) -> list[Subject]:
        """At most `limit` of them in the order of their ids, from the one after `after`."""
        later = {} if after is None else {"_id": {"$gt": object_id(after)}}
        found = self._all.find(later | _KEPT, dict.fromkeys(_FIELDS, 1), session=session)
        return list(map(_subject, found.sort("_id", 1).limit(limit)))

    def retire(self, notifications: Iterable[str], at: datetime, session: ClientSession) -> None:
        """Note that these are in the archive: what is left of them is to be removed."""
        these = {"_id": {"$in": [object_id(notification) for notification in notifications]}}
        self._all.update_many(these, {"$set": {"retired_at": at}}, session=session)

    def keep_erased(
        self, erased: Mapping[str, Sequence[Part]], chunks: Mapping[str, int], session: ClientSession
    ) -> None:
        """Add these parts to what is kept of erased people, in the transaction that removes their entries.

        `chunks`: in which of several they were counted.
        """
        writes = list(self._additions(erased, chunks, session))
        if writes:
            self._all.bulk_write(writes, ordered=False, session=session)

    def recounted(self, notification: str, chunks: Iterable[int], session: ClientSession) -> None:
        """Note that who was erased is not counted in these chunks any more."""
        these = {"_id": object_id(notification)}
        self._all.update_one(these, {"$pullAll": {"bereft": list(chunks)}}, session=session)

    def _additions(
        self, erased: Mapping[str, Sequence[Part]], chunks: Mapping[str, int], session: ClientSession
    ) -> Iterator[UpdateOne]:
        these = {"_id": {"$in": [object_id(notification) for notification in erased]}}
        for document in self._all.find(these, {"erased_parts": 1}, session=session):
            name = str(document["_id"])
            parts = merged((*from_parts(document.get("erased_parts", [])), *erased[name]))
            kept: Document = {"$set": {"erased_parts": to_parts(parts)}}
            if name in chunks:
                kept["$addToSet"] = {"bereft": chunks[name]}
            yield UpdateOne({"_id": document["_id"]}, kept)


def _subject(document: Document) -> Subject:
    audience, erased = document["audience"], from_parts(document.get("erased_parts", []))
    labels = labels_of(document)
    of = len(audience["groups"]), document["recipients"], erased, document.get("bereft", ())
    return Subject(str(document["_id"]), labels, *of)
