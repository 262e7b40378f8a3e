"""The calls of one `begin`, while their answers come."""

from collections.abc import Callable, Sequence
from time import monotonic

from notify_server.channels.fcm.call import Call
from notify_server.domain.outcome import Outcome

_LOOK = 0.05  # seconds between two looks at what is still open
_FEW = 25  # answers that may be late, or a tenth of all
_GRACE = 0.1  # seconds that they have, beside the time that the others took


class Underway:
    """A Sending (see notify_server.domain.push) of libcurl's. `finish` gives a call's outcomes once it is over."""

    def __init__(
        self,
        calls: Sequence[Call],
        finish: Callable[[Call], Sequence[Outcome]],
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._calls = calls
        self._finish = finish
        self._ticks = ticks
        self._began = ticks()
        self._outcomes: Sequence[Sequence[Outcome]] | None = None

    @property
    def over(self) -> bool:
        """As Sending has it."""
        return all(call.over for call in self._calls)

    def most(self) -> Sequence[Sequence[Outcome | None]]:
        """As Sending has it: a few are late that take twice as long as all the others, and a moment more.

        Answers of FCM that take seconds are rare, but a page of 500 is likely to meet one. What was refused for its
        credential is waited for, as it is sent again.
        """
        few, until = max(_FEW, sum(len(call.targets) for call in self._calls) // 10), 0.0
        for call in self._calls:
            while not call.wait(_LOOK):
                if sum(each.open for each in self._calls) <= few and not any(each.refused for each in self._calls):
                    now = self._ticks()
                    until = until or now + (now - self._began) + _GRACE
                    if now >= until:
                        found = [each.so_far() for each in self._calls]
                        return self.all() if self.over else found
        return self.all()

    def all(self) -> Sequence[Sequence[Outcome]]:
        """As Sending has it."""
        if self._outcomes is None:
            self._outcomes = [self._finish(call) for call in self._calls]
        return self._outcomes

    def when_over(self, call: Callable[[], None]) -> None:
        """As Sending has it: called as soon as any of the calls that are still running ends, to look at `over`."""
        for each in self._calls:
            each.when_over(call)
