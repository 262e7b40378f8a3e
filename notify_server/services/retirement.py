"""Removing notifications with their entries when they are old enough; the statistics keep what they added up to.

A notification is counted for the last time, and what it adds up to is put into the archive: in one transaction, which
says so with the notification; what is marked is not over yet, and waits. From then on nobody counts it. Its entries go
next, the notification itself goes last: killed anywhere, this goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

import structlog

from notify_server import failpoints, metrics
from notify_server.errors import DatabaseUnavailable
from notify_server.services.counting import SHARE
from notify_server.services.counting_chunks import count_chunks
from notify_server.services.counting_groups import groups, is_brief
from notify_server.services.counting_lease import CountingLease
from notify_server.services.postponed import Postponed
from notify_server.storage.counts import Counts
from notify_server.storage.retirements import Retirements
from notify_server.storage.subjects import Subject, Subjects

log = structlog.get_logger()

_AT_ONCE = 200  # notifications looked at in one run
_PAGE = 1000  # entries removed by one write
_PAGES = 20  # in one run
_MARKED = 15.0  # seconds until what was marked is looked at again


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
        self._postponed = Postponed()
        self._rest_until = ticks()

    def retire(self) -> int:
        """Go on for a moment. Returns how many notifications were removed."""
        begun = self._ticks()
        if not self._days or begun < self._rest_until:
            return 0
        self._postponed.look(begun)
        removed = 0
        try:
            removed = self._remove(self._stores.retirements.retired(_AT_ONCE))
            self._archive()
        finally:
            metrics.RETIRED.inc(removed)
            ended = self._ticks()
            self._rest_until = ended + (ended - begun) * (1 / self._share - 1)
        if removed:
            log.info("old notifications removed", count=removed)
        return removed

    def _archive(self) -> None:
        before = self._lease.now() - timedelta(days=self._days)
        over = self._stores.retirements.over(before, _AT_ONCE + len(self._postponed))
        over = [name for name in over if name not in self._postponed]
        with self._lease.held() as held:
            if held and over:
                self._archive_all(list(self._stores.subjects.of(over).values()))

    def _archive_all(self, subjects: Sequence[Subject]) -> None:
        suspects = self._postponed.suspects(subject.id for subject in subjects)
        brief = [subject for subject in subjects if is_brief(subject) and subject.id not in suspects]
        for group in groups(brief):
            if not self._archive_together(group):
                return
        for name in sorted(suspects.union(subject.id for subject in subjects if not is_brief(subject))):
            if not self._archive_one(name):
                return

    def _archive_together(self, names: Sequence[str]) -> bool:
        """Archive brief ones, or each by itself where that fails; False where the lease is lost."""
        try:
            return self._moved(names)
        except DatabaseUnavailable:
            self._postponed.fail(names, self._ticks())
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one is not to stop the others
            return all(self._archive_one(name) for name in names)

    def _archive_one(self, name: str) -> bool:
        """Count one by chunks, then archive it; put it off where that fails. False where the lease is lost."""
        try:
            if count_chunks(self._stores.counts, self._lease, name) is None or not self._moved([name]):
                return False
        except Exception as error:
            self._postponed.fail([name], self._ticks())
            if isinstance(error, DatabaseUnavailable):
                raise
            log.error("a notification cannot be retired", notification_id=name, exc_info=error)
        else:
            self._postponed.succeed([name])
        return True

    def _moved(self, names: Sequence[str]) -> bool:
        """Move these to the archive, but for those that are marked: they wait. False where the lease is lost."""
        moved = self._stores.counts.retire(names, self._lease.owner, self._lease.now())
        if moved is None:
            return False
        if moved:
            failpoints.passes("retirement.archived")
        for name in set(names).difference(moved):
            self._postponed.put_off(name, self._ticks() + _MARKED)
        return True

    def _remove(self, names: Sequence[str]) -> int:
        removed, pages = 0, _PAGES
        for name in names:
            after = ""
            while users := self._stores.retirements.remove_entries(name, after, _PAGE):
                failpoints.passes("retirement.entries")
                pages, after = pages - 1, users[-1]
                if pages <= 0:
                    return removed
            failpoints.passes("retirement.left")
            self._stores.retirements.remove(name)
            removed += 1
        return removed
