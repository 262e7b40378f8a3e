"""What the channel says of some sends, as it comes: by send and device, whatever their messages and limits."""

from collections.abc import Callable, Sequence
from time import monotonic

from notify_server import metrics
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.push import Sending
from notify_server.domain.registry import Reason

Waits = Sequence[float | None]  # of each device of a send: seconds until its limit allows more; None: it was sent to


class Answers:
    """For one thread at a time. `parts` says how many messages of `sending` belong to each send.

    `observe` hears what the channel said of the messages, once: of those that are late, only if all are.
    """

    def __init__(
        self,
        sending: Sending,
        parts: Sequence[int],
        waits: Sequence[Waits],
        observe: Callable[[Sequence[Outcome]], None],
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._sending = sending
        self._parts = parts
        self._waits = waits
        self._observe: Callable[[Sequence[Outcome]], None] | None = observe
        self._ticks = ticks
        self._began: float | None = ticks()

    @property
    def over(self) -> bool:
        """Whether nothing more is waited for."""
        return self._sending.over

    def when_over(self, call: Callable[[], None]) -> None:
        """As Sending has it."""
        self._sending.when_over(call)

    def most(self) -> list[list[Outcome | None]]:
        """Wait for the answers; for a few that are late, no longer than it pays: None stands for each of these."""
        found = self._sending.most()
        return self._taken(found)

    def all(self) -> list[list[Outcome | None]]:
        """Wait for every answer: None is not among them."""
        return self._taken(self._sending.all())

    def _taken(self, found: Sequence[Sequence[Outcome | None]]) -> list[list[Outcome | None]]:
        known = [outcome for each in found for outcome in each if outcome is not None]
        if self._observe is not None and (known or not any(found)):
            self._observe(known)
            self._observe = None
        if self._began is not None and len(known) == sum(map(len, found)):
            if known:
                metrics.SEND_SECONDS.labels(Channel.PUSH.value).observe(self._ticks() - self._began)
            self._began = None
        messages = iter(found)
        answered = ([outcome for _ in range(parts) for outcome in next(messages)] for parts in self._parts)
        return [_placed(waits, each) for waits, each in zip(self._waits, answered, strict=True)]


def _placed(waits: Waits, answered: Sequence[Outcome | None]) -> list[Outcome | None]:
    """The outcome of every device in its place: an answer, or the wait until its limit allows more."""
    answers = iter(answered)
    return [next(answers) if wait is None else Outcome(Kind.RETRY, Reason.DEVICE_RATE, wait) for wait in waits]
