"""What the delivery engine asks of a push transport, whichever one is configured."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from notify_server.domain.device import Target
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import Outcome
from notify_server.domain.user import User


class Encoded(Protocol):
    """A notification encoded once, ready for any number of targets. Only its transport looks inside."""

    def filled(self, user: User) -> "Encoded":
        """The message to one user, whose own fields stand where it has marks (see `domain/user_fields.py`)."""


class PushTransport(Protocol):
    """Sends one notification to many targets."""

    def encode(self, notification: Notification, at: datetime) -> Encoded:
        """Build, validate and encode its `message` once, with the time to live that it has left at `at`.

        Raises InvalidInput with the path of the field at fault where FCM would refuse the message.
        """

    def send(self, sends: Sequence[tuple[Encoded, Sequence[Target]]]) -> list[list[Outcome]]:
        """Send each message to its targets, all concurrently, and wait for all; the outcomes stand in their order.

        Never raises for what a provider or a network does: that is an Outcome. Safe to call from many threads.
        """

    def close(self) -> None:
        """Let running sends end, then release connections and threads."""
