"""What the delivery engine asks of a push transport, whichever one is configured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


class Sending(Protocol):
    """Messages on their way. For one thread at a time; outcomes stand in the order of messages and targets."""

    @property
    def over(self) -> bool:
        """Whether nothing more is waited for."""

    def most(self) -> Sequence[Sequence[Outcome | None]]:
        """Wait for the answers; for a few that are late, no longer than it pays: None stands for each of these."""

    def all(self) -> Sequence[Sequence[Outcome]]:
        """Wait for every answer."""

    def when_over(self, call: Callable[[], None]) -> None:
        """Have `call` called, from any thread and maybe twice, once nothing more is waited for. It must not block."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A Sending that is over."""

    outcomes: Sequence[Sequence[Outcome]]
    over: bool = True

    def most(self) -> Sequence[Sequence[Outcome | None]]:
        """As Sending has it."""
        return self.outcomes

    def all(self) -> Sequence[Sequence[Outcome]]:
        """As Sending has it."""
        return self.outcomes

    def when_over(self, call: Callable[[], None]) -> None:
        """As Sending has it."""
        call()


class PushTransport(Protocol):
    """Sends one notification to many targets."""

    def encode(self, notification: Notification, at: datetime) -> Encoded:
        """Build, validate and encode its `message` once, with the time to live that it has left at `at`.

        Raises InvalidInput with the path of the field at fault where FCM would refuse the message.
        """

    def begin(self, sends: Sequence[tuple[Encoded, Sequence[Target]]]) -> Sending:
        """Send each message to its targets, all concurrently.

        Never raises for what a provider or a network does: that is an Outcome. Safe to call from many threads.
        """

    def close(self) -> None:
        """Let running sends end, then release connections and threads."""
