"""One `send` in progress: which targets are still to go, and what was answered."""

import threading
from collections.abc import Sequence

from notify_server.channels.fcm.answer import CONNECTION_LOST, CREDENTIAL_REFUSED
from notify_server.channels.fcm.credential import Headers
from notify_server.channels.fcm.encoding import EncodedMessage
from notify_server.domain.device import Target
from notify_server.domain.outcome import Outcome
from notify_server.domain.registry import Reason


class Call:
    """The engine's alone from submission until it is over; the sender waits for that.

    `outcomes` stand in the order of the targets.
    `refused` holds the positions of the targets whose request FCM answered with 401, and of those that were
    therefore not sent. `authenticated` says whether any was answered otherwise. `fault` is what went wrong with the
    first transfer that got no answer.
    """

    def __init__(self, url: str, headers: Headers, encoded: EncodedMessage, targets: Sequence[Target]) -> None:
        self.url = url
        self.headers = headers
        self.outcomes: list[Outcome] = [CONNECTION_LOST] * len(targets)
        self.refused: list[int] = []
        self.authenticated = False
        self.fault: str | None = None
        self.encoded = encoded
        self._targets = targets
        self._next = 0
        self._open = len(targets)
        self._over = threading.Event()

    @property
    def unsent(self) -> int:
        """How many targets have not been begun."""
        return len(self._targets) - self._next

    def take(self) -> tuple[int, bytes]:
        """The position and the request body of the next target."""
        position = self._next
        self._next = position + 1
        return position, self.encoded.body(self._targets[position])

    def answer(self, position: int, status: int, outcome: Outcome) -> None:
        """Record the answer for one target. When 401 is all that FCM says, the rest is not sent."""
        if status == 401 and outcome.reason is Reason.CREDENTIAL_REFUSED:
            self.refused.append(position)
            if not self.authenticated:
                self._hold_back()
        else:
            self.authenticated = True
        self._settle(position, outcome)

    def lose(self, position: int, fault: str) -> None:
        """Record that no answer came for one target, and why."""
        self.fault = self.fault or fault
        self._settle(position, CONNECTION_LOST)

    def abandon(self) -> None:
        """End the call: nothing more will be heard of what is still open, which counts as lost."""
        self._next = len(self._targets)
        self._over.set()

    def wait(self) -> None:
        """Block until every target is settled."""
        self._over.wait()

    def _hold_back(self) -> None:
        while self.unsent:
            self.refused.append(self._next)
            self._settle(self._next, CREDENTIAL_REFUSED)
            self._next += 1

    def _settle(self, position: int, outcome: Outcome) -> None:
        self.outcomes[position] = outcome
        self._open -= 1
        if not self._open:
            self._over.set()
