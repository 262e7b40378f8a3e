"""How fast a channel may be sent to: the project's quota, the ramp from idle, and what refusals do to it.

Pure: the shared state goes in with a time, and a rate or a new state comes out. Rates are in messages per second.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from notify_server.domain.registry import Reason

START = 0.1  # of the full rate, at the beginning of a ramp and at the worst of a throttling
GRACE = timedelta(seconds=2)  # without a report, until the ramp falls: reports may be late
RECOVERY = timedelta(seconds=60)  # from a throttling back to the full rate
THROTTLE_AT_MOST = timedelta(seconds=5)  # several refusals within this count as one
FIRST_PAUSE = timedelta(seconds=10)
LAST_PAUSE = timedelta(seconds=60)
PROBE = timedelta(seconds=20)  # that a probe may take: longer than a request to FCM, which times out after 15
_NONE = timedelta()


class Condition(StrEnum):
    """How a channel does, in one word."""

    WORKING = "working"
    THROTTLED = "throttled"  # the provider's quota was exceeded: slower, for a while
    PAUSED = "paused"  # nothing gets through: only a probe is sent now and then


@dataclass(frozen=True, slots=True)
class Limits:
    """What is configured: the project's quota, how long the ramp up to it takes (seconds), and a probe at most."""

    rate: float
    ramp: float
    probe: timedelta = PROBE

    @property
    def start(self) -> float:
        """Messages per second at the beginning of a ramp."""
        return self.rate * START if self.ramp > 0 else self.rate


@dataclass(frozen=True, slots=True)
class Pace:
    """What all workers share of one channel.

    At `busy_at` it was last reported that sends make use of the rate. The ramp was as far by then as if it had begun
    at `busy_since` and risen ever since.
    `factor` of the full rate was left by the quota refusal at `throttled_at`.
    Until `paused_until`, for `reason`, nothing is sent; `failures` counts the pauses in a row, the first of which
    began at `paused_at`. After a pause one of all workers, the `prober`, sends a few messages, and the others wait on
    (a half-open circuit breaker): what becomes of those ends the pauses, or begins the next.
    """

    busy_since: datetime | None = None
    busy_at: datetime | None = None
    factor: float = 1.0
    throttled_at: datetime | None = None
    paused_until: datetime | None = None
    reason: Reason | None = None
    failures: int = 0
    paused_at: datetime | None = None
    prober: str | None = None

    def condition(self, now: datetime) -> Condition:
        """In one word. It stays paused until a probe got through."""
        if self.failures:
            return Condition.PAUSED
        return Condition.THROTTLED if self.throttle(now) < 1 else Condition.WORKING

    def rate(self, limits: Limits, now: datetime) -> float:
        """Messages per second that the whole project may send at `now`."""
        return limits.rate * min(self._ramped(limits, now), self.throttle(now))

    def _ramped(self, limits: Limits, now: datetime) -> float:
        """The part of the full rate that the ramp leaves: unused for longer than GRACE, it falls as it rose."""
        if limits.ramp <= 0:
            return 1.0
        if self.busy_at is None:
            return START
        left = self._risen(limits) - max(_NONE, now - self.busy_at - GRACE)
        return START + (1 - START) * max(0.0, left.total_seconds() / limits.ramp)

    def _risen(self, limits: Limits) -> timedelta:
        """How much of the ramp was passed at `busy_at`."""
        if self.busy_since is None or self.busy_at is None:
            return _NONE
        return min(timedelta(seconds=limits.ramp), self.busy_at - self.busy_since)

    def throttle(self, now: datetime) -> float:
        """The part of the full rate that the last refusal for the quota leaves at `now`: 1 where it is over."""
        if self.throttled_at is None:
            return 1.0
        passed = (now - self.throttled_at) / RECOVERY
        return min(1.0, self.factor + (1 - self.factor) * max(0.0, passed))

    def paused(self, now: datetime) -> bool:
        """Whether nothing may be sent."""
        return self.paused_until is not None and now < self.paused_until

    def busy(self, limits: Limits, now: datetime, seconds: float) -> "Pace":
        """For so many seconds, sends have made use of the rate: the ramp has risen in these, and fallen before them."""
        if self.busy_at is None:
            return replace(self, busy_since=now, busy_at=now)
        if _NONE <= self.busy_at - now <= GRACE:  # somebody has reported a later moment
            return self
        unsaid = max(_NONE, now - self.busy_at)
        used = min(unsaid, timedelta(seconds=seconds))
        risen = self._risen(limits) + used - (unsaid - used)
        return replace(self, busy_at=now, busy_since=now - min(timedelta(seconds=limits.ramp), max(_NONE, risen)))

    def throttled(self, now: datetime) -> "Pace":
        """The provider said that the quota is exceeded: half of what was allowed, and from there back up."""
        if self.throttled_at is not None and now - self.throttled_at < THROTTLE_AT_MOST:
            return self
        return replace(self, factor=max(START, self.throttle(now) / 2), throttled_at=now)

    def broken(self, reason: Reason, now: datetime, prober: str | None = None) -> "Pace":
        """Nothing gets through: pause, for longer each time in a row. Only the prober's word ends a running pause."""
        if self.paused(now) and (prober is None or prober != self.prober):
            return self
        pause = min(FIRST_PAUSE * 2**self.failures, LAST_PAUSE)
        return replace(
            self,
            paused_until=now + pause,
            reason=reason,
            failures=min(self.failures + 1, 16),
            paused_at=self.paused_at or now,
            prober=None,
        )

    def probed(self, prober: str, now: datetime, takes: timedelta = PROBE) -> "Pace":
        """`prober` alone may send a few messages; nothing changes where a pause or another's probe still runs."""
        if not self.failures or self.paused(now):
            return self
        return replace(self, paused_until=now + takes, prober=prober)

    def unprobed(self, prober: str, now: datetime) -> "Pace":
        """`prober` had nothing to send after all: the next one may."""
        return replace(self, paused_until=now, prober=None) if self.prober == prober else self

    def healed(self) -> "Pace":
        """Something got through: the next pause is a short one again."""
        return replace(self, paused_until=None, reason=None, failures=0, paused_at=None, prober=None)
