"""Marks: what a process writes into the journal `changes` before it changes entries of the registry.

One mark serves all that a process changes of a notification within some seconds, so large ones cost nothing, and one
serves all the notifications of a write, so brief ones cost little.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock

from notify_server.storage import server_clock
from notify_server.storage.changes import COLLECTION
from notify_server.storage.database import ping
from notify_server.storage.documents import Store, object_id
from notify_server.storage.server_clock import since_boot

HOLD = 10.0  # seconds for which a mark holds
SOON = 5.0  # seconds that a write has at least before the mark it goes by runs out
LONG = 95.0  # seconds that a mark holds for a write of any length: longer than anybody waits for one


class Journal:
    """The marks of one process. Safe for many threads."""

    def __init__(self, database: Store, ticks: Callable[[], float] = since_boot) -> None:
        self._database = database
        self._all = database[COLLECTION]
        self._ticks = ticks
        self._lock = Lock()
        self._marked: set[str] = set()  # within SOON before `_renewed`
        self._renewed = 0.0

    @contextmanager
    def changing(self, notifications: Iterable[str]) -> Iterator[None]:
        """Entries of `notifications` may be changed inside, which should take less than SOON seconds.

        Where it took longer, they are marked once more: they may have been counted meanwhile.
        """
        begun, names = self._ticks(), set(notifications)
        self._mark(self._unmarked(names, begun), HOLD)
        try:
            yield
        finally:
            if self._ticks() - begun > SOON:
                self._mark(names, HOLD)

    @contextmanager
    def changing_all(self, notification: str) -> Iterator[None]:
        """Any number of entries of `notification` may be changed inside."""
        begun = self._ticks()
        self._mark({notification}, LONG)
        try:
            yield
        finally:
            if self._ticks() - begun > LONG - SOON:
                self._mark({notification}, HOLD)

    def _unmarked(self, names: set[str], now: float) -> set[str]:
        """Those that no mark covers for SOON seconds more. What is remembered is at most SOON old."""
        with self._lock:
            if now - self._renewed > HOLD - SOON:
                self._marked, self._renewed = set(), now
            return names - self._marked

    def _mark(self, names: set[str], hold: float) -> None:
        if not names:
            return
        begun = self._ticks()
        clock = server_clock.of(self._database)
        if not clock.known:
            ping(self._database)
        self._all.insert_one({"ns": [object_id(name) for name in names], "at": clock.now(), "hold": hold})
        with self._lock:
            if 0 <= begun - self._renewed <= HOLD - SOON:
                self._marked |= names
