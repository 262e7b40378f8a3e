"""Seeing leased batches through: which of them may be sent, to whom, and what the channel says of each device."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from notify_server import failpoints
from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Dispatch, Owned
from notify_server.domain.outcome import Outcome
from notify_server.domain.registry import Note, Reason
from notify_server.errors import InvalidInput
from notify_server.services.completion import Completion
from notify_server.services.gate import Gate
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load, Page
from notify_server.services.localising import Localising
from notify_server.services.messages import Messages, Ready
from notify_server.services.outlet import Outlet, Send
from notify_server.services.settlement import Settlement
from notify_server.services.waiting import Waiting, still_waiting
from notify_server.storage.devices import Devices
from notify_server.storage.registry import Registry

log = structlog.get_logger()

_PROBE = 5  # recipients who are sent to first, after the channel was broken


@dataclass(frozen=True, slots=True)
class Queue:
    """What says which batches are to be sent, and to whom."""

    gate: Gate
    registry: Registry
    devices: Devices


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent, and in which locale to whom."""

    messages: Messages
    localising: Localising


@dataclass(frozen=True, slots=True)
class After:
    """What follows the channel's answers."""

    settlement: Settlement
    completion: Completion


@dataclass(frozen=True, slots=True)
class _Devices:
    """The devices of some users, and the locales, by user and device id, of those that have one."""

    of: Mapping[str, Sequence[Owned]]
    locales: Mapping[tuple[str, str], str]


class Delivery:
    """Sees loads through. Safe for many threads."""

    def __init__(self, queue: Queue, content: Content, outlet: Outlet, after: After, leasing: Leasing) -> None:
        self._queue = queue
        self._gate = queue.gate
        self._messages = content.messages
        self._localising = content.localising
        self._outlet = outlet
        self._after = after
        self._leasing = leasing
        self._holder = leasing.holder

    def deliver(self, load: Load) -> None:
        """See leased batches through together: each read and write is done once for all of them."""
        with self._leasing.in_hand(load):
            pages: Load = self._gate.pass_open(load)
            probe = self._outlet.probe() if pages else None
            if probe:
                pages = self._leasing.narrow(pages, _PROBE)
            sends = self._sends(pages)
            permit = self._outlet.permit(sends, probe)
            if permit is None:
                self._leasing.give_back(pages)
                return
            if permit.stale:
                sends = self._sends([Page(page.batch) for page in self._gate.pass_open(pages)])
            self._leasing.prove(pages)
            failpoints.passes("delivery.sending")
            outcomes = self._outlet.send(sends, permit, self._holder.now())
            failpoints.passes("delivery.sent")
            self._settle(sends, outcomes)
            failpoints.passes("delivery.completing")
            self._after.completion.check(sorted({page.batch.key.notification for page in load}))

    def _sends(self, pages: Load) -> list[Send]:
        now = self._holder.now()
        return self._prepare(self._addressed(pages, now), now) if pages else []

    def _settle(self, sends: Sequence[Send], outcomes: Sequence[Sequence[Outcome]]) -> None:
        dispatches = [
            Dispatch(send.batch, send.ready.notification, send.users, send.devices, answers)
            for send, answers in zip(sends, outcomes, strict=True)
        ]
        self._after.settlement.settle(dispatches, self._holder.owner)

    def _addressed(self, pages: Sequence[Page], now: datetime) -> list[tuple[Batch, Waiting]]:
        """Each batch with those of it who are to be sent to."""
        unread = [page.batch for page in pages if page.recipients is None]
        waiting = still_waiting(self._queue.registry, unread, now) if unread else []
        read = {batch.key: who for batch, who in zip(unread, waiting, strict=True)}
        return [
            (page.batch, read[page.batch.key])
            if page.recipients is None
            else (replace(page.batch, users=page.recipients), Waiting(page.recipients, locales=page.locales))
            for page in pages
        ]

    def _prepare(self, addressed: Sequence[tuple[Batch, Waiting]], now: datetime) -> list[Send]:
        """Look up each message, and the devices of everybody with one query."""
        self._messages.prefetch([batch.key.notification for batch, _ in addressed], now)
        ready = [(batch, waiting, self._ready(batch, now)) for batch, waiting in addressed]
        owned = self._owned(ready)
        sends = []
        for batch, waiting, message in ready:
            if message is not None:
                theirs = [d for user in waiting.users if user not in waiting.parked for d in owned.of.get(user, ())]
                devices = _narrowed(batch, theirs)
                if message.locales:
                    sends.append(self._localising.send(batch, message, waiting, devices, owned.locales))
                else:
                    sends.append(Send(batch, message, waiting.users, devices))
        return sends

    def _owned(self, ready: Sequence[tuple[Batch, Waiting, Ready | None]]) -> _Devices:
        """The devices of everybody; their locales only where a message has some and not each user has one."""
        everybody = sorted({user for _, waiting, _ in ready for user in waiting.users})
        if any(message is not None and message.locales and not _is_settled(waiting) for _, waiting, message in ready):
            found, locales = self._queue.devices.localised(everybody)
        else:
            found, locales = self._queue.devices.targets(everybody) if everybody else [], {}
        by_user: dict[str, list[Owned]] = defaultdict(list)
        for device in found:
            by_user[device[0]].append(device)
        return _Devices(by_user, locales)

    def _ready(self, batch: Batch, now: datetime) -> Ready | None:
        try:
            return self._messages.get(batch.key.notification, now)
        except InvalidInput as error:
            log.error("message refused by the encoder", notification_id=batch.key.notification, problem=str(error))
            found = self._messages.notification(batch.key.notification)
            note = Note(now, Reason.PAYLOAD_REJECTED)
            self._after.settlement.refuse(batch, found, note, self._holder.owner)
            return None


def _is_settled(waiting: Waiting) -> bool:
    """Whether it is known of each user in which locale they get it, whatever their devices speak."""
    return waiting.locales is not None and all(user in waiting.locales for user in waiting.users)


def _narrowed(batch: Batch, devices: list[Owned]) -> list[Owned]:
    """Those devices that a retry is narrowed to."""
    only = batch.devices
    if only is None:
        return devices
    return [device for device in devices if device[0] not in only or device[1] in only[device[0]]]
