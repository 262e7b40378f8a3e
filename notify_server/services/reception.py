"""Receipts: what devices report of notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_server import metrics
from notify_server.domain.registry import Event, Status
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.services.hygiene import Contacts
from notify_server.storage.documents import object_id
from notify_server.storage.receipts import Receipt, Receipts
from notify_server.storage.updates import Update, Updates

UNKNOWN = "unknown notification"
_EVENTS = {Status.RECEIVED: Event.RECEIVE, Status.READ: Event.READ}


@dataclass(frozen=True, slots=True)
class Report:
    """One line of a device's report; without `at` it counts as now."""

    notification: str
    status: Status
    at: datetime | None = None
    device: str | None = None


class Reception:
    """Takes reports of one user's devices. What names no entry of theirs is told apart from nothing."""

    def __init__(self, receipts: Receipts, contacts: Contacts, updates: Updates, clock: Clock) -> None:
        self._receipts = receipts
        self._updates = updates
        self._contacts = contacts
        self._clock = clock

    def report(self, user: str, reports: Sequence[Report], origin: str | None = None) -> list[int]:
        """Record `reports` (RECEIVED or READ) in their order; returns the indexes of those that name no entry.

        A repeated report, or one that comes after a later state, is accepted and changes nothing. A time in the
        future is taken as now, and one before the entry was made as then: clocks of phones are often wrong. The user's
        open sockets are told what has changed, except for `origin`, through which the reports came.
        """
        now = self._clock()
        possible = {report.notification for report in reports if _is_id(report.notification)}
        receipts = [
            Receipt(r.notification, _EVENTS[r.status], min(r.at or now, now), r.device)
            for r in reports
            if r.notification in possible
        ]
        self._contacts.heard(user, {report.device for report in reports if report.device is not None})
        recorded = self._receipts.record(user, receipts)
        known = possible if recorded.complete else self._receipts.known(user, sorted(possible))
        if recorded.statuses:
            self._updates.send(Update(user, recorded.statuses, origin=origin))
        rejected = [index for index, report in enumerate(reports) if report.notification not in known]
        metrics.RECEIPTS.labels("accepted").inc(len(reports) - len(rejected))
        metrics.RECEIPTS.labels("rejected").inc(len(rejected))
        return rejected


def _is_id(notification: str) -> bool:
    """Whether it is spelled as we spell ids: two spellings of one would be two notifications here."""
    try:
        return str(object_id(notification)) == notification
    except NotFound:
        return False
