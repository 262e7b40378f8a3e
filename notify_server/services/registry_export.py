"""The registry as a stream: entry by entry, in flat memory, from any place on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notify_server.domain.rfc3339 import written
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.clock import Clock
from notify_server.storage.documents import Document
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry_walk import PAGE, Head, RegistryWalk, Selection

__all__ = ["Place", "RegistryExport", "Selection"]

_TIMES = ("pending_at", "sent_at", "received_at", "read_at")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream was cut: after the entry of `user` to `notification`. It was to hold all until `end`."""

    notification: str
    user: str
    end: datetime


class RegistryExport:
    """Reads the registry out."""

    def __init__(self, walk: RegistryWalk, notifications: Notifications, clock: Clock) -> None:
        self._walk = walk
        self._notifications = notifications
        self._clock = clock

    def selection(self, filters: Mapping[str, Any], place: Place | None) -> Selection:
        """What is to be read: what was entered until now, or until then, where no end is given. Raises InvalidInput."""
        end = filters.get("end") or (place.end if place else self._clock())
        selection = Selection(**{**filters, "start": filters.get("start"), "end": end})
        if selection.notification is not None:
            self._require(selection.notification)
        return selection

    def _require(self, notification: str) -> None:
        try:
            self._notifications.get(notification)
        except NotFound as error:
            raise InvalidInput({"notification": [str(error)]}) from None

    def records(self, selection: Selection, place: Place | None) -> Iterator[tuple[Mapping[str, Any], Place | None]]:
        """Records, and of each entry its place: first one of kind `export`, at last one of kind `end`."""
        yield (
            {"kind": "export", "from": selection.start and written(selection.start), "to": written(selection.end)},
            None,
        )
        count = 0
        for head, entry in self._entries(selection, place):
            count += 1
            yield _told(head, entry), Place(head.id, entry["_id"]["u"], selection.end)
        yield {"kind": "end", "complete": True, "entries": count}, None

    def _entries(self, selection: Selection, place: Place | None) -> Iterator[tuple[Head, Document]]:
        begun = None if place is None else place.notification
        for run in _runs(self._walk.heads(selection, begun), begun):
            if run[0].id != begun and _is_small(run[0]):
                yield from self._together(selection, run)
            else:
                yield from self._many(selection, run[0], place.user if place and run[0].id == begun else "")

    def _together(self, selection: Selection, run: Sequence[Head]) -> Iterator[tuple[Head, Document]]:
        heads = {head.id: head for head in run}
        for entry in self._walk.together(selection, list(heads)):
            yield heads[str(entry["_id"]["n"])], entry

    def _many(self, selection: Selection, head: Head, after: str) -> Iterator[tuple[Head, Document]]:
        start = selection.start
        if start is not None and head.due_at < start and not self._walk.reaches(head.id, start):
            return
        while page := self._walk.page(selection, head.id, after):
            yield from ((head, entry) for entry in page)
            after = page[-1]["_id"]["u"]


def _runs(heads: Iterable[Head], begun: str | None) -> Iterator[Sequence[Head]]:
    """Small notifications together, as many as have PAGE recipients in all; each other one, or `begun`, alone."""
    run: list[Head] = []
    left = PAGE
    for head in heads:
        alone = head.id == begun or not _is_small(head)
        if run and (alone or head.recipients > left or len(run) == PAGE):
            yield run
            run, left = [], PAGE
        if alone:
            yield [head]
        else:
            run.append(head)
            left -= head.recipients
    if run:
        yield run


def _is_small(head: Head) -> bool:
    return head.expanded and head.recipients <= PAGE


def _told(head: Head, entry: Document) -> Mapping[str, Any]:
    return {
        "kind": "entry",
        "notification_id": head.id,
        "user_id": entry["_id"]["u"],
        "category": head.category,
        "community": head.community,
        "groups": entry["groups"],
        "status": entry["status"],
        "reason": entry["reason"],
        "attempts": entry["attempts"],
        "entered_at": written(entry["history"][0]["at"]),
        **{name: entry[name] and written(entry[name]) for name in _TIMES},
        "history": [line | {"at": written(line["at"])} for line in entry["history"]],
    }
