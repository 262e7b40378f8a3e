"""One rate of a channel, shared by all workers that send; and one circuit breaker, that of all of them.

About every half second a worker says whether it sends, learns how many others do and how fast all may, and takes an
equal part. When nothing gets through, the channel is paused for all workers; after each pause one of them sends a few
messages to see whether it still is so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event
from time import monotonic

import structlog

from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Outcome
from notify_server.domain.pace import Limits, Pace
from notify_server.domain.registry import Reason
from notify_server.services.allowance import Allowance
from notify_server.services.holder import Holder
from notify_server.services.refusals import Refusals
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers

log = structlog.get_logger()

_ALIVE = timedelta(seconds=3)  # how long a report counts
_LONGEST_LOOK = 2.0  # seconds that count as time of use at once: a process that stood still sent nothing meanwhile
_MISSES = 3  # dispatches in a row without any success, until the channel counts as broken …
_MISSED = 10  # … if they had so many messages: a few single ones may have bad luck
_UNANSWERED = frozenset({Reason.UNAVAILABLE, Reason.CONNECTION_LOST})
_BROKEN = (Reason.CREDENTIAL_REFUSED, Reason.TLS_FAILED, Reason.SENDER_REFUSED)  # once is enough: a person must act
_UNPROVEN = _UNANSWERED | {*_BROKEN, Reason.DEVICE_RATE}  # not a word of the provider that it works


@dataclass(frozen=True, slots=True)
class Shared:
    """What all workers read and write."""

    paces: Paces
    workers: Workers


class Governor:
    """Paces one channel for one worker. Safe for many threads."""

    def __init__(
        self,
        shared: Shared,
        limits: Limits,
        holder: Holder,
        ticks: Callable[[], float] = monotonic,
        channel: Channel = Channel.PUSH,
    ) -> None:
        self._channel = channel
        self._shared = shared
        self._limits = limits
        self._holder = holder
        self._pace = Pace()
        self.sharers = 1  # workers among which the rate is divided, this one included
        self.alone = True  # no other worker lives
        self._allowance = Allowance(limits.start, ticks, lambda: self.paused)
        self._sending = False  # as it was last reported
        self._begun = Event()
        self._refusals = Refusals()
        self._missed: list[int] = []  # messages of each dispatch in a row without any success

    def rest(self, seconds: float) -> None:
        """Wait for the next `refresh`: `seconds`, or less when this worker begins to send, which others should know."""
        self._begun.wait(seconds)
        self._begun.clear()

    def refresh(self) -> None:
        """Report to the others and take this worker's part anew; to be called as often as `rest` returns."""
        demand, now = self._allowance.demand(), self._holder.now()
        self._sending = sending = demand.asked
        paces, workers = self._shared.paces, self._shared.workers
        workers.report(self._holder.owner, now, now + _ALIVE, sending=sending)
        if demand.used:
            used = min(demand.seconds, _LONGEST_LOOK)
            self._pace = paces.change(self._channel, lambda pace: pace.busy(self._limits, now, used))
        else:
            self._pace = paces.get(self._channel)
        alive = workers.alive(now)
        self.alone = alive <= 1
        # Whoever may begin at any moment reckons with all others doing so as well.
        self.sharers = max(workers.sending(now) if sending else alive, 1)
        self._divide()

    @property
    def paused(self) -> bool:
        """Whether nothing may be sent for now: then nothing is to be leased."""
        return self._pace.paused(self._holder.now())

    def take(self, messages: int, *, urgent: bool) -> bool:
        """Wait until `messages` more may be sent; False when the worker stops or the channel is paused instead."""
        if not self._sending:
            self._begun.set()
        return self._allowance.borrow(messages) if urgent else self._allowance.save(messages)

    def refund(self, messages: int) -> None:
        """Take back so many of what was taken; less than 0: so many more were sent."""
        self._allowance.refund(messages)

    def probe(self) -> str | None:
        """After a pause: the right to send a few messages, for one of all workers; None: no need, or no right."""
        if not self._pace.failures or self.paused:
            return None
        name = token_hex(8)
        takes = self._limits.probe
        self._change(f"{self._channel} channel probed", lambda pace: pace.probed(name, self._holder.now(), takes))
        return name if self._pace.prober == name else None

    def observe(self, outcomes: Sequence[Outcome], probe: str | None = None) -> None:
        """Learn from the outcomes of one dispatch. While the channel is broken, only those of a probe count."""
        reasons = {outcome.reason for outcome in outcomes}
        if self._refusals.too_many(outcomes):
            self._change("quota exceeded", lambda pace: pace.throttled(self._holder.now()))
        if reasons - _UNPROVEN:
            self._missed.clear()
            if probe:
                self._change(f"{self._channel} channel works again", Pace.healed)
        elif probe or not self._pace.failures:
            self._miss(reasons, len(outcomes), probe)

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._allowance.stop()
        self._begun.set()

    def leave(self) -> None:
        """Leave the others our part."""
        self._shared.workers.leave(self._holder.owner)

    def _miss(self, reasons: set[Reason | None], messages: int, probe: str | None) -> None:
        if broken := next((reason for reason in _BROKEN if reason in reasons), None):
            self._break(broken, probe)
        elif reasons & _UNANSWERED:
            self._missed.append(messages)
            if probe or (len(self._missed) >= _MISSES and sum(self._missed) >= _MISSED):
                self._break(Reason.UNAVAILABLE, probe)
        elif probe:
            self._change(
                f"{self._channel} channel probed in vain", lambda pace: pace.unprobed(probe, self._holder.now())
            )

    def _break(self, reason: Reason, probe: str | None) -> None:
        self._missed.clear()
        self._change(f"{self._channel} channel paused", lambda pace: pace.broken(reason, self._holder.now(), probe))

    def _change(self, event: str, change: Callable[[Pace], Pace]) -> None:
        before = self._pace
        self._pace = after = self._shared.paces.change(self._channel, change)
        self._divide()
        if after != before:
            log.warning(event, reason=after.reason, since=_shown(after.paused_at), until=_shown(after.paused_until))

    def _divide(self) -> None:
        self._allowance.change(self._pace.rate(self._limits, self._holder.now()) / self.sharers)


def _shown(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
