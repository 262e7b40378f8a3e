"""What one dispatcher sends at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from notify_server.domain.batch import Batch


@dataclass(frozen=True, slots=True)
class Page:
    """A leased batch, and who of it is to be sent to; None: that is still to be read."""

    batch: Batch
    recipients: tuple[str, ...] | None = None


Load = Sequence[Page]


def who(parts: Iterable[tuple[str, Sequence[str]]]) -> Mapping[str, Sequence[str]]:
    """(notification, users) put together by notification."""
    together: dict[str, Sequence[str]] = {}
    for notification, users in parts:
        together[notification] = [*together[notification], *users] if notification in together else users
    return together
