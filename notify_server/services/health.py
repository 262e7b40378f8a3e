"""Whether this installation can do its work, and how far behind it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from notify_server.domain.notification import Channel
from notify_server.domain.pace import Condition, Limits
from notify_server.domain.registry import Reason
from notify_server.errors import MigrationsPending
from notify_server.services.clock import Clock
from notify_server.storage.backlog import Backlog
from notify_server.storage.database import ping
from notify_server.storage.documents import Store
from notify_server.storage.expansions import Expansions
from notify_server.storage.migrations import pending
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers


@dataclass(frozen=True, slots=True)
class Pacing:
    """What says how fast is sent, and by whom."""

    paces: Paces
    workers: Workers
    limits: Mapping[Channel, Limits]


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How a channel does. Where it is paused: why, `since` when, and `until` when before the next probe.

    `rate` is what all workers together may send now, in messages per second; `throttle` the part of the full rate
    that refusals for the quota have left.
    """

    state: Condition
    reason: Reason | None
    since: datetime | None
    until: datetime | None
    rate: float
    throttle: float


class Health:
    """Answers probes."""

    def __init__(self, database: Store, backlog: Backlog, expansions: Expansions, pacing: Pacing, clock: Clock) -> None:
        self._database = database
        self._backlog = backlog
        self._expansions = expansions
        self._pacing = pacing
        self._clock = clock

    def check(self) -> None:
        """Raises DatabaseUnavailable or MigrationsPending where requests could not be served."""
        ping(self._database)
        missing = pending(self._database)
        if missing:
            raise MigrationsPending(f"Run `notify-server migrate`: {', '.join(missing)}.")

    def queue_age(self) -> float:
        """Seconds for which the work that waits longest has been due: a batch to send, or an audience; 0: none is."""
        now = self._clock()
        batches = [self._backlog.oldest_due(channel, now) for channel in self._pacing.limits]
        oldest = [*batches, self._expansions.oldest_due(now)]
        return max((now - due).total_seconds() for due in (*oldest, now) if due)

    def channels(self) -> Mapping[Channel, ChannelHealth]:
        """How each channel that is paced does now."""
        return {channel: self._channel(channel, limits) for channel, limits in self._pacing.limits.items()}

    def _channel(self, channel: Channel, limits: Limits) -> ChannelHealth:
        now, pace = self._clock(), self._pacing.paces.get(channel)
        condition, throttle = pace.condition(now), pace.throttle(now)
        rate = 0.0 if condition is Condition.PAUSED else pace.rate(limits, now)
        return ChannelHealth(condition, pace.reason, pace.paused_at, pace.paused_until, rate, throttle)

    def workers(self) -> Mapping[bool, int]:
        """How many workers send, and how many live and do not."""
        now, workers = self._clock(), self._pacing.workers
        sending = workers.sending(now)
        return {True: sending, False: max(workers.alive(now) - sending, 0)}
