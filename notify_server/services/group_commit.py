"""Group commit: what many threads want to write at the same moment is written at once.

While one write is on its way, those who come meanwhile wait and make up the next one. Nobody waits for company: alone,
a write begins at once (PostgreSQL: "Asynchronous Commit" and commit_delay describe the same for its log).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_MOST = 100  # items in one write


@dataclass(eq=False, slots=True)
class _Ticket(Generic[T, R]):
    """What one thread wants written. When `called`, it is over, or else it is this thread's turn to write."""

    item: T
    called: Event = field(default_factory=Event)
    over: bool = False
    result: list[R] = field(default_factory=list)
    error: Exception | None = None


class GroupCommit(Generic[T, R]):
    """`write` takes some items and gives a result for each, in their order. Safe for many threads."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._lock = Lock()
        self._waiting: list[_Ticket[T, R]] = []
        self._writing = False

    def submit(self, item: T) -> R:
        """Write `item`, together with those of other threads; its result. Raises what its write raised."""
        mine: _Ticket[T, R] = _Ticket(item)
        with self._lock:
            self._waiting.append(mine)
            leads, self._writing = not self._writing, True
        if not leads:
            mine.called.wait()
        if not mine.over:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.result[0]

    def _lead(self) -> None:
        """Write what waits, this thread's own item first; then it is the turn of who came meanwhile."""
        with self._lock:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            for ticket, result in zip(group, self._write([ticket.item for ticket in group]), strict=True):
                ticket.result.append(result)
        except Exception as error:  # noqa: BLE001 - each thread raises it
            for ticket in group:
                ticket.error = error
        with self._lock:
            following = self._waiting[:1]
            self._writing = bool(following)
        for ticket in group:
            ticket.over = True
        for ticket in [*group, *following]:
            ticket.called.set()
