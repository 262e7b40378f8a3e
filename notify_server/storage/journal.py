"""Marks: what a process writes into the journal `changes` before it changes entries of the registry.

Entries are entered under a mark that holds for minutes. As long as a notification is young by its id, whoever changes
its entries relies on that one, and writes none: that is the delivery, and most receipts. Later, one mark serves all
that a process changes of a notification within some seconds, and all the notifications of a write, and of those that
come while another mark is being written.

A mark waits for no majority: it comes before the write in the oplog, so whoever has the write has the mark. Only where
an election comes between the two a mark may be lost and the write be done by the new primary. So marks of before an
election count for nothing, and after a write that met one its notifications are marked again.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock

from bson import Binary
from pymongo import WriteConcern

from notify_server.storage import server_clock
from notify_server.storage.changes import COLLECTION, packed
from notify_server.storage.database import ping
from notify_server.storage.documents import Store
from notify_server.storage.server_clock import since_boot

HOLD = 10.0  # seconds for which a mark holds
SOON = 5.0  # seconds that a write has at least before the mark it goes by runs out
LONG = 95.0  # seconds that a mark holds for a write of any length: longer than anybody waits for one
ENTERED = 180.0  # seconds that a mark holds under which entries are entered
YOUNG = 120.0  # seconds since a notification was accepted for which its entries' own mark serves
_ELSEWHERE = 15.0  # seconds after which every process has heard that the database's clock was set
_SET = 1.0  # seconds by which it must differ to have been set

Existing = Callable[[set[str]], set[str]]


class _Mark:
    """Notifications that wait to be marked together."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.ids = b""
        self.hold = 0.0
        self.written = False


class Journal:
    """The marks of one process. Safe for many threads."""

    def __init__(self, database: Store, ticks: Callable[[], float] = since_boot) -> None:
        self._database = database
        self._confirmed = database[COLLECTION]
        self._quick = self._confirmed.with_options(write_concern=WriteConcern(w=1))
        self._clock = server_clock.of(database)
        self._ticks = ticks
        self._lock = Lock()
        self._writing = Lock()
        self._next = _Mark()
        self._marked: dict[str, float] = {}  # how long their marks hold, which were written since `_renewed`
        self._renewed = 0.0
        self._election: object = None
        self._steady = ticks()  # since when this process has known one primary, whose clock was not set
        self._offset: float | None = None  # of that clock from our ticks

    @contextmanager
    def changing(self, notifications: Iterable[str], existing: Existing | None = None) -> Iterator[None]:
        """Entries of `notifications` may be changed inside, which should take less than SOON seconds.

        Where it took longer, they are marked once more: they may have been counted meanwhile. Where somebody else has
        named them, `existing` says which of them have such an entry, before any is marked: others cost nobody a count.
        One that is entered after that was asked is marked by who enters it, for longer than the change may take.
        """
        names, (ticks, election, now) = set(notifications), self._look()
        with self._lock:
            young = min(YOUNG, ticks - self._steady - _ELSEWHERE)
        grown = {name for name in names if not 0 <= now - _made_at(name) < young}
        with self._marking((names, grown), HOLD, (ticks, election), existing):
            yield

    @contextmanager
    def entering(self, notifications: Iterable[str]) -> Iterator[None]:
        """The same, where entries may be made: others rely on this mark as long as the notifications are young."""
        names, (ticks, election, now) = set(notifications), self._look()
        relied_on = any(now - _made_at(name) < ENTERED for name in names)
        with self._marking((names, names), ENTERED if relied_on else HOLD, (ticks, election)):
            yield

    @contextmanager
    def _marking(
        self,
        names: tuple[set[str], set[str]],
        hold: float,
        when: tuple[float, object],
        existing: Existing | None = None,
    ) -> Iterator[None]:
        """`names`: all, and those to mark. `when`: by ticks, and after which election."""
        everything, to_mark = names
        begun, election = when
        if unmarked := self._unmarked(to_mark, begun, hold):
            self._mark(existing(unmarked) if existing else unmarked, hold)
        try:
            yield
        finally:
            if everything and (self._ticks() - begun > SOON or self._clock.election != election):
                self._mark(existing(everything) if existing else everything, hold)

    @contextmanager
    def changing_all(self, notification: str) -> Iterator[None]:
        """Any number of entries of `notification` may be changed inside."""
        begun, election, _ = self._look()
        self._write(packed([notification]), LONG)
        try:
            yield
        finally:
            if self._ticks() - begun > LONG - SOON or self._clock.election != election:
                self._mark({notification}, HOLD)

    def _look(self) -> tuple[float, object, float]:
        """The ticks, the primary as of its election (None: mongos tells of none), and the database's time of now.

        After an election, or where that clock was set, what was marked and what seems young counts for nothing.
        """
        if not self._clock.known:
            ping(self._database)
        ticks, election, now = self._ticks(), self._clock.election, self._clock.now().timestamp()
        with self._lock:
            if election != self._election or self._offset is None or abs(now - ticks - self._offset) > _SET:
                self._steady, self._election, self._offset, self._marked = ticks, election, now - ticks, {}
        return ticks, election, now

    def _unmarked(self, names: set[str], now: float, hold: float) -> set[str]:
        """Those that no mark of this process covers, for SOON seconds more or for longer, as it was to `hold`."""
        with self._lock:
            if now - self._renewed > HOLD - SOON:
                self._marked, self._renewed = {}, now
            return {name for name in names if self._marked.get(name, 0.0) < hold}

    def _mark(self, names: set[str], hold: float) -> None:
        """Write a mark for `names`, with those of other threads that come while one is being written."""
        if not names:
            return
        ids = packed(names)
        with self._lock:
            ours = self._next
            ours.names |= names
            ours.ids += ids
            ours.hold = max(ours.hold, hold)
        with self._writing:
            if ours.written:
                return
            with self._lock:
                if self._next is ours:
                    self._next = _Mark()
            begun, election = self._ticks(), self._clock.election
            self._write(ours.ids, ours.hold)
            ours.written = True
        with self._lock:
            if 0 <= begun - self._renewed <= HOLD - SOON and election == self._election:
                self._marked |= dict.fromkeys(ours.names, ours.hold)

    def _write(self, ids: bytes, hold: float) -> None:
        collection = self._confirmed if self._clock.election is None else self._quick
        collection.insert_one({"ns": Binary(ids), "at": self._clock.now(), "hold": hold})


def _made_at(notification: str) -> float:
    """The second in which an id was made; of what cannot be one, one long ago."""
    try:
        return int(notification[:8], 16)
    except ValueError:
        return 0.0
