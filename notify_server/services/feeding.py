"""From expansion to the dispatchers of the same worker: what they have no room for goes back to the queue."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Protocol

from notify_server.services.handoff import Handoff
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load
from notify_server.storage.signals import Work

PATIENCE = 0.5  # seconds
_COMPANY = 0.1  # seconds
_FEW = 20  # notifications


class Source(Protocol):
    """Where loads come from: large audiences in rotation, or brief ones."""

    work: Work  # what it takes up

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""

    def claim(self) -> int:
        """Take up more notifications, if any wait. Returns how many."""

    def step(self) -> Load | None:
        """Expand a page; what is to be sent of it. None: there is none, as an audience is finished."""


class Feeding:
    """For one thread that expands what `source` has, and looks for more when it is called.

    A page waits `patience()` seconds for a dispatcher of this worker, before any worker may have it. While the worker
    is `busy` with something else, looks are a moment apart, unless the last one found many: what came meanwhile is
    expanded together, which costs little more than one of it.
    """

    def __init__(
        self,
        source: Source,
        handoff: Handoff,
        leasing: Leasing,
        patience: Callable[[], float] = lambda: PATIENCE,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._patience = patience
        self._busy = busy
        self._found = 0  # by the last look
        self._source = source
        self._handoff = handoff
        self._leasing = leasing
        self._heard = -1  # calls, when it was last looked what waits
        self._looked_at = 0.0

    def feed(self, timeout: float) -> None:
        """Expand one page and pass it on. Where nothing waits: wait for a call, or `timeout` seconds."""
        if self._source.idle and (early := self._until_company()):
            sleep(early)
        calls = self._handoff.calls(self._source.work)
        called = calls != self._heard and not self._until_company()
        if self._source.idle or called or monotonic() > self._looked_at + timeout:
            self._heard, self._looked_at = calls, monotonic()
            self._found = self._source.claim()
            if not self._found and self._source.idle:
                self._handoff.wait_for_call(self._source.work, calls, timeout)
                return
        load = self._source.step()
        if load is None:
            self._heard = -1  # there is room for another audience
        elif load:
            self._pass_on(load)

    def _until_company(self) -> float:
        """Seconds that the next look is to wait for company."""
        if self._found >= _FEW or not self._busy():
            return 0.0
        return max(0.0, self._looked_at + _COMPANY - monotonic())

    def _pass_on(self, load: Load) -> None:
        taken = False
        try:
            taken = self._handoff.offer(load, self._patience())
        finally:
            if not taken:
                self._leasing.release(load)
