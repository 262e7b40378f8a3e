"""What one dispatcher sends at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from notify_server.domain.batch import Batch


@dataclass(frozen=True, slots=True)
class Page:
    """A leased batch, and who of it is to be sent to; None: that is still to be read.

    `locales` are those of the recipients whose entry names one; None: they are still to be read, if there are any.
    """

    batch: Batch
    recipients: tuple[str, ...] | None = None
    locales: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """Who of a page is to be sent to, now that they have entries, and the locales that these name."""

    users: tuple[str, ...] = ()
    locales: Mapping[str, str] = field(default_factory=dict)


Load = Sequence[Page]


def who(parts: Iterable[tuple[str, Sequence[str]]]) -> Mapping[str, Sequence[str]]:
    """(notification, users) put together by notification."""
    together: dict[str, Sequence[str]] = {}
    for notification, users in parts:
        together[notification] = [*together[notification], *users] if notification in together else users
    return together
