"""Receipts: what devices report of notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_server import metrics
from notify_server.domain.registry import Event, Status
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.storage.documents import object_id
from notify_server.storage.receipts import Receipt, Receipts

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

    def __init__(self, receipts: Receipts, clock: Clock) -> None:
        self._receipts = receipts
        self._clock = clock

    def report(self, user: str, reports: Sequence[Report]) -> list[int]:
        """Record `reports` (RECEIVED or READ) in their order; returns the indexes of those that name no entry.

        A repeated report, or one that comes after a later state, is accepted and changes nothing. A time in the
        future is taken as now: clocks of phones are often wrong.
        """
        known = self._receipts.statuses(user, [r.notification for r in reports if _is_id(r.notification)])
        now = self._clock()
        receipts = [
            Receipt(r.notification, _EVENTS[r.status], min(r.at or now, now), r.device)
            for r in reports
            if r.notification in known
        ]
        self._receipts.record(user, receipts)
        rejected = [index for index, r in enumerate(reports) if r.notification not in known]
        metrics.RECEIPTS.labels("accepted").inc(len(receipts))
        metrics.RECEIPTS.labels("rejected").inc(len(rejected))
        return rejected


def _is_id(notification: str) -> bool:
    try:
        object_id(notification)
    except NotFound:
        return False
    return True
