"""From expansion to the dispatchers of the same worker: what they have no room for goes back to the queue."""

from time import monotonic
from typing import Protocol

from notify_server.services.handoff import Handoff
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load

_PATIENCE = 0.5  # seconds


class Source(Protocol):
    """Where loads come from: large audiences in rotation, or brief ones."""

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""

    def claim(self) -> bool:
        """Take up more notifications, if any wait."""

    def step(self) -> Load:
        """Expand a page; what is to be sent of it."""


class Feeding:
    """For one thread that expands what `source` has, and looks for more when it is called.

    A page waits `patience` seconds for a dispatcher of this worker, before any worker may have it.
    """

    def __init__(self, source: Source, handoff: Handoff, leasing: Leasing, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._source = source
        self._handoff = handoff
        self._leasing = leasing
        self._heard = -1  # calls, when it was last looked what waits
        self._looked_at = 0.0

    def feed(self, timeout: float) -> None:
        """Expand one page and pass it on. Where nothing waits: wait for a call, or `timeout` seconds."""
        calls = self._handoff.calls
        if self._source.idle or calls != self._heard or monotonic() > self._looked_at + timeout:
            self._heard, self._looked_at = calls, monotonic()
            if not self._source.claim() and self._source.idle:
                self._handoff.wait_for_call(calls, timeout)
                return
        if load := self._source.step():
            self._pass_on(load)
        else:
            self._heard = -1  # an audience is finished: there is room for another

    def _pass_on(self, load: Load) -> None:
        taken = False
        try:
            taken = self._handoff.offer(load, self._patience)
        finally:
            if not taken:
                self._leasing.release(load)
