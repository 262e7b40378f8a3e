"""From expansion to the dispatchers of the same worker: what they have no room for goes back to the queue."""

from collections.abc import Callable
from time import monotonic

from notify_server.services.handoff import Handoff
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load
from notify_server.services.rotation import Rotation

_PATIENCE = 0.5  # seconds


class Feeding:
    """For the one thread that expands, which looks for more when it is called; `stopping` says when it is to end.

    A page waits `patience` seconds for a dispatcher of this worker, before any worker may have it.
    """

    def __init__(
        self,
        rotation: Rotation,
        handoff: Handoff,
        leasing: Leasing,
        stopping: Callable[[], bool],
        patience: float = _PATIENCE,
    ) -> None:
        self._patience = patience
        self._rotation = rotation
        self._handoff = handoff
        self._leasing = leasing
        self._stopping = stopping
        self._heard = -1  # calls, when it was last looked what waits
        self._looked_at = 0.0

    def feed(self, timeout: float) -> None:
        """Expand one page, or some brief audiences, and pass it on. Where nothing waits: for a call or `timeout` s."""
        calls = self._handoff.calls
        if self._rotation.idle or calls != self._heard or monotonic() > self._looked_at + timeout:
            self._heard, self._looked_at = calls, monotonic()
            if not self._rotation.claim() and self._rotation.idle:
                self._handoff.wait_for_call(calls, timeout)
                return
        if load := self._rotation.step():
            self._pass_on(load)
        else:
            self._heard = -1  # an audience is finished: there is room for another

    def _pass_on(self, load: Load) -> None:
        taken = False
        try:
            taken = self._offer(load)
        finally:
            if not taken:
                self._leasing.release(load)

    def _offer(self, load: Load) -> bool:
        """Whether a dispatcher had room for `load` in time. Brief audiences that come up need not wait for that."""
        until, calls = monotonic() + self._patience, self._handoff.calls
        while not self._handoff.offer(load, until - monotonic(), calls):
            if monotonic() >= until or self._stopping():
                return False
            calls = self._handoff.calls
            self._rotation.claim()
            if (brief := self._rotation.step(small=True)) and not self._handoff.offer(brief, 0):
                self._leasing.release(brief)
        return True
