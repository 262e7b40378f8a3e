"""An action: what happened in a backend, and which template tells whom of it, by which channels."""

from dataclasses import dataclass
from datetime import datetime

from notify_server.domain.notification import Channel

NOTIFYING = frozenset({Channel.PUSH, Channel.REALTIME})  # the channels that `notification_enabled` switches


@dataclass(frozen=True, slots=True)
class Action:
    """A named one. `category` None: that of the template. `mandatory`: sent also to those who have muted it.

    `pack` is the one that it was installed from, until somebody changes it.
    """

    name: str
    template: str
    channels: tuple[Channel, ...]
    updated_at: datetime
    category: str | None = None
    notification_enabled: bool = True
    mail_enabled: bool = True
    mandatory: bool = False
    pack: str | None = None

    def enabled(self, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        """Those of `channels` by which it is sent."""
        return tuple(each for each in channels if self._is_enabled(each))

    def _is_enabled(self, channel: Channel) -> bool:
        return self.notification_enabled if channel in NOTIFYING else self.mail_enabled
