"""A real transport some of whose answers are late, for as long as a test likes."""

from collections.abc import Callable, Sequence
from datetime import datetime

from notify_server.domain.device import Target
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import Outcome
from notify_server.domain.push import Encoded, PushTransport, Sending

Sends = Sequence[tuple[Encoded, Sequence[Target]]]


class Hesitant:
    """A PushTransport. The answers for targets that `hesitates` names are not among most, but among all.

    `holds`: they are still waited for. `owed` are the sends whose answers nobody has asked for again.
    """

    def __init__(self, transport: PushTransport, hesitates: Callable[[str], bool]) -> None:
        self._transport = transport
        self.hesitates = hesitates
        self.holds = False
        self.owed = 0
        self._calls: list[Callable[[], None]] = []

    def encode(self, notification: Notification, at: datetime) -> Encoded:
        """As the transport has it."""
        return self._transport.encode(notification, at)

    def begin(self, sends: Sends) -> Sending:
        """As the transport has it."""
        return _Answers(self, self._transport.begin(sends).all(), sends)

    def close(self) -> None:
        """As the transport has it."""
        self._transport.close()

    def answer(self) -> None:
        """Let everything be answered."""
        self.holds = False
        for call in self._calls:
            call()

    def when_answered(self, call: Callable[[], None]) -> None:
        """Have `call` called then, or now."""
        self._calls.append(call)
        if not self.holds:
            call()


class _Answers:
    def __init__(self, transport: Hesitant, outcomes: Sequence[Sequence[Outcome]], sends: Sends) -> None:
        self._transport, self._outcomes, self._sends = transport, outcomes, sends
        self._owed = False

    @property
    def over(self) -> bool:
        return not self._transport.holds

    def most(self) -> Sequence[Sequence[Outcome | None]]:
        found = [
            [
                None if self._transport.hesitates(target.value) else outcome
                for target, outcome in zip(targets, outcomes, strict=True)
            ]
            for (_, targets), outcomes in zip(self._sends, self._outcomes, strict=True)
        ]
        self._owe(any(None in each for each in found))
        return found

    def all(self) -> Sequence[Sequence[Outcome]]:
        self._owe(False)
        return self._outcomes

    def when_over(self, call: Callable[[], None]) -> None:
        self._transport.when_answered(call)

    def _owe(self, owed: bool) -> None:
        self._transport.owed += owed - self._owed
        self._owed = owed
