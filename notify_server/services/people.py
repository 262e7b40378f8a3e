"""Users: making, changing, reading and removing them."""

from typing import Any

import structlog

from notify_server.domain.user import User
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.storage.devices import Devices
from notify_server.storage.registry import Registry
from notify_server.storage.users import Users

log = structlog.get_logger()


class People:
    """What the backend says of users."""

    def __init__(self, users: Users, devices: Devices, registry: Registry, clock: Clock) -> None:
        self._users = users
        self._devices = devices
        self._registry = registry
        self._clock = clock

    def put(self, user: str, profile: dict[str, Any]) -> bool:
        """Set the given fields of the profile, leave the others. True when the user is new."""
        if "groups" in profile:
            profile = profile | {"groups": sorted(set(profile["groups"]))}
        return self._users.put(user, profile, self._clock())

    def get(self, user: str) -> User:
        """One user. Raises NotFound."""
        return self._users.get(user)

    def erase(self, user: str) -> None:
        """Remove the person: devices first, so that nothing is sent any more. Raises NotFound."""
        removed = self._devices.erase(user), self._registry.erase(user)
        if not self._users.delete(user) and not any(removed):
            raise NotFound(f"There is no user {user!r}.")
        log.info("user erased", devices=removed[0], entries=removed[1])
