"""The proof that the statistics are right: the registry is counted anew, and all sums are made anew.

First each notification is recounted from its entries against its tallies, in a snapshot that shows too whether it is
marked: then the scheduler has yet to count it, a difference says nothing, and it is looked at again. Then the roll-ups
are compared with the sum of tallies and archive (services/rollup_proof.py). What differs is repaired where that is
asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import sleep

import structlog

from notify_server.domain.statistics import Part, merged
from notify_server.services.counting import BRIEF
from notify_server.services.counting_lease import CountingLease
from notify_server.services.rollup_proof import RollupProof
from notify_server.services.verdict import Difference, Tell, Verdict, between
from notify_server.storage.changes import Changes
from notify_server.storage.counts import SIZE, Counts, entries_of
from notify_server.storage.journal import Journal
from notify_server.storage.recount import Recount
from notify_server.storage.snapshots import Snapshot, Snapshots
from notify_server.storage.subjects import Subject, Subjects
from notify_server.storage.tallies import ERASED, Tallies

log = structlog.get_logger()

_PAGE = 200  # notifications compared in one snapshot
_PAUSE = 1.0  # seconds between two looks at what is marked


@dataclass(frozen=True, slots=True)
class Stores:
    """What is compared, and by what it is repaired."""

    changes: Changes
    subjects: Subjects
    recount: Recount
    tallies: Tallies
    counts: Counts
    journal: Journal
    snapshots: Snapshots


class Verification:
    """Compares, in flat memory, while the server runs; and repairs."""

    def __init__(
        self,
        stores: Stores,
        rollups: RollupProof,
        lease: CountingLease,
        patience: float = 60.0,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._stores = stores
        self._rollups = rollups
        self._lease = lease
        self._patience = patience
        self._pause = pause

    def verify(self, tell: Tell, *, repair: bool = False) -> Verdict:
        """Compare everything. Each difference is told when it is found, and then repaired where `repair` is asked for.

        What is marked is looked at again for `patience` seconds. Raises Conflict where it cannot stop the counting.
        """
        verdict = Verdict()
        unsettled = self._compare_all(self._pages(), verdict, tell, repair=repair)
        for _ in range(int(self._patience / _PAUSE)):
            if not unsettled:
                break
            self._pause(_PAUSE)
            unsettled = self._compare_all(self._again(unsettled), verdict, tell, repair=repair)
        verdict.unsettled = unsettled
        self._rollups.compare(verdict, tell, repair=repair)
        return verdict

    def _pages(self) -> Iterator[Sequence[Subject]]:
        after: str | None = None
        while page := self._stores.subjects.page(after, _PAGE):
            yield page
            after = page[-1].id

    def _again(self, names: Sequence[str]) -> Iterator[Sequence[Subject]]:
        for start in range(0, len(names), _PAGE):
            yield list(self._stores.subjects.of(names[start : start + _PAGE]).values())

    def _compare_all(
        self, pages: Iterable[Sequence[Subject]], verdict: Verdict, tell: Tell, *, repair: bool
    ) -> list[str]:
        """Compare notifications with their tallies. Returns those that differ and are marked."""
        unsettled: list[str] = []
        for page in pages:
            for name, wrong in self._compare([subject.id for subject in page], verdict):
                if wrong is None:
                    unsettled.append(name)
                    continue
                verdict.differences += 1
                tell(wrong)
                if repair:
                    self._repair(name)
        return unsettled

    def _compare(self, names: Sequence[str], verdict: Verdict) -> Iterator[tuple[str, Difference | None]]:
        """Those of `names` that differ, and how; None: that they do says nothing, as they are marked."""
        stores = self._stores
        with stores.snapshots.session() as snapshot:
            marked = {name for mark in stores.changes.marks(session=snapshot) for name in mark.notifications}
            subjects = stores.subjects.of(names, snapshot)
            brief = [name for name, subject in subjects.items() if subject.recipients <= BRIEF]
            recounted = stores.recount.of(brief, snapshot)
            tallies = stores.tallies.of(list(subjects), snapshot)
            for name, subject in subjects.items():
                parts = recounted[name] if name in recounted else self._large(name, snapshot)
                counted = [part for chunk in tallies[name] for part in chunk.parts]
                wrong = between(f"notification {name}", counted, [*parts, *subject.erased])
                if wrong is not None and name in marked:
                    yield name, None
                    continue
                verdict.notifications += 1
                verdict.entries += entries_of(parts)
                if wrong is not None:
                    yield name, wrong

    def _large(self, notification: str, snapshot: Snapshot) -> list[Part]:
        """The parts of a notification of any size."""
        parts: list[Part] = []
        after: str | None = ""
        while after is not None:
            to = self._stores.recount.boundary(notification, after, SIZE, snapshot)
            parts = merged([*parts, *self._stores.recount.between(notification, after, to, snapshot)])
            after = to
        return parts

    def _repair(self, notification: str) -> None:
        """Count it as if for the first time. Where that is broken off, its mark has it counted."""
        counts, lease = self._stores.counts, self._lease
        with self._stores.journal.changing([notification]), lease.awaited(self._pause):
            going_on, number = counts.forget(notification, lease.owner), ERASED
            while going_on:
                counted = counts.count_chunk(notification, number, lease.owner, lease.now())
                going_on, number = counted is not None and not counted.last, number + 1
        log.info("statistics of a notification repaired", notification_id=notification)
