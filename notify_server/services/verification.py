"""The proof that the statistics are right: the registry is counted anew, and all sums are made anew.

First each notification is recounted against its tallies (services/comparison.py). Where it is marked the scheduler has
yet to count it, a difference says nothing, and it is looked at again. Then the roll-ups are compared with the sum of
tallies and archive (services/rollup_proof.py). What differs is repaired where that is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import sleep

import structlog

from notify_server.services.comparison import Comparison
from notify_server.services.counting_chunks import count_chunks
from notify_server.services.counting_lease import CountingLease
from notify_server.services.rollup_proof import RollupProof
from notify_server.services.verdict import Tell, Verdict
from notify_server.storage.counts import Counts
from notify_server.storage.journal import Journal
from notify_server.storage.subjects import Subjects

log = structlog.get_logger()

_PAGE = 200  # notifications compared in one snapshot
_PAUSE = 1.0  # seconds between two looks at what is marked


class Verification:
    """Compares, in flat memory, while the server runs; and repairs. `patience` is in seconds."""

    def __init__(
        self,
        subjects: Subjects,
        comparisons: tuple[Comparison, RollupProof],
        repairs: tuple[Counts, Journal, CountingLease],
        patience: float = 60.0,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._subjects = subjects
        self._comparison, self._rollups = comparisons
        self._counts, self._journal, self._lease = repairs
        self._patience = patience
        self._pause = pause

    def verify(self, tell: Tell, *, repair: bool = False) -> Verdict:
        """Compare everything. Each difference is told when it is found, and then repaired where `repair` is asked for.

        What is marked is looked at again for the time of its patience. Raises Conflict where it cannot stop the
        counting.
        """
        verdict = Verdict()
        unsettled = self._compare(self._pages(), verdict, tell, repair=repair)
        for _ in range(int(self._patience / _PAUSE)):
            if not unsettled:
                break
            self._pause(_PAUSE)
            again = [unsettled[start : start + _PAGE] for start in range(0, len(unsettled), _PAGE)]
            unsettled = self._compare(again, verdict, tell, repair=repair)
        verdict.unsettled = unsettled
        self._rollups.compare(verdict, tell, repair=repair)
        return verdict

    def _pages(self) -> Iterator[Sequence[str]]:
        after: str | None = None
        while page := [subject.id for subject in self._subjects.page(after, _PAGE)]:
            yield page
            after = page[-1]

    def _compare(self, pages: Iterable[Sequence[str]], verdict: Verdict, tell: Tell, *, repair: bool) -> list[str]:
        """Compare notifications with their tallies. Returns those that differ and are marked."""
        unsettled: list[str] = []
        for compared in (each for page in pages for each in self._comparison.page(page)):
            if compared.wrong is not None and compared.marked:
                unsettled.append(compared.name)
                continue
            verdict.notifications += 1
            verdict.entries += compared.entries
            if compared.wrong is not None:
                verdict.differences += 1
                tell(compared.wrong)
                if repair:
                    self._repair(compared.name)
        return unsettled

    def _repair(self, notification: str) -> None:
        """Count it as if for the first time. Where that is broken off, its mark has it counted."""
        with self._journal.changing([notification]), self._lease.awaited(self._pause):
            if self._counts.forget(notification, self._lease.owner):
                count_chunks(self._counts, self._lease, notification)
        log.info("statistics of a notification repaired", notification_id=notification)
