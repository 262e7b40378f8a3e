"""One project-wide rate, shared by all workers that send: each takes its part by a token bucket of its own.

About every second a worker says whether it sends, learns how many others do and how fast all may, and takes an
equal part. What is urgent never waits behind a broadcast: it borrows from the broadcast's future, up to a second's
part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition
from time import monotonic

import structlog

from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.pace import Limits, Pace
from notify_server.domain.registry import Reason
from notify_server.services.holder import Holder
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers

log = structlog.get_logger()

_ALIVE = timedelta(seconds=3)  # how long a report counts
_BURST = 0.1  # seconds of the rate that an idle worker may send at once
_LOOK = 0.5  # seconds after which a waiting sender looks again, come what may
_MISSES = 3  # dispatches in a row without any success, until the channel counts as broken
_BREAKING = frozenset({Reason.UNAVAILABLE, Reason.CONNECTION_LOST})


@dataclass(frozen=True, slots=True)
class Shared:
    """What all workers read and write."""

    paces: Paces
    workers: Workers


class Governor:
    """Paces the push channel for one worker. Safe for many threads."""

    def __init__(self, shared: Shared, limits: Limits, holder: Holder, ticks: Callable[[], float] = monotonic) -> None:
        self._shared = shared
        self._limits = limits
        self._holder = holder
        self._ticks = ticks
        self._changed = Condition()
        self._pace = Pace()
        self._part = Pace().rate(limits, holder.now())
        self._tokens = 0.0
        self._filled_at = ticks()
        self.sharers = 1  # workers that send at the moment, this one included
        self._sending = False
        self._misses = 0
        self._stopped = False

    def refresh(self) -> None:
        """Report to the others and take this worker's part anew; to be called about every second."""
        sending, now = self._sending, self._holder.now()
        self._sending = False
        paces, workers = self._shared.paces, self._shared.workers
        workers.report(self._holder.owner, now, now + _ALIVE, sending=sending)
        pace = paces.change(Channel.PUSH, lambda pace: pace.busy(now)) if sending else paces.get(Channel.PUSH)
        self.sharers = workers.sending(now) + (not sending)
        with self._changed:
            self._fill()
            self._pace, self._part = pace, pace.rate(self._limits, now) / self.sharers
            self._changed.notify_all()

    @property
    def paused(self) -> bool:
        """Whether the channel is broken for now: then nothing is to be leased."""
        return self._pace.paused(self._holder.now())

    def take(self, messages: int, *, urgent: bool) -> bool:
        """Wait until `messages` more may be sent; False when the worker stops instead."""
        with self._changed:
            while not self._stopped:
                self._sending = True  # who waits for its part needs one too
                self._fill()
                short = (-self._part if urgent else 0.0) - self._tokens
                if short <= 0:
                    self._tokens -= messages
                    return True
                self._changed.wait(min(short / self._part, _LOOK))
            return False

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Learn from the outcomes of one dispatch."""
        reasons = {outcome.reason for outcome in outcomes}
        accepted = any(outcome.kind is not Kind.RETRY for outcome in outcomes)
        if Reason.QUOTA_EXCEEDED in reasons:
            self._change("quota exceeded", lambda pace: pace.throttled(self._holder.now()))
        if accepted:
            self._misses = 0
            if self._pace.failures:
                self._change("push channel works again", Pace.healed)
        elif Reason.CREDENTIAL_REFUSED in reasons:
            self._break(Reason.CREDENTIAL_REFUSED)
        elif reasons & _BREAKING:
            self._misses += 1
            if self._misses >= _MISSES or self._pace.failures:
                self._break(Reason.UNAVAILABLE)

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def leave(self) -> None:
        """Leave the others our part."""
        self._shared.workers.leave(self._holder.owner)

    def _break(self, reason: Reason) -> None:
        self._misses = 0
        self._change("push channel paused", lambda pace: pace.broken(reason, self._holder.now()))

    def _change(self, event: str, change: Callable[[Pace], Pace]) -> None:
        before = self._pace
        after = self._shared.paces.change(Channel.PUSH, change)
        with self._changed:
            self._pace = after
        if after != before:
            log.warning(event, reason=after.reason, until=after.paused_until and after.paused_until.isoformat())

    def _fill(self) -> None:
        now = self._ticks()
        most = max(self._part * _BURST, 1.0)
        self._tokens = min(self._tokens + (now - self._filled_at) * self._part, most)
        self._filled_at = now
