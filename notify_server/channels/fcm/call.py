"""One message in progress: which targets are still to go, and what was answered."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from notify_server.channels.fcm.answer import CONNECTION_LOST, CREDENTIAL_REFUSED, attribute
from notify_server.channels.fcm.credential import Headers
from notify_server.channels.fcm.encoding import EncodedMessage
from notify_server.domain.device import Target
from notify_server.domain.outcome import ACCEPTED, Outcome
from notify_server.domain.registry import Reason

_OPEN = replace(CONNECTION_LOST)  # what it comes to if no answer comes; told apart by identity


class Call:
    """The engine's to change, from submission until it is over; the sender waits, or reads what there is so far.

    `outcomes` stand in the order of the targets.
    `refused` holds the positions of the targets whose request FCM answered with 401, and of those that were
    therefore not sent. `authenticated` says whether any was answered otherwise. `fault` is what went wrong with the
    first transfer that got no answer.
    """

    def __init__(self, url: str, headers: Headers, encoded: EncodedMessage, targets: Sequence[Target]) -> None:
        self.url = url
        self.headers = headers
        self.outcomes: list[Outcome] = [_OPEN] * len(targets)
        self.refused: list[int] = []
        self.authenticated = False
        self.fault: str | None = None
        self.encoded = encoded
        self.targets = targets
        self.open = len(targets)  # how many have no answer yet
        self._next = 0
        self._over = threading.Event()
        self._then: Callable[[], None] | None = None
        if not targets:
            self._over.set()

    @property
    def over(self) -> bool:
        """Whether every target is settled."""
        return self._over.is_set()

    @property
    def unsent(self) -> int:
        """How many targets have not been begun."""
        return len(self.targets) - self._next

    def take(self) -> tuple[int, bytes]:
        """The position and the request body of the next target."""
        position = self._next
        self._next = position + 1
        return position, self.encoded.body(self.targets[position])

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
        self._next = len(self.targets)
        self._end()

    def wait(self, seconds: float | None = None) -> bool:
        """Block until every target is settled, for so many seconds at most (None: for ever). Whether all are."""
        return self._over.wait(seconds)

    def when_over(self, then: Callable[[], None]) -> None:
        """Have `then` called as soon as every target is settled; where that happens just now, maybe twice."""
        self._then = then
        if self.over:
            then()

    def so_far(self) -> Sequence[Outcome | None]:
        """The outcomes that are certain at this moment, None for the others.

        As long as some are open, nothing is certain before FCM has accepted the message: only then it is known what a
        refusal is about. What was refused for its credential is still to be sent again.
        """
        over, outcomes = self.over, list(self.outcomes)
        if self.refused or not (over or ACCEPTED in outcomes):
            return [None] * len(outcomes)
        attribute(outcomes)
        return [None if outcome is _OPEN and not over else outcome for outcome in outcomes]

    def _end(self) -> None:
        self._over.set()
        if self._then is not None:
            self._then()

    def _hold_back(self) -> None:
        while self.unsent:
            self.refused.append(self._next)
            self._settle(self._next, CREDENTIAL_REFUSED)
            self._next += 1

    def _settle(self, position: int, outcome: Outcome) -> None:
        self.outcomes[position] = outcome
        self.open -= 1
        if not self.open:
            self._end()
