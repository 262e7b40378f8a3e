"""Subscriptions: by default a user gets all that is addressed to them; what they mute, they get no more."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from notify_server.domain.audience import recipient
from notify_server.domain.registry import Reason
from notify_server.domain.user import Mutable, User
from notify_server.errors import Conflict, NotFound
from notify_server.services.clock import Clock
from notify_server.storage.subscriptions import Subscriptions, Underway
from notify_server.storage.users import Users

log = structlog.get_logger()

MOST = 1000  # muted groups, and as many categories, of one user


@dataclass(frozen=True, slots=True)
class MutedNames:
    """What a user has muted, in order of name."""

    groups: Sequence[str]
    categories: Sequence[str]


class Muting:
    """The subscriptions of users.

    The user is written before the entries: whom an expansion reads after that is muted by it, and what it has written
    before is muted here.
    """

    def __init__(self, subscriptions: Subscriptions, users: Users, clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._users = users
        self._clock = clock

    def muted(self, user: str) -> MutedNames:
        """What `user` has muted; one whom nobody has mentioned yet, nothing."""
        try:
            found = self._users.get(user)
        except NotFound:
            return MutedNames((), ())
        return MutedNames(sorted(found.muted_groups), sorted(found.muted_categories))

    def mute(self, user: str, kind: Mutable, name: str) -> None:
        """Unsubscribe, also from what is on its way. Raises Conflict where MOST others are muted.

        Done again, it stops what the first time came too early for.
        """
        now = self._clock()
        self._users.mention([user], None, now)
        if not self._subscriptions.mute(user, kind, name, MOST, now):
            raise Conflict(f"No more than {MOST} {kind.value} can be muted.")
        under_way = self._subscriptions.under_way(user, kind, name, now)
        for reason, notifications in self._silenced(self._users.get(user), under_way).items():
            stopped = self._subscriptions.suppress(user, notifications, reason, now)
            log.info("entries muted on their way", reason=reason.value, count=stopped)

    def unmute(self, user: str, kind: Mutable, name: str) -> None:
        """Subscribe again, to what is expanded from now on."""
        self._subscriptions.unmute(user, kind, name, self._clock())

    def _silenced(self, user: User, under_way: Sequence[Underway]) -> dict[Reason, list[str]]:
        """What would not be sent to `user` if it were expanded now, to those groups that it was expanded to."""
        silenced: dict[Reason, list[str]] = defaultdict(list)
        for each in under_way:
            found, reached = each.notification, replace(user, groups=tuple(each.groups))
            reason = recipient(reached, found.audience, found.category, mandatory=found.mandatory).suppressed
            if reason is not None:
                silenced[reason].append(found.id)
        return silenced
