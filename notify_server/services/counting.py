"""Keeping the statistics right: what the journal says has changed is counted again.

A notification is counted once its oldest mark has run out. Where it has younger ones too it waits for them, but not for
long: all of it is counted again for each. A mark goes when what it names was counted after it ran out. So whatever a
crash leaves undone is still marked, and counted by the next one. The mark under which entries are entered holds for
minutes; brief notifications are counted when it has run out, once for all that came until then. Large ones are counted
meanwhile as well, as too many would miss them.

Counting backs off by itself. It takes a small share of one core, a few times as much where it has fallen behind; and a
large notification that took some time to count is not counted again before many times that time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import structlog

from notify_server import failpoints, metrics
from notify_server.services.counting_lease import CountingLease
from notify_server.storage.changes import Changes, Mark
from notify_server.storage.counts import Counts
from notify_server.storage.journal import HOLD
from notify_server.storage.server_clock import since_boot
from notify_server.storage.subjects import Subject, Subjects
from notify_server.storage.tallies import ERASED

log = structlog.get_logger()

SHARE = 0.05  # of the time of one core
_SLICE = 0.25  # seconds of work in one run
_HURRY = 60.0  # seconds of lag by which the share grows once more, up to so many times:
_MOST = 4
_PATIENCE = 60.0  # seconds that a mark waits at most for younger ones
_APART = 20  # times the time it took to count a large notification, before which it is not counted again
_MARKS = 20_000  # marks read in one run
BRIEF = 500  # recipients; larger ones are counted by themselves, chunk by chunk
_TOGETHER = 200  # brief notifications of one transaction
_RECIPIENTS = 2_000  # of all of them


@dataclass(frozen=True, slots=True)
class Ticks:
    """Seconds that go on: `now` for how long marks have lain there, `worked` for how long the work took."""

    now: Callable[[], float] = since_boot
    worked: Callable[[], float] = perf_counter


@dataclass(slots=True)
class _Large:
    """A large notification that is being counted: by these marks, from this chunk on, for so many seconds so far."""

    name: str
    marks: Sequence[Mark]
    number: int = ERASED
    spent: float = 0.0


@dataclass(slots=True)
class _Turn:
    """What one run has to do, and has done.

    `due` by the age of their marks, which is `waited` at most; and the marks that a count of them covers.
    """

    due: Sequence[str]
    marks: Sequence[Mark]
    waited: float
    settled: dict[str, tuple[Mark, list[str]]] = field(default_factory=dict)

    def settle(self, names: set[str], marks: Sequence[Mark] | None = None) -> None:
        for mark in self.marks if marks is None else marks:
            if done := names.intersection(mark.notifications):
                self.settled.setdefault(mark.id, (mark, []))[1].extend(done)


class Counting:
    """Counts for the leader. Any number may do so at once; one at a time gets to it."""

    def __init__(
        self,
        stores: tuple[Changes, Subjects, Counts],
        lease: CountingLease,
        share: float = SHARE,
        ticks: Ticks = Ticks(),
    ) -> None:
        self._changes, self._subjects, self._counts = stores
        self._lease = lease
        self._share = share
        self._ticks = ticks
        self._seen: dict[str, float] = {}  # when this process first saw a mark
        self._not_before: dict[str, float] = {}
        self._looked_at = set[str]()  # marks whose large notifications are known:
        self._under_way: dict[str, float] = {}  # until when those are counted before their mark has run out
        self._large: _Large | None = None
        self._rest_until = 0.0

    def count(self) -> int:
        """Count for a moment what is due. Returns how many entries were counted."""
        now = self._ticks.now()
        if now < self._rest_until:
            return 0
        begun = self._ticks.worked()
        turn = self._turn(now)
        if not turn.due and self._large is None:
            return 0
        with self._lease.held() as held:
            counted = self._work(turn, begun) if held else 0
        spent = self._ticks.worked() - begun
        metrics.COUNTED.inc(counted)
        metrics.COUNTING_SECONDS.inc(spent)
        self._rest_until = self._ticks.now() + spent * (1 / self._allowed(turn) - 1)
        return counted

    def _turn(self, now: float) -> _Turn:
        """Which notifications are due, those first whose marks were seen first."""
        marks = self._changes.marks(_MARKS)
        self._seen = {mark.id: self._seen.get(mark.id, now) for mark in marks}
        metrics.COUNTING_LAG.set(max((self._lease.now() - mark.at).total_seconds() for mark in marks) if marks else 0)
        over = [mark for mark in marks if now - self._seen[mark.id] >= mark.hold]
        over.sort(key=lambda mark: self._seen[mark.id])
        young = {name for mark in marks if now - self._seen[mark.id] < mark.hold for name in mark.notifications}
        self._not_before = {name: until for name, until in self._not_before.items() if until > now}
        due: dict[str, None] = {}
        waited = 0.0
        self._find_large([mark for mark in marks if HOLD <= now - self._seen[mark.id] < mark.hold], now)
        for mark in over:
            patient = now - self._seen[mark.id] < mark.hold + _PATIENCE
            waiting = young if patient else set[str]()
            ready = [n for n in mark.notifications if n not in waiting and n not in self._not_before]
            due |= dict.fromkeys(ready)
            waited = max(waited, now - self._seen[mark.id] if ready else 0)
        due |= dict.fromkeys(n for n in self._under_way if n not in self._not_before)
        return _Turn(list(due), over, waited)

    def _find_large(self, marks: Sequence[Mark], now: float) -> None:
        """Note the large ones of marks that hold long; the rest waits until they have run out."""
        self._under_way = {name: until for name, until in self._under_way.items() if until > now}
        new = [mark for mark in marks if mark.id not in self._looked_at]
        self._looked_at = {mark.id for mark in marks}
        for mark in new:
            for name, subject in self._subjects.of(mark.notifications).items():
                if subject.recipients > BRIEF:
                    self._under_way[name] = self._seen[mark.id] + mark.hold

    def _allowed(self, turn: _Turn) -> float:
        """The share of a core that counting takes: the longer what is due has waited, the more."""
        return min(1.0, self._share * min(_MOST, 1 + max(0.0, turn.waited - _PATIENCE) / _HURRY))

    def _work(self, turn: _Turn, begun: float) -> int:
        """Count brief ones for half of the time where there are large ones too."""
        known = self._subjects.of(turn.due)
        turn.settle(set(turn.due) - known.keys())  # gone, or retired: there is nothing to count
        brief = [known[name] for name in turn.due if name in known and known[name].recipients <= BRIEF]
        large = [name for name in turn.due if name in known and known[name].recipients > BRIEF]
        counted = 0
        share = 0.5 if large or self._large else 1.0
        for group in groups(brief):
            if self._ticks.worked() - begun > _SLICE * share:
                break
            done = self._counts.count_brief(group, self._lease.owner, self._lease.now())
            if done is None:
                break
            counted += sum(done.entries.values())
            turn.settle(set(done.entries))
            large += done.chunked
        counted += self._work_on_large(turn, large, begun)
        failpoints.passes("counting.committed")
        self._changes.settle(turn.settled.values())
        return counted

    def _work_on_large(self, turn: _Turn, names: Sequence[str], begun: float) -> int:
        """Go on with the large one that was begun, and with the next: one chunk at least, where there is any."""
        counted, waiting = 0, iter(names)
        while True:
            if self._large is None:
                name = next((name for name in waiting if name not in self._not_before), None)
                if name is None:
                    return counted
                self._large = _Large(name, turn.marks)
            large, at = self._large, self._ticks.worked()
            done = self._counts.count_chunk(large.name, large.number, self._lease.owner, self._lease.now())
            if done is None:
                return counted
            large.number, large.spent = large.number + 1, large.spent + self._ticks.worked() - at
            counted += done.entries
            if done.last:
                turn.settle({large.name}, large.marks)
                pause = _PATIENCE if large.name in self._under_way else 0.0
                self._not_before[large.name] = self._ticks.now() + max(pause, _APART * large.spent)
                self._large = None
            if self._ticks.worked() - begun > _SLICE:
                return counted


def groups(subjects: Sequence[Subject]) -> Iterator[list[str]]:
    """Their names, in groups that one transaction can take; a large one is a group of its own."""
    names: list[str] = []
    recipients = 0
    for subject in subjects:
        if names and (len(names) == _TOGETHER or recipients + subject.recipients > _RECIPIENTS):
            yield names
            names, recipients = [], 0
        names.append(subject.id)
        recipients += subject.recipients
    if names:
        yield names
