"""What is to be sent of leased batches: the message, the recipients who still wait for it, and their devices."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Owned
from notify_server.domain.registry import Note, Reason
from notify_server.errors import InvalidInput
from notify_server.services.holder import Holder
from notify_server.services.load import Page
from notify_server.services.localising import Localising
from notify_server.services.messages import Messages, Ready
from notify_server.services.outlet import Send
from notify_server.services.settlement import Settlement
from notify_server.services.waiting import Waiting, still_waiting
from notify_server.storage.devices import Devices
from notify_server.storage.registry import Registry

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reached:
    """Who waits, and by which devices they are reached."""

    registry: Registry
    devices: Devices


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent, and in which locale to whom."""

    messages: Messages
    localising: Localising


@dataclass(frozen=True, slots=True)
class _Devices:
    """The devices of some users, and the locales, by user and device id, of those that have one."""

    of: Mapping[str, Sequence[Owned]]
    locales: Mapping[tuple[str, str], str]


class Preparation:
    """Reads what a load needs, each thing once for all of its batches. Safe for many threads."""

    def __init__(self, reached: Reached, content: Content, settlement: Settlement, holder: Holder) -> None:
        self._registry = reached.registry
        self._devices = reached.devices
        self._messages = content.messages
        self._localising = content.localising
        self._settlement = settlement
        self._holder = holder

    def sends(self, pages: Sequence[Page]) -> list[Send]:
        """What is to be sent now. A batch whose message the encoder refuses is settled as failed instead."""
        now = self._holder.now()
        return self._prepare(self._addressed(pages, now), now) if pages else []

    def _addressed(self, pages: Sequence[Page], now: datetime) -> list[tuple[Batch, Waiting]]:
        """Each batch with those of it who are to be sent to."""
        unread = [page.batch for page in pages if page.recipients is None]
        waiting = still_waiting(self._registry, unread, now) if unread else []
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
            found, locales = self._devices.localised(everybody)
        else:
            found, locales = self._devices.targets(everybody) if everybody else [], {}
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
            self._settlement.refuse(batch, found, note, self._holder.owner)
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
