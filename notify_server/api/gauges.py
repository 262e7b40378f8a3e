"""What belongs to the whole installation rather than to a process: read from the database at each scrape."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from notify_server.domain.notification import Channel
from notify_server.domain.pace import Condition
from notify_server.domain.registry import Reason
from notify_server.errors import DatabaseUnavailable
from notify_server.services.health import Health

_BREAKING = {  # why a channel may be paused
    Channel.PUSH: (Reason.CREDENTIAL_REFUSED, Reason.UNAVAILABLE),
    Channel.EMAIL: (Reason.CREDENTIAL_REFUSED, Reason.UNAVAILABLE, Reason.TLS_FAILED, Reason.SENDER_REFUSED),
}


@dataclass(frozen=True)
class Gauges(Collector):
    """The queue, the channels and the workers; left out while the database is away."""

    health: Health

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by prometheus_client."""
        try:
            yield from [*self._queue(), *self._channels(), *self._workers()]
        except DatabaseUnavailable:
            return

    def _queue(self) -> Iterator[GaugeMetricFamily]:
        age = self.health.queue_age()
        yield GaugeMetricFamily("notify_queue_age_seconds", "How long the oldest due batch or audience waits", age)

    def _channels(self) -> Iterator[GaugeMetricFamily]:
        paused = _family("notify_channel_paused", "Whether nothing gets through, by reason", "channel", "reason")
        since = _family("notify_channel_paused_since_seconds", "Unix time; only while it is paused", "channel")
        rate = _family("notify_channel_rate", "Messages per second that all workers may send now", "channel")
        factor = _family("notify_channel_throttle_factor", "What quota refusals leave of the full rate", "channel")
        for channel, found in self.health.channels().items():
            for reason in _BREAKING[channel]:
                broken = found.state is Condition.PAUSED and found.reason is reason
                paused.add_metric([channel.value, reason.value], broken)
            if found.since is not None:
                since.add_metric([channel.value], found.since.timestamp())
            rate.add_metric([channel.value], found.rate)
            factor.add_metric([channel.value], found.throttle)
        yield from (paused, since, rate, factor)

    def _workers(self) -> Iterator[GaugeMetricFamily]:
        workers = _family("notify_workers", "Living workers, by whether they send", "sending")
        for sending, count in self.health.workers().items():
            workers.add_metric([str(sending).lower()], count)
        yield workers


def _family(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=labels)
