"""Keeping the statistics right: what the journal says has changed is counted again.

A notification is counted once its oldest mark has run out. Where it has younger ones too it waits for them, but not for
long: all of it is counted again for each. A mark goes when what it names was counted after it ran out. So whatever a
crash leaves undone is still marked, and counted by the next one. The mark under which entries are entered holds for
minutes; brief notifications are counted when it has run out, once for all that came until then. Large ones are counted
meanwhile as well, as too many would miss them.

A notification that cannot be counted is tried again ever more rarely, alone: it holds up nobody else.

Counting backs off by itself. It takes a small share of one core, a few times as much where it has fallen behind; and a
large notification that took some time to count is not counted again before many times that time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import structlog

from notify_server import failpoints, metrics
from notify_server.errors import DatabaseUnavailable
from notify_server.services.counting_groups import groups, is_brief
from notify_server.services.counting_lease import CountingLease
from notify_server.services.postponed import Postponed
from notify_server.storage.changes import Changes, Mark
from notify_server.storage.counts import Counted, Counts
from notify_server.storage.journal import HOLD
from notify_server.storage.server_clock import since_boot
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import ERASED

log = structlog.get_logger()

SHARE = 0.05  # of the time of one core
_SLICE = 0.25  # seconds of work in one run
_HURRY = 60.0  # seconds of lag by which the share grows once more, up to so many times:
_MOST = 4
_PATIENCE = 60.0  # seconds that a mark waits at most for younger ones
_APART = 20  # times the time it took to count a large notification, before which it is not counted again
_MARKS = 20_000  # marks read in one run, and
_NAMES = 200_000  # what they name; of that are
_DUE = 5_000  # counted at most


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

    `due` by the age of their marks, which is `waited` at most; and the marks that a count of each covers.
    """

    due: Sequence[str]
    marks: Mapping[str, Sequence[Mark]]
    waited: float
    counted: int = 0  # entries
    settled: dict[str, tuple[Mark, list[str]]] = field(default_factory=dict)

    def settle(self, names: Iterable[str]) -> None:
        for name in names:
            self.settle_by(name, self.marks.get(name, ()))

    def settle_by(self, name: str, marks: Sequence[Mark]) -> None:
        for mark in marks:
            self.settled.setdefault(mark.id, (mark, []))[1].append(name)


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
        self._postponed = Postponed()
        self._looked_at = set[str]()  # marks whose large notifications are known:
        self._under_way: dict[str, float] = {}  # until when those are counted before their mark has run out
        self._large: _Large | None = None
        self._rest_until = 0.0
        self._lags = False  # whether the metric says so

    def count(self) -> int:
        """Count for a moment what is due. Returns how many entries were counted."""
        now = self._ticks.now()
        if now < self._rest_until:
            return 0
        begun = self._ticks.worked()
        turn = self._turn(now)
        if not turn.due and self._large is None:
            return 0
        try:
            with self._lease.held() as held:
                if held:
                    self._work(turn, begun)
        finally:
            spent = self._ticks.worked() - begun
            metrics.COUNTED.inc(turn.counted)
            metrics.COUNTING_SECONDS.inc(spent)
            self._rest_until = self._ticks.now() + spent * (1 / self._allowed(turn) - 1)
        return turn.counted

    def stand_by(self) -> None:
        """Another process leads: how far it has come is for that one to say."""
        if self._lags:
            self._lags = False
            metrics.COUNTING_LAG.set(0)

    def _turn(self, now: float) -> _Turn:
        """Which notifications are due, those first whose marks were seen first."""
        marks = self._changes.marks(_MARKS, most=_NAMES)
        self._seen = {mark.id: self._seen.get(mark.id, now) for mark in marks}
        metrics.COUNTING_LAG.set(max((self._lease.now() - mark.at).total_seconds() for mark in marks) if marks else 0)
        self._lags = bool(marks)
        over = [mark for mark in marks if now - self._seen[mark.id] >= mark.hold]
        over.sort(key=lambda mark: self._seen[mark.id])
        young = {name for mark in marks if now - self._seen[mark.id] < mark.hold for name in mark.notifications}
        self._postponed.look(now)
        self._find_large([mark for mark in marks if HOLD <= now - self._seen[mark.id] < mark.hold], now)
        due: dict[str, list[Mark]] = {}
        waited = 0.0
        for mark in over:
            patient = now - self._seen[mark.id] < mark.hold + _PATIENCE
            waiting = young if patient else set[str]()
            ready = [n for n in mark.notifications if n not in waiting and n not in self._postponed]
            ready = ready[: _DUE - len(due)]
            due |= {name: [] for name in ready}
            waited = max(waited, now - self._seen[mark.id] if ready else 0)
        due |= {name: [] for name in self._under_way if name not in self._postponed}
        for mark in over:
            for name in due.keys() & set(mark.notifications):
                due[name].append(mark)
        return _Turn(list(due), due, waited)

    def _find_large(self, marks: Sequence[Mark], now: float) -> None:
        """Note the large ones of marks that hold long; the rest waits until they have run out."""
        self._under_way = {name: until for name, until in self._under_way.items() if until > now}
        until = {n: self._seen[m.id] + m.hold for m in marks if m.id not in self._looked_at for n in m.notifications}
        self._looked_at = {mark.id for mark in marks}
        names = list(until)
        for start in range(0, len(names), _DUE):
            for name, subject in self._subjects.of(names[start : start + _DUE]).items():
                if not is_brief(subject):
                    self._under_way[name] = until[name]

    def _allowed(self, turn: _Turn) -> float:
        """The share of a core that counting takes: the longer what is due has waited, the more."""
        return min(1.0, self._share * min(_MOST, 1 + max(0.0, turn.waited - _PATIENCE) / _HURRY))

    def _work(self, turn: _Turn, begun: float) -> None:
        """Count what is due; what was counted is settled whatever happens to the rest."""
        known = self._subjects.of(turn.due)
        turn.settle(name for name in turn.due if name not in known)  # gone, or retired: there is nothing to count
        brief = [known[name] for name in turn.due if name in known and is_brief(known[name])]
        large = [name for name in turn.due if name in known and not is_brief(known[name])]
        suspects = self._postponed.suspects(subject.id for subject in brief)
        together = groups([subject for subject in brief if subject.id not in suspects])
        try:
            large += self._work_on_brief(turn, [*together, *([name] for name in suspects)], begun, bool(large))
            self._work_on_large(turn, large, begun)
            failpoints.passes("counting.committed")
        finally:
            self._changes.settle(turn.settled.values())

    def _work_on_brief(self, turn: _Turn, together: Sequence[Sequence[str]], begun: float, large: bool) -> list[str]:
        """Count them, for half of the time where there are large ones too. Returns those that have chunks already."""
        share = 0.5 if large or self._large else 1.0
        chunked: list[str] = []
        for group in together:
            if self._ticks.worked() - begun > _SLICE * share:
                break
            done = self._count_together(group)
            if done is None:
                break
            turn.counted += sum(done.entries.values())
            turn.settle(done.entries)
            chunked += done.chunked
        return chunked

    def _count_together(self, names: Sequence[str]) -> Counted | None:
        """Count these in one transaction, or by themselves where that fails; None: the lease is lost."""
        try:
            done = self._counts.count_brief(names, self._lease.owner, self._lease.now())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one is not to stop the others
            if len(names) == 1 or isinstance(error, DatabaseUnavailable):
                self._fail(names, error)
                return Counted()
            entries, chunked = dict[str, int](), list[str]()
            for each in [self._count_together([name]) for name in names]:
                entries |= each.entries if each else {}
                chunked += each.chunked if each else ()
            return Counted(entries, chunked)
        if done is not None:
            self._postponed.succeed(names)
        return done

    def _fail(self, names: Sequence[str], error: Exception) -> None:
        """Put off what could not be counted. Raises what says that the database is away, or was kept for too long."""
        self._postponed.fail(names, self._ticks.now())
        if isinstance(error, DatabaseUnavailable):
            raise error
        metrics.COUNTING_FAILED.inc(len(names))
        log.error("a notification cannot be counted", notification_id=names[0], exc_info=error)

    def _work_on_large(self, turn: _Turn, names: Sequence[str], begun: float) -> None:
        """Go on with the large one that was begun, and with the next: one chunk at least, where there is any."""
        waiting = (name for name in names if name not in self._postponed)
        while True:
            if self._large is None:
                name = next(waiting, None)
                if name is None:
                    return
                self._large = _Large(name, turn.marks[name])
            if not self._count_chunk(turn, self._large) or self._ticks.worked() - begun > _SLICE:
                return

    def _count_chunk(self, turn: _Turn, large: _Large) -> bool:
        """Count the next chunk, after the last of which this one waits; False: the lease is lost."""
        at = self._ticks.worked()
        try:
            done = self._counts.count_chunk(large.name, large.number, self._lease.owner, self._lease.now())
        except Exception as error:  # noqa: BLE001 - as above
            self._large = None
            self._fail([large.name], error)
            return True
        if done is None:
            return False
        large.number, large.spent = large.number + 1, large.spent + self._ticks.worked() - at
        turn.counted += done.entries
        if done.last:
            turn.settle_by(large.name, large.marks)
            pause = _PATIENCE if large.name in self._under_way else 0.0
            self._postponed.succeed([large.name])
            self._postponed.put_off(large.name, self._ticks.now() + max(pause, _APART * large.spent))
            self._large = None
        return True
