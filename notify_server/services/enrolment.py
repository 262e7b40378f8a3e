"""Devices: registering, listing and removing them, and serving what has waited for one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from notify_server import failpoints
from notify_server.domain.batch import Batch
from notify_server.domain.device import Device, Platform, Target
from notify_server.domain.registry import Reason
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.storage.batches import Batches
from notify_server.storage.devices import Devices
from notify_server.storage.registry import Registry
from notify_server.storage.signals import Signals, Work
from notify_server.storage.users import Users

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Installation:
    """What an app says of itself when it registers."""

    platform: Platform
    target: Target
    app_version: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How many active devices a user may have, and after how long without contact one is stale."""

    most: int
    stale_after: timedelta


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries that wait for a device."""

    registry: Registry
    batches: Batches
    signals: Signals

    def serve(self, user: str, now: datetime) -> None:
        """Queue every notification of which the user's entry waits for a device."""
        for notification in self.registry.waiting(user, Reason.NO_DEVICE):
            self.batches.call(Batch.awaited(notification, user, now))
            self.signals.send({Work.PUSH})
            log.info("waiting notification queued for a new device", notification_id=notification)


class Enrolment:
    """The devices of users."""

    def __init__(
        self,
        devices: Devices,
        users: Users,
        waiting: Waiting,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._devices = devices
        self._users = users
        self._waiting = waiting
        self._clock = clock
        self._limits = limits

    def register(self, user: str, device: str, installation: Installation) -> bool:
        """Store the device as active, make an unknown user, and queue what waited for a device. True when new.

        A target that another device had moves here: the old one gets nothing more on it. Where the user has as many
        devices as they may, the one that was confirmed longest ago becomes inactive.
        """
        now = self._clock()
        self._users.mention([user], None, now)
        new = self._devices.register(
            Device(
                user=user,
                id=device,
                platform=installation.platform,
                target=installation.target,
                active=True,
                registered_at=now,
                confirmed_at=now,
                app_version=installation.app_version,
                locale=installation.locale,
            )
        )
        failpoints.passes("enrolment.registered")
        self._devices.bound(user, self._limits.most, now)
        self._waiting.serve(user, now)
        return new

    def get(self, user: str, device: str) -> Device:
        """One device as `listed` has it. Raises NotFound."""
        found = self._devices.find(user, device)
        if found is None:
            raise NotFound(f"There is no device {device!r}.")
        return self._aged([found])[0]

    def listed(self, user: str) -> list[Device]:
        """Every device of the user, active or not; stale are those without contact for long."""
        return self._aged(self._devices.of_user(user))

    def delete(self, user: str, device: str) -> None:
        """Remove one device. Raises NotFound."""
        if not self._devices.delete(user, device):
            raise NotFound(f"There is no device {device!r}.")

    def _aged(self, devices: Sequence[Device]) -> list[Device]:
        silent_since = self._clock() - self._limits.stale_after
        return [replace(device, stale=device.confirmed_at < silent_since) for device in devices]
