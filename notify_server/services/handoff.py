"""Loads that pass from expansion to delivery inside one worker, without a detour through the database."""

from collections import deque
from threading import Condition

from notify_server.domain.batch import Rank
from notify_server.services.load import Load


class Handoff:
    """A short bounded queue a rank, on which dispatchers also wait for other work. Safe for many threads."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._loads: dict[Rank, deque[Load]] = {rank: deque() for rank in Rank}
        self._changed = Condition()
        self._calls = 0
        self._called = False

    def offer(self, load: Load, patience: float) -> bool:
        """Queue `load`; False when there was no room for it within `patience` seconds."""
        queue = self._loads[load[0].batch.rank]
        with self._changed:
            if not self._changed.wait_for(lambda: len(queue) < self._room, patience):
                return False
            queue.append(load)
            self._changed.notify_all()
            return True

    def take(self) -> Load:
        """The most urgent load; an empty one where there is none."""
        with self._changed:
            queue = next((queue for queue in self._loads.values() if queue), None)
            if queue is None:
                return ()
            self._changed.notify_all()
            return queue.popleft()

    def wake(self) -> None:
        """Tell the expander and one dispatcher that there may be work in the database."""
        with self._changed:
            self._calls += 1
            self._called = True
            self._changed.notify_all()

    def wake_another(self) -> None:
        """Tell one more dispatcher so: called by one that found some."""
        with self._changed:
            self._called = True
            self._changed.notify_all()

    @property
    def calls(self) -> int:
        """How often `wake` was called: pass it to `wait_for_call` so that no call between is missed."""
        return self._calls

    def wait(self, timeout: float) -> None:
        """Return when a load is there, when no other dispatcher has answered the last call, or after `timeout` s."""
        with self._changed:
            self._changed.wait_for(lambda: self._called or any(self._loads.values()), timeout)
            self._called = False

    def wait_for_call(self, calls: int, timeout: float) -> None:
        """Return when `wake` was called since `calls` was read, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls != calls, timeout)
