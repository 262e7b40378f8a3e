"""Marks: what a process writes into the journal `changes` before it changes entries of the registry.

One mark serves all that a process changes of a notification within some seconds, so large ones cost nothing. One serves
all the notifications of a write, and of those that come while another mark is being written: brief ones cost little.

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


class _Mark:
    """Notifications that wait to be marked together."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.ids = b""
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
        self._marked: set[str] = set()  # since `_renewed`, in the time of this primary
        self._renewed = 0.0
        self._election: object = None

    @contextmanager
    def changing(self, notifications: Iterable[str]) -> Iterator[None]:
        """Entries of `notifications` may be changed inside, which should take less than SOON seconds.

        Where it took longer, they are marked once more: they may have been counted meanwhile.
        """
        begun, election, names = self._ticks(), self._elected(), set(notifications)
        if unmarked := self._unmarked(names, begun, election):
            self._mark(unmarked)
        try:
            yield
        finally:
            if self._ticks() - begun > SOON or self._clock.election != election:
                self._mark(names)

    @contextmanager
    def changing_all(self, notification: str) -> Iterator[None]:
        """Any number of entries of `notification` may be changed inside."""
        begun, election = self._ticks(), self._elected()
        self._write(packed([notification]), LONG)
        try:
            yield
        finally:
            if self._ticks() - begun > LONG - SOON or self._clock.election != election:
                self._mark({notification})

    def _elected(self) -> object:
        """The primary of now, as of its election; None where nobody knows (mongos tells nothing of it)."""
        if not self._clock.known:
            ping(self._database)
        return self._clock.election

    def _unmarked(self, names: set[str], now: float, election: object) -> set[str]:
        """Those that no mark covers for SOON seconds more."""
        with self._lock:
            if now - self._renewed > HOLD - SOON or election != self._election:
                self._marked, self._renewed, self._election = set(), now, election
            return names - self._marked

    def _mark(self, names: set[str]) -> None:
        """Write a mark for `names`, with those of other threads that come while one is being written."""
        ids = packed(names)
        with self._lock:
            ours = self._next
            ours.names |= names
            ours.ids += ids
        with self._writing:
            if ours.written:
                return
            with self._lock:
                if self._next is ours:
                    self._next = _Mark()
            begun, election = self._ticks(), self._clock.election
            self._write(ours.ids, HOLD)
            ours.written = True
        with self._lock:
            if 0 <= begun - self._renewed <= HOLD - SOON and election == self._election:
                self._marked |= ours.names

    def _write(self, ids: bytes, hold: float) -> None:
        collection = self._confirmed if self._clock.election is None else self._quick
        collection.insert_one({"ns": Binary(ids), "at": self._clock.now(), "hold": hold})
