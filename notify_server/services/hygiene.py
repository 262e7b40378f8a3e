"""The age of devices: every contact confirms one, a long silence makes it stale, a longer one removes it.

FCM takes a target for stale after a month without contact, and Android's expire after 270 days (Firebase, "Best
practices for FCM registration token management").
"""

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, timedelta
from threading import Lock

import structlog

from notify_server.services.clock import Clock
from notify_server.storage.devices import Contact, Devices

log = structlog.get_logger()

OFTEN = timedelta(hours=1)  # between two confirmations of one device
APART = timedelta(seconds=1)  # between two writes of confirmations, as long as there are few
EVERY = timedelta(days=1)  # between two runs of the removal
_REMEMBERED = 100_000  # devices, of which this process knows that they need no confirmation
_TOGETHER = 1000  # confirmations that wait at most
_PAGE = 1000  # devices removed by one write


class Contacts:
    """Notes that devices were heard of. Safe for many threads; most calls write nothing."""

    def __init__(self, devices: Devices, clock: Clock) -> None:
        self._devices = devices
        self._clock = clock
        self._noted: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._waiting: list[Contact] = []
        self._written: datetime | None = None
        self._lock = Lock()

    def heard(self, user: str, devices: Collection[str]) -> None:
        """The app on these devices of `user` has spoken; one that nobody registered is passed over.

        Written at once, unless something was within APART: then with what comes after that.
        """
        now = self._clock()
        with self._lock:
            self._note(user, devices, now)
            contacts = self._taken(now)
        if contacts:
            self._devices.confirm(contacts, OFTEN)

    def _note(self, user: str, devices: Collection[str], now: datetime) -> None:
        """Have those wait to be written that this process has not confirmed within OFTEN."""
        for device in devices:
            if self._noted.get((user, device), now - OFTEN) <= now - OFTEN:
                self._noted[user, device] = now
                self._noted.move_to_end((user, device))
                self._waiting.append(Contact(user, device, now))
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)

    def _taken(self, now: datetime) -> list[Contact]:
        """What waits, if it is time to write."""
        soon = self._written is not None and timedelta(0) <= now - self._written < APART
        if not self._waiting or (soon and len(self._waiting) < _TOGETHER):
            return []
        taken, self._waiting, self._written = self._waiting, [], now
        return taken


class Hygiene:
    """The scheduler's part."""

    def __init__(self, devices: Devices, remove_after: timedelta, clock: Clock) -> None:
        self._devices = devices
        self._remove_after = remove_after
        self._clock = clock
        self._next: datetime | None = None

    def remove_devices(self) -> int:
        """Once a day: remove the devices without contact for `remove_after`. Returns how many."""
        now = self._clock()
        if self._next is not None and now < self._next:
            return 0
        removed, silent_since = 0, now - self._remove_after
        while count := self._devices.remove_silent(silent_since, _PAGE):
            removed += count
        self._next = now + EVERY
        if removed:
            log.info("silent devices removed", count=removed)
        return removed
