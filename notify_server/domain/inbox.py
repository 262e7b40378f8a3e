"""Where an entry lies in its user's inbox.

The status says what was delivered, and only ever goes forward. The inbox is the user's own: they may mark as unread
what the registry keeps as `read`.
"""

from enum import StrEnum

from notify_server.domain.registry import Status


class Place(StrEnum):
    """Whether the user finds it, and under what."""

    HIDDEN = "hidden"
    UNREAD = "unread"
    READ = "read"


VISIBLE = (Place.UNREAD, Place.READ)

_HIDDEN = frozenset({Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED})


def place(status: Status) -> Place:
    """Where an entry lies after it has moved to `status`.

    What could never be sent (`failed`) is there: the inbox is how the user gets it all the same.
    """
    if status is Status.READ:
        return Place.READ
    return Place.HIDDEN if status in _HIDDEN else Place.UNREAD
