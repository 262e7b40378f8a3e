"""The export of a person: everything that is stored about them, record by record, in flat memory."""

from collections import Counter
from collections.abc import Iterator

from notify_server.domain.audit import Kind, Line, Party
from notify_server.domain.rfc3339 import written
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.storage.audit import Audit
from notify_server.storage.documents import Document
from notify_server.storage.personal import Personal

_LINES = 200  # of the audit log, read at once


class Export:
    """Reads people out."""

    def __init__(self, personal: Personal, audit: Audit, clock: Clock) -> None:
        self._personal = personal
        self._audit = audit
        self._clock = clock

    def of(self, user: str) -> Iterator[Document]:
        """One record at a time, each with its `kind`; the last is `end` and counts the others. Raises NotFound."""
        profile, devices = self._personal.profile(user), self._personal.devices(user)
        first = self._personal.page(user, None)
        if profile is None and not devices and not first and not self._is_named(user):
            raise NotFound(f"There is no user {user!r}.")
        return self._records(user, profile, devices, first)

    def _is_named(self, user: str) -> bool:
        return next(self._personal.waiting(user), None) is not None or bool(self._audit.about(user, None, 1))

    def _records(
        self, user: str, profile: Document | None, devices: list[Document], first: list[Document]
    ) -> Iterator[Document]:
        yield {"kind": "export", "user_id": user, "at": written(self._clock())}
        counts: Counter[str] = Counter()
        for record in self._kept(user, profile, devices, first):
            counts[record["kind"]] += 1
            yield record
        yield {"kind": "end", "records": dict(counts)}

    def _kept(
        self, user: str, profile: Document | None, devices: list[Document], page: list[Document]
    ) -> Iterator[Document]:
        if profile is not None:
            yield {"kind": "profile", **profile}
        yield from ({"kind": "device", **device} for device in devices)
        while page:
            yield from ({"kind": "entry", **entry} for entry in page)
            page = self._personal.page(user, page[-1]["notification_id"])
        yield from ({"kind": "mail", **mail} for mail in self._personal.mails(user))
        yield from ({"kind": "notification", **named} for named in self._personal.waiting(user))
        yield from self._lines(user)

    def _lines(self, user: str) -> Iterator[Document]:
        after = None
        while lines := self._audit.about(user, after, _LINES):
            yield from (_told(line, user) for line in lines)
            after = lines[-1].id


def _told(line: Line, user: str) -> Document:
    """A line of the audit log; its address is theirs where they are the actor, and their backend's elsewhere."""
    change = line.change
    own = change.actor == Party(Kind.USER, user)
    return {
        "kind": "audit",
        "id": line.id,
        "at": written(line.at),
        "actor": change.actor.kind.value,
        "action": change.action,
        "route": change.route,
        "object": change.object and {"kind": change.object.kind.value, "id": change.object.id},
        "fields": list(change.fields),
        "address": change.address if own else None,
        "status": line.status,
    }
