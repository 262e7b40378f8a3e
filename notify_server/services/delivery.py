"""Dispatching a batch: who of it still waits, what the channel says of each device, what that means for each entry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

import structlog

from notify_server import metrics
from notify_server.domain.batch import Batch
from notify_server.domain.device import Target
from notify_server.domain.dispatch import Dispatch, Owned
from notify_server.domain.notification import Channel, State
from notify_server.domain.outcome import Outcome
from notify_server.domain.push import PushTransport
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.errors import InvalidInput
from notify_server.services.completion import Completion
from notify_server.services.holder import Holder
from notify_server.services.messages import Messages, Ready
from notify_server.services.settlement import Settlement
from notify_server.storage.batches import Batches
from notify_server.storage.devices import Devices
from notify_server.storage.expansions import Expansions, Progress
from notify_server.storage.registry import Registry
from notify_server.storage.signals import Signals

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Queue:
    """The stores that say what is to be sent, and to whom."""

    batches: Batches
    expansions: Expansions
    registry: Registry
    devices: Devices
    signals: Signals


@dataclass(frozen=True, slots=True)
class After:
    """What follows the channel's answers."""

    settlement: Settlement
    completion: Completion


class Delivery:
    """Leases push batches and sees them through. Safe for many threads."""

    def __init__(
        self, queue: Queue, messages: Messages, transport: PushTransport, after: After, holder: Holder
    ) -> None:
        self._queue = queue
        self._messages = messages
        self._transport = transport
        self._after = after
        self._holder = holder

    def lease(self) -> Batch | None:
        """Take the most urgent due batch, if there is one."""
        holder = self._holder
        batch = self._queue.batches.lease(Channel.PUSH, holder.owner, holder.now(), holder.until())
        if batch is not None:
            holder.batches.add(batch.key)
        return batch

    def release(self, batch: Batch) -> None:
        """Let any worker have a batch that this one has leased and will not come to."""
        self._holder.batches.discard(batch.key)
        self._queue.batches.give_back(batch, self._holder.owner, self._holder.now())
        self._queue.signals.send()

    def renew(self) -> None:
        """Keep the leases of all that is in hand for another lease time."""
        holder, until = self._holder, self._holder.until()
        self._queue.batches.renew(list(holder.batches), holder.owner, until)
        self._queue.expansions.renew(list(holder.audiences), holder.owner, until)

    def resign(self) -> None:
        """Give back whatever is still leased, so that others need not wait for the leases to run out."""
        now = self._holder.now()
        self._queue.batches.resign(self._holder.owner, now)
        self._queue.expansions.resign(self._holder.owner, now)
        self._queue.signals.send()

    def deliver(self, batch: Batch, recipients: Sequence[str] | None = None) -> None:
        """See a leased batch through. `recipients`: who waits in it, where that is known and need not be read.

        Where it raises, the lease runs out, and any worker takes the batch again.
        """
        try:
            self._see_through(batch, recipients)
        finally:
            self._holder.batches.discard(batch.key)

    def _see_through(self, batch: Batch, recipients: Sequence[str] | None) -> None:
        progress = self._queue.expansions.progress(batch.key.notification)
        if progress is None:
            self._queue.batches.settle(batch, self._holder.owner, None, [])
        elif not progress.covers(batch.key.page):
            self._queue.batches.give_back(batch, self._holder.owner, self._holder.until())
        elif self._holds(batch):
            self._dispatch(batch, recipients, progress)
            self._after.completion.check(batch.key.notification)

    def _holds(self, batch: Batch) -> bool:
        """Whether the lease is still ours: a process that was suspended finds that others have taken over."""
        return self._holder.now() < batch.due_at or self._queue.batches.holds(self._holder.owner, batch)

    def _dispatch(self, batch: Batch, recipients: Sequence[str] | None, progress: Progress) -> None:
        now = self._holder.now()
        if progress.state is State.CANCELLED:
            self._end(batch, Event.CANCEL, Note(now, Reason.CANCELLED_BY_BACKEND))
        elif now >= progress.expires_at:
            self._end(batch, Event.EXPIRE, Note(now, Reason.TTL_OVER))
        elif recipients is None:
            self._send(batch, self._waiting(batch), now)
        else:
            self._send(replace(batch, users=tuple(recipients)), recipients, now)

    def _end(self, batch: Batch, event: Event, note: Note) -> None:
        self._queue.registry.move(event, batch.key.notification, batch.users, note)
        self._queue.batches.settle(batch, self._holder.owner, None, [])

    def _waiting(self, batch: Batch) -> list[str]:
        """Who of the batch is still to be sent to, after a resend has begun or a lease has changed hands."""
        registry, n = self._queue.registry, batch.key.notification
        if batch.resends:
            registry.resend(n, batch.users, self._holder.now(), batch.resends)
        standing = registry.standing(n, batch.users, [Status.PENDING])
        if batch.devices is not None:  # some have other devices that were reached
            standing |= registry.standing(n, list(batch.devices), [Status.SENT])
        return [user for user in batch.users if user in standing]

    def _send(self, batch: Batch, users: Sequence[str], now: datetime) -> None:
        try:
            ready = self._messages.get(batch.key.notification, now)
        except InvalidInput as error:
            log.error("message refused by the encoder", notification_id=batch.key.notification, problem=str(error))
            self._end(batch, Event.FAIL, Note(now, Reason.PAYLOAD_REJECTED))
            return
        devices = self._devices(batch, users)
        outcomes = self._timed(ready, [target for _, _, target in devices])
        self._after.settlement.settle(Dispatch(batch, ready.notification, users, devices, outcomes), self._holder.owner)

    def _devices(self, batch: Batch, users: Sequence[str]) -> list[Owned]:
        devices = self._queue.devices.targets(users)
        only = batch.devices
        if only is None:
            return devices
        return [device for device in devices if device[0] not in only or device[1] in only[device[0]]]

    def _timed(self, ready: Ready, targets: Sequence[Target]) -> list[Outcome]:
        started = monotonic()
        outcomes = self._transport.send(ready.encoded, targets)
        metrics.SEND_SECONDS.labels(Channel.PUSH.value).observe(monotonic() - started)
        return outcomes
