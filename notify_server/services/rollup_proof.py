"""The proof that each roll-up is the sum of what was counted: all of them are made anew, while nobody counts."""

from collections.abc import Callable
from time import sleep

from notify_server.domain.statistics import Labels, Part
from notify_server.services.counting_lease import CountingLease
from notify_server.services.verdict import Difference, Tell, Verdict
from notify_server.storage.rollup_check import RollupCheck
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import Chunk, Tallies

_CHUNKS = 500  # tallies added up at once


class RollupProof:
    """Compares roll-ups with the sum of tallies and archive."""

    def __init__(
        self,
        rollups: RollupCheck,
        tallies: Tallies,
        subjects: Subjects,
        lease: CountingLease,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._rollups = rollups
        self._tallies = tallies
        self._subjects = subjects
        self._lease = lease
        self._pause = pause

    def compare(self, verdict: Verdict, tell: Tell, *, repair: bool) -> None:
        """Compare them all; what differs is told, and repaired where that is asked for. Raises Conflict."""
        with self._lease.awaited(self._pause):
            for _ in self._rollups.begin():
                self._lease.extend()
            self._add_up(verdict, tell, repair=repair)
            for unequal in self._rollups.unequal():
                self._lease.extend()
                if unequal is None:
                    continue
                verdict.differences += 1
                tell(Difference(_named(unequal.key), unequal.found, unequal.expected))
                if repair:
                    self._lease.extend()
                    self._rollups.correct(unequal)
            verdict.rollups += self._rollups.end()

    def _add_up(self, verdict: Verdict, tell: Tell, *, repair: bool) -> None:
        """Make the roll-ups anew. A tally of what is not there any more counts for nothing."""
        after: tuple[str, int] | None = None
        while chunks := self._tallies.page(after, _CHUNKS):
            self._lease.extend()
            subjects = self._subjects.of({chunk.notification for chunk in chunks})
            parts: list[tuple[Labels, Part]] = []
            for chunk in chunks:
                if chunk.notification in subjects:
                    labels = subjects[chunk.notification].labels
                    parts += [(labels, part) for part in chunk.parts]
                else:
                    self._orphan(chunk, verdict, tell, repair=repair)
            for _ in self._rollups.add(parts):
                self._lease.extend()
            after = chunks[-1].notification, chunks[-1].number

    def _orphan(self, chunk: Chunk, verdict: Verdict, tell: Tell, *, repair: bool) -> None:
        verdict.differences += 1
        what = f"tally {chunk.number} of notification {chunk.notification}, which is gone"
        tell(Difference(what, {"parts": len(chunk.parts)}, {"parts": 0}))
        if repair:
            self._tallies.drop(chunk)


def _named(key: dict[str, str | None]) -> str:
    narrowed = "" if key["c"] is None else f", category {key['c']}"
    return f"{key['g']} {key['p']} of {key['k']} {key['v']}{narrowed}".replace(" all ", " all")
