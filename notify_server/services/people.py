"""Users: making, changing and reading them."""

from typing import Any

from notify_server import failpoints
from notify_server.domain.user import User
from notify_server.services.addressing import AwaitedMail
from notify_server.services.clock import Clock
from notify_server.storage.users import Users


class People:
    """What the backend says of users."""

    def __init__(self, users: Users, awaited: AwaitedMail, clock: Clock) -> None:
        self._users = users
        self._awaited = awaited
        self._clock = clock

    def put(self, user: str, profile: dict[str, Any]) -> bool:
        """Set the given fields of the profile, leave the others. True when the user is new.

        An address lets go what waits to be mailed to the user.
        """
        if "groups" in profile:
            profile = profile | {"groups": sorted(set(profile["groups"]))}
        new = self._users.put(user, profile, self._clock())
        if profile.get("email"):
            failpoints.passes("people.addressed")
            self._awaited.serve(user, self._clock())
        return new

    def get(self, user: str) -> User:
        """One user. Raises NotFound."""
        return self._users.get(user)

    def beginning_with(self, start: str, limit: int) -> list[str]:
        """The ids of at most `limit` users that begin with `start`, in order."""
        return self._users.beginning_with(start, limit)
