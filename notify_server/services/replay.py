"""What a user's socket has missed: what was announced since the notification that it saw last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notify_server import failpoints
from notify_server.domain.notification import Notification, State
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.clock import Clock
from notify_server.services.told import Told, told
from notify_server.services.wording import Wording
from notify_server.storage.sequenced import Numbered, Sequenced, made_at

_TOGETHER = 50  # notifications read at once: each may hold 64 KiB


@dataclass(frozen=True, slots=True)
class Missed:
    """Entries in the order of their announcement. Where there were too many, or may be, they are `cut` to the newest.

    `after` is how far the socket has seen: what is announced until there, it has had.
    """

    after: int
    entries: Sequence[Numbered]
    cut: bool

    @property
    def parts(self) -> Iterator[Sequence[Numbered]]:
        """The entries in parts that are read together."""
        for start in range(0, len(self.entries), _TOGETHER):
            yield self.entries[start : start + _TOGETHER]


class Replays:
    """Finds what sockets have missed. Safe for many threads."""

    def __init__(self, entries: Sequenced, wording: Wording, most: int, clock: Clock) -> None:
        self._entries = entries
        self._wording = wording
        self._most = most
        self._clock = clock

    def missed(self, user: str, since: str, until: int) -> Missed:
        """What `user` was announced after the notification `since`, up to the sequence number `until`.

        An id that names no announced entry of theirs stands for the time at which it was made, or for now where that is
        to come, whether it names one of another user or nothing. Raises NotFound where it cannot be an id.
        """
        made = min(made_at(since), self._clock())
        seen = self._entries.number(user, since)
        if seen is None:
            found, cut = self._entries.since(user, made, until, self._most)
        else:
            found = self._entries.between(user, seen, until, self._most + 1)
            cut = len(found) > self._most
        failpoints.passes("replay.read")
        return Missed(max(until, seen or 0), found[: self._most][::-1], cut)

    def read(self, part: Sequence[Numbered]) -> list[tuple[Notification, Told]]:
        """What to tell of some missed entries, in order; what was cancelled or has expired is left out."""
        return [
            (notification, told(notification, entry, replayed=True))
            for notification, entry in self._wording.read([each.entry for each in part])
            if self._is_open(notification)
        ]

    def _is_open(self, notification: Notification) -> bool:
        return notification.state is not State.CANCELLED and self._clock() < notification.expires_at


def parsed(since: object) -> str | None:
    """The id that came with a connection; None where none came. Raises InvalidInput where it cannot be one."""
    if since is None:
        return None
    try:
        made_at(since if isinstance(since, str) else "")
    except NotFound:
        raise InvalidInput({"since": ["Must be the id of a notification, 24 hexadecimal digits."]}) from None
    return str(since)
