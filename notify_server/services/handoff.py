"""Loads that pass from expansion to delivery inside one worker, without a detour through the database."""

from collections import Counter, deque
from collections.abc import Collection
from threading import Condition

from notify_server.domain.batch import Rank
from notify_server.services.load import Load
from notify_server.storage.signals import EVERYTHING, Work


class Handoff:
    """A short bounded queue a rank, on which dispatchers also wait for other work. Safe for many threads."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._loads: dict[Rank, deque[Load]] = {rank: deque() for rank in Rank}
        self._changed = Condition()
        self._calls = Counter[Work]()
        self._called = False
        self._called_for_small = False
        self._idle = 0  # dispatchers that wait for work of any rank

    def offer(self, load: Load, patience: float) -> bool:
        """Queue `load`; False when there was no room for it within `patience` seconds."""
        queue = self._loads[load[0].batch.rank]
        with self._changed:
            if not self._changed.wait_for(lambda: len(queue) < self._room, patience):
                return False
            queue.append(load)
            self._changed.notify_all()
            return True

    def take(self, *, small: bool = False) -> Load:
        """The most urgent load, or of small audiences only; an empty one where there is none."""
        with self._changed:
            queue = next((queue for rank, queue in self._loads.items() if queue and (rank.small or not small)), None)
            if queue is None:
                return ()
            self._changed.notify_all()
            return queue.popleft()

    @property
    def first(self) -> Rank | None:
        """The most urgent rank of which there is a load; None: there is none."""
        return next((rank for rank, queue in self._loads.items() if queue), None)

    def wake(self, work: Collection[Work] = EVERYTHING) -> None:
        """Tell whoever waits for this work, and of dispatchers one, that there may be some in the database."""
        with self._changed:
            self._calls.update(work)
            if Work.PUSH in work:
                self._called = self._called_for_small = True
            self._changed.notify_all()

    def wake_another(self) -> None:
        """Tell one more dispatcher so: called by one that found some."""
        with self._changed:
            self._called = True
            self._changed.notify_all()

    def calls(self, work: Work) -> int:
        """How often `wake` was called for `work`: pass it to `wait_for_call` so that no call between is missed."""
        return self._calls[work]

    def wait(self, timeout: float) -> None:
        """Return when a load is there, when no other dispatcher has answered the last call, or after `timeout` s."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._called or any(self._loads.values()), timeout)
            self._idle -= 1
            self._called = False
            self._changed.notify_all()

    def wait_for_small(self, timeout: float) -> None:
        """Return when work of a small audience may be there and every dispatcher is busy, or after `timeout` s."""
        with self._changed:
            self._changed.wait_for(lambda: not self._idle and (self._called_for_small or self._small()), timeout)
            self._called_for_small = False

    def _small(self) -> bool:
        return any(queue for rank, queue in self._loads.items() if rank.small)

    def wait_for_call(self, work: Work, calls: int, timeout: float) -> None:
        """Return when `wake` was called for `work` since `calls` was read, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls[work] != calls, timeout)
