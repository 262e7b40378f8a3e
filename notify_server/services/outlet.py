"""The push channel as a delivery uses it: paced, kept within each device's limits, and measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic

from notify_server.domain.batch import Batch
from notify_server.domain.device import Target
from notify_server.domain.dispatch import Owned
from notify_server.domain.outcome import Outcome
from notify_server.domain.push import Encoded, PushTransport, Sent
from notify_server.services.answers import Answers, Waits
from notify_server.services.device_limits import DeviceLimits
from notify_server.services.governor import Governor
from notify_server.services.messages import Ready

_STALE = 0.2  # seconds of waiting, after which what was read before is read again


@dataclass(frozen=True, slots=True)
class Send:
    """A batch that is to be sent now: its message, its recipients and their devices.

    `runs`: the first so many devices get this message, the next so many that one; without, all get the same.
    """

    batch: Batch
    ready: Ready
    users: Sequence[str]
    devices: Sequence[Owned]
    runs: Sequence[tuple[Encoded, int]] | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send so many messages; `probe` is the name of a probe. `stale`: it took a while to get it."""

    messages: int
    probe: str | None
    stale: bool


class Outlet:
    """Where messages leave. Safe for many threads."""

    def __init__(
        self,
        transport: PushTransport,
        governor: Governor,
        limits: DeviceLimits,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._ticks = ticks
        self._transport = transport
        self._governor = governor
        self._limits = limits

    def probe(self) -> str | None:
        """Where the channel was broken until now: the name of a probe, for which a few messages are to be sent."""
        return self._governor.probe()

    def permit(self, sends: Sequence[Send], probe: str | None = None) -> Permit | None:
        """Wait until these may be sent; None: not now, since the worker stops or the channel is paused."""
        messages, started = sum(len(send.devices) for send in sends), self._ticks()
        if probe or not messages:
            return Permit(0, probe, stale=False)
        urgent = all(send.batch.rank.small for send in sends)
        if not self._governor.take(messages, urgent=urgent):
            return None
        return Permit(messages, None, stale=self._ticks() - started > _STALE)

    def send(self, sends: Sequence[Send], permit: Permit, now: datetime) -> Answers:
        """Send each. What is beyond a device's limit waits, and is not paid for."""
        sharers = self._governor.sharers
        waits = [self._limits.admit([target for _, _, target in send.devices], now, sharers) for send in sends]
        messages = sum(wait is None for each in waits for wait in each)
        if messages != permit.messages:
            self._governor.refund(permit.messages - messages)
        parts = [_parts(send, each) for send, each in zip(sends, waits, strict=True)]
        flat = [part for each in parts for part in each]
        began = self._ticks()
        return Answers(
            self._transport.begin(flat) if messages else Sent([[]] * len(flat)),
            parts=[len(each) for each in parts],
            waits=waits,
            observe=partial(self._governor.observe, probe=permit.probe),
            began=began,
            ticks=self._ticks,
        )

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Learn from what was answered late, all of it together: it may have met one and the same fault."""
        if outcomes:
            self._governor.observe(outcomes)


def _parts(send: Send, waits: Waits) -> list[tuple[Encoded, list[Target]]]:
    """Each message of a batch with the targets that get it now, in the order of the devices."""
    if send.runs is None:
        return [(send.ready.encoded, _admitted(send.devices, waits))]
    parts, start = [], 0
    for encoded, count in send.runs:
        end = start + count
        parts.append((encoded, _admitted(send.devices[start:end], waits[start:end])))
        start = end
    return parts


def _admitted(devices: Sequence[Owned], waits: Waits) -> list[Target]:
    return [target for (_, _, target), wait in zip(devices, waits, strict=True) if wait is None]
