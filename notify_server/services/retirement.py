"""Removing notifications with their entries when they are old enough; the statistics keep what they added up to.

A notification is counted for the last time, then its tallies move to the archive in one transaction, which says so with
the notification. From then on nobody counts it. Its entries go next, the notification itself goes last: killed
anywhere, this goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

import structlog

from notify_server import failpoints, metrics
from notify_server.services.counting import BRIEF, SHARE, groups
from notify_server.services.counting_lease import CountingLease
from notify_server.storage.counts import Counts
from notify_server.storage.retirements import Retirements
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import ERASED

log = structlog.get_logger()

_AT_ONCE = 200  # notifications looked at in one run
_PAGE = 1000  # entries removed by one write
_PAGES = 20  # in one run


@dataclass(frozen=True, slots=True)
class Stores:
    """Where old notifications are, and what they added up to."""

    subjects: Subjects
    counts: Counts
    retirements: Retirements


class Retirement:
    """Retires what is older than `days`; 0: nothing ever is. Any number of schedulers may do so at once."""

    def __init__(
        self,
        stores: Stores,
        lease: CountingLease,
        days: int,
        share: float = SHARE,
        ticks: Callable[[], float] = perf_counter,
    ) -> None:
        self._stores = stores
        self._lease = lease
        self._days = days
        self._share = share
        self._ticks = ticks
        self._rest_until = ticks()

    def retire(self) -> int:
        """Go on for a moment. Returns how many notifications were removed."""
        begun = self._ticks()
        if not self._days or begun < self._rest_until:
            return 0
        removed = self._remove(self._stores.retirements.retired(_AT_ONCE))
        before = self._lease.now() - timedelta(days=self._days)
        over = self._stores.retirements.over(before, _AT_ONCE)
        with self._lease.held() as held:
            if held and over:
                self._archive(over)
        metrics.RETIRED.inc(removed)
        if removed:
            log.info("old notifications removed", count=removed)
        ended = self._ticks()
        self._rest_until = ended + (ended - begun) * (1 / self._share - 1)
        return removed

    def _archive(self, names: Sequence[str]) -> None:
        counts, owner, now = self._stores.counts, self._lease.owner, self._lease.now
        subjects = self._stores.subjects.of(names).values()
        brief = list(groups([subject for subject in subjects if subject.recipients <= BRIEF]))
        large = [[subject.id] for subject in subjects if subject.recipients > BRIEF]
        for group in (*brief, *large):
            if not self._count(group, brief=group in brief):
                return
            failpoints.passes("retirement.counted")
            if not counts.retire(group, owner, now()):
                return
            failpoints.passes("retirement.archived")

    def _count(self, names: Sequence[str], *, brief: bool) -> bool:
        """Count these for the last time; False where the lease is lost."""
        if not brief:
            return all(self._count_chunks(name) for name in names)
        counted = self._stores.counts.count_brief(names, self._lease.owner, self._lease.now())
        return counted is not None and self._count(counted.chunked, brief=False)

    def _count_chunks(self, name: str) -> bool:
        """Count a large one; False where the lease is lost."""
        number, last = ERASED, False
        while not last:
            counted = self._stores.counts.count_chunk(name, number, self._lease.owner, self._lease.now())
            if counted is None or not self._lease.take():
                return False
            number, last = number + 1, counted.last
        return True

    def _remove(self, names: Sequence[str]) -> int:
        removed, pages = 0, _PAGES
        for name in names:
            while self._stores.retirements.remove_entries(name, _PAGE):
                failpoints.passes("retirement.entries")
                pages -= 1
                if pages <= 0:
                    return removed
            failpoints.passes("retirement.left")
            self._stores.retirements.remove(name)
            removed += 1
        return removed
