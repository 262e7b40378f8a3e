"""Seeing leased batches through: which of them may be sent, to whom, and what the channel says of each device."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Dispatch, Owned
from notify_server.domain.notification import State
from notify_server.domain.outcome import Outcome
from notify_server.domain.registry import Event, Note, Reason
from notify_server.errors import InvalidInput
from notify_server.services.completion import Completion
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load, Page
from notify_server.services.messages import Messages, Ready
from notify_server.services.outlet import Outlet, Send
from notify_server.services.settlement import Settlement
from notify_server.services.waiting import still_waiting
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.devices import Devices
from notify_server.storage.expansions import Expansions, Progress
from notify_server.storage.registry import Registry

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Queue:
    """The stores that say what is to be sent, and to whom."""

    batches: Batches
    expansions: Expansions
    registry: Registry
    devices: Devices


@dataclass(frozen=True, slots=True)
class After:
    """What follows the channel's answers."""

    settlement: Settlement
    completion: Completion


class Delivery:
    """Sees loads through. Safe for many threads."""

    def __init__(self, queue: Queue, messages: Messages, outlet: Outlet, after: After, leasing: Leasing) -> None:
        self._queue = queue
        self._messages = messages
        self._outlet = outlet
        self._after = after
        self._leasing = leasing
        self._holder = leasing.holder

    def deliver(self, load: Load) -> None:
        """See leased batches through together: each read and write is done once for all of them."""
        with self._leasing.in_hand(load):
            notifications = sorted({page.batch.key.notification for page in load})
            progress = self._queue.expansions.progress(notifications)
            now = self._holder.now()
            open_pages = [page for page in load if self._is_open(page.batch, progress, now)]
            sends = self._prepare(self._addressed(open_pages, now), now)
            outcomes = self._outlet.send(sends, now) if sends else []
            if outcomes is None:
                return  # the worker stops, and gives its leases back
            self._settle(sends, outcomes)
            self._after.completion.check(notifications)

    def _settle(self, sends: Sequence[Send], outcomes: Sequence[Sequence[Outcome]]) -> None:
        dispatches = [
            Dispatch(send.batch, send.ready.notification, send.users, send.devices, answers)
            for send, answers in zip(sends, outcomes, strict=True)
        ]
        self._after.settlement.settle(dispatches, self._holder.owner)

    def _is_open(self, batch: Batch, progress: Mapping[str, Progress], now: datetime) -> bool:
        """Whether the batch is to be sent; where it is not, what is to be done instead has been done."""
        found = progress.get(batch.key.notification)
        if found is None:
            self._queue.batches.settle([Settled(batch)], self._holder.owner)
        elif not found.covers(batch.key.page):
            self._leasing.postpone(batch)
        elif not self._leasing.holds(batch):
            log.warning("batch lease lost", notification_id=batch.key.notification)
        elif found.state is State.CANCELLED:
            self._end(batch, Event.CANCEL, Note(now, Reason.CANCELLED_BY_BACKEND))
        elif now >= found.expires_at:
            self._end(batch, Event.EXPIRE, Note(now, Reason.TTL_OVER))
        else:
            return True
        return False

    def _end(self, batch: Batch, event: Event, note: Note) -> None:
        self._queue.registry.move(event, {batch.key.notification: batch.users}, note)
        self._queue.batches.settle([Settled(batch)], self._holder.owner)

    def _addressed(self, pages: Sequence[Page], now: datetime) -> list[tuple[Batch, tuple[str, ...]]]:
        """Each batch with those of it who are to be sent to."""
        unread = [page.batch for page in pages if page.recipients is None]
        waiting = still_waiting(self._queue.registry, unread, now) if unread else []
        read = {batch.key: users for batch, users in zip(unread, waiting, strict=True)}
        return [
            (page.batch, read[page.batch.key])
            if page.recipients is None
            else (replace(page.batch, users=page.recipients), page.recipients)
            for page in pages
        ]

    def _prepare(self, addressed: Sequence[tuple[Batch, tuple[str, ...]]], now: datetime) -> list[Send]:
        """Look up the devices of everybody with one query, and each message."""
        devices: dict[str, list[Owned]] = defaultdict(list)
        everybody = {user for _, users in addressed for user in users}
        for device in self._queue.devices.targets(sorted(everybody)) if everybody else ():
            devices[device[0]].append(device)
        sends = []
        for batch, users in addressed:
            ready = self._ready(batch, now)
            if ready is not None:
                sends.append(Send(batch, ready, users, _narrowed(batch, [d for user in users for d in devices[user]])))
        return sends

    def _ready(self, batch: Batch, now: datetime) -> Ready | None:
        try:
            return self._messages.get(batch.key.notification, now)
        except InvalidInput as error:
            log.error("message refused by the encoder", notification_id=batch.key.notification, problem=str(error))
            self._end(batch, Event.FAIL, Note(now, Reason.PAYLOAD_REJECTED))
            return None


def _narrowed(batch: Batch, devices: list[Owned]) -> list[Owned]:
    """Those devices that a retry is narrowed to."""
    only = batch.devices
    if only is None:
        return devices
    return [device for device in devices if device[0] not in only or device[1] in only[device[0]]]
